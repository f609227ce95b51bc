"""The signals, and finding those of other packages.

A package adds a signal by an entry point of the group ``voice_agent.signals`` that names a class
with no arguments; see docs/context.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from agent.context import Contribution, Signal, TurnContext

GROUP = "voice_agent.signals"
MOST = 320
"""Characters of one text that are encoded; what lies beyond says little more."""

log = logging.getLogger(__name__)


class UserTexts:
    """What the user said in the last rounds, latest first."""

    name = "user-texts"

    def read(self, turn: TurnContext) -> Contribution:
        """Every text on the user's side."""
        return Contribution(user=_joined(r.said for r in reversed(turn.rounds)))


class Replies:
    """What the agent replied in the last rounds, latest first."""

    name = "replies"

    def read(self, turn: TurnContext) -> Contribution:
        """Every reply on the agent's side."""
        return Contribution(agent=_joined(r.reply for r in reversed(turn.rounds)))


class DeviceType:
    """What the agent runs on: in a car, one asks for other things than in a kitchen."""

    name = "device-type"

    def read(self, turn: TurnContext) -> Contribution:
        """The type on the agent's side."""
        return Contribution(agent=turn.situation.device_type)


_KINDS = {"call": ("contact",), "places": ("place",), "home": ("device",)}
"""What each skill of the agent is about."""


class Skill:
    """The running skill, and what it consulted."""

    name = "skill"

    def read(self, turn: TurnContext) -> Contribution:
        """The kind of entry that the skill is about, and the names that it looked up."""
        situation = turn.situation
        return Contribution(names=situation.consulted,
                            kinds=_KINDS.get(situation.skill, ()))


class Screen:
    """The list that is being shown."""

    name = "screen"

    def read(self, turn: TurnContext) -> Contribution:
        """The items, by name."""
        return Contribution(names=turn.screen)


class SearchClass:
    """The class of a local search, such as restaurant, cinema or petrol station."""

    name = "search-class"

    def read(self, turn: TurnContext) -> Contribution:
        """The class on the user's side, where it is what was meant."""
        return Contribution(user=turn.situation.search_class)


class Preferences:
    """What the user prefers."""

    name = "preferences"

    def read(self, turn: TurnContext) -> Contribution:
        """The preferences on the user's side."""
        return Contribution(user=_joined(turn.situation.preferences))


class CarryOver:
    """Names told or shown lately, in this dialogue or another one."""

    name = "carry-over"

    def read(self, turn: TurnContext) -> Contribution:
        """The names, newest first."""
        return Contribution(names=turn.carried)


class Mentions:
    """Words of what was said that are a part of a name: "call Meg" makes every Meg likely."""

    name = "mentions"

    def read(self, turn: TurnContext) -> Contribution:
        """The words of the last text, as names."""
        last = turn.rounds[-1].said if turn.rounds else ""
        words = [word.strip(".,!?'\"") for word in last[:MOST].split()]
        return Contribution(names=tuple(word for word in words if len(word) > 2))


OWN: tuple[type[Signal], ...] = (UserTexts, Replies, SearchClass, Preferences, DeviceType, Skill,
                                 Screen, CarryOver, Mentions)


@dataclass(frozen=True, slots=True)
class Reading:
    """What all signals together have to say about a turn."""

    user: str = field(default="", repr=False)
    agent: str = field(default="", repr=False)
    names: tuple[str, ...] = field(default=(), repr=False)
    kinds: frozenset[str] = frozenset()
    used: tuple[str, ...] = ()
    """Names of the signals that said something."""
    failed: tuple[str, ...] = ()
    """Names of the signals that raised an error and were left out."""

    @property
    def texts(self) -> tuple[str, str]:
        """The two texts to encode: the user's side, the agent's side."""
        return self.user, self.agent


def load(without: Iterable[str] = ()) -> tuple[Signal, ...]:
    """The agent's own signals and those that other packages add, without the named ones.

    One that cannot be loaded is logged and left out.
    """
    left_out = frozenset(without)
    found: list[Signal] = [signal() for signal in OWN]
    for point in entry_points(group=GROUP):
        try:
            found.append(point.load()())
        except Exception as error:
            log.warning("signal %s cannot be loaded: %s", point.name, type(error).__name__)
    return tuple(signal for signal in found if signal.name not in left_out)


def read(signals: Sequence[Signal], turn: TurnContext) -> Reading:
    """Ask every signal; one that fails says nothing and is named in ``failed``."""
    said: list[tuple[str, Contribution]] = []
    failed: list[str] = []
    for signal in signals:
        try:
            said.append((signal.name, signal.read(turn)))
        except Exception:  # a third party's: its message may hold what was said
            failed.append(signal.name)
    parts = [c for _, c in said]
    names = dict.fromkeys(name for c in parts for name in c.names)
    return Reading(
        _joined(c.user for c in parts), _joined(c.agent for c in parts), tuple(names),
        frozenset(kind for c in parts for kind in c.kinds),
        tuple(name for name, c in said if c != Contribution()), tuple(failed))


def _joined(texts: Iterable[str]) -> str:
    """Sentences one after another, each cut at a word."""
    return ". ".join(cut.rstrip(".") for text in texts if (cut := _cut(text)))


def _cut(text: str) -> str:
    text = " ".join(text[:2 * MOST].split())
    return text if len(text) <= MOST else text[:MOST].rsplit(" ", 1)[0]

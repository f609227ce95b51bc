"""What is kept of a turn: its events as short names, its texts sealed, for as long as they may be.

Everything here is handed over and not waited for: the store can neither delay nor break a turn.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.dialogue.turns import Reply
from agent.events import Display, Expectation, ExpectSpeech, ShowDirections, Speak
from agent.store import BestEffortStore, Interaction, NewItem, new_dialogue_id


class Memory(Protocol):
    """Remembers the turns of a dialogue."""

    def opened(self) -> None:
        """A wake word began a dialogue."""
        ...

    def heard(self, text: str) -> None:
        """An utterance was understood as this text."""
        ...

    def replied(self, reply: Reply) -> Awaitable[Interaction | None]:
        """The reply to it, before it is spoken; gives the turn's row as it was written."""
        ...

    def resumed(self, row: Interaction) -> None:
        """What was heard answers the question of this turn, which an earlier dialogue left."""
        ...

    def timed_out(self) -> None:
        """Nobody answered the question."""
        ...

    def closed(self) -> None:
        """The dialogue is over: what was said and replied is deleted."""
        ...


class StoredMemory:
    """Keeps turns in the encrypted store.

    Args:
        store: Never raises and never makes anyone wait.
        carried: Names of places told and items shown that later turns may refer to.
        keep_open: Whether a question that nobody answered stays until it expires, so that it can
            be answered after a wake word, here or at another device of the household.
    """

    def __init__(self, store: BestEffortStore, carried: Callable[[], tuple[str, ...]],
                 keep_open: bool = False) -> None:
        self._store, self._carried, self._keep_open = store, carried, keep_open
        self._dialogue = ""
        self._turn = 0
        self._woken = False
        self._said: list[NewItem] = []

    def opened(self) -> None:
        """A wake word began a dialogue."""
        self._dialogue, self._turn, self._said = new_dialogue_id(), 0, []
        self._woken = True

    def heard(self, text: str) -> None:
        """An utterance was understood as this text; written with the reply."""
        self._said = [NewItem("said", text)] if text else []

    def replied(self, reply: Reply) -> Awaitable[Interaction | None]:
        """Write the turn's events and texts in one transaction."""
        events, self._woken = ["wake"] if self._woken else [], False
        events += ["utterance", f"intent:{_name(reply.intent)}"]
        items, self._said = self._said, []
        for directive in reply.directives:
            match directive:
                case Speak(text=text):
                    items.append(NewItem("reply", text))
                case Display(items=shown):
                    items.append(NewItem("screen", json.dumps(shown, ensure_ascii=False)))
                case ShowDirections(place=place):
                    items.append(NewItem("places", json.dumps([place], ensure_ascii=False)))
                case ExpectSpeech(expectation=expected, alternatives=found) if (
                        found and expected is not Expectation.YES_NO):
                    items.append(NewItem("consulted", json.dumps(found, ensure_ascii=False)))
            events.append(_event(type(directive).__name__))
        if self._carried():
            items.append(NewItem("places", json.dumps(self._carried(), ensure_ascii=False)))
        turn, self._turn = self._turn, self._turn + 1
        row = self._store.append(self._dialogue, turn, " ".join(events), items)
        if not any(isinstance(d, ExpectSpeech) for d in reply.directives):
            self._store.close_turn(self._dialogue, turn)
        return row

    def resumed(self, row: Interaction) -> None:
        """Go on with the dialogue of ``row``."""
        self._dialogue, self._turn = row.dialogue_id, row.turn + 1

    def timed_out(self) -> None:
        """Leave the open question in the store, if it may be answered later."""
        if self._keep_open:
            self._dialogue = ""

    def closed(self) -> None:
        """Delete what was said and replied; carry-over texts keep their own expiry."""
        if self._dialogue and self._turn:
            self._store.close_dialogue(self._dialogue)
        self._dialogue = ""


async def recalled(store: BestEffortStore) -> tuple[str, ...]:
    """Names of the places that an earlier run told and that are still alive."""
    names: list[str] = []
    for item in await store.carry_over():
        if item.kind == "places":
            names += json.loads(item.text)
    return tuple(dict.fromkeys(names))


def _event(directive: str) -> str:
    """``ExpectSpeech`` → ``expect-speech``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", directive).lower()


def _name(intent: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "-", intent)[:32] or "none"

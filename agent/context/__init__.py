"""Context: what was said lately decides what the recogniser is made ready for.

While a question is being spoken, a *window* is open: the turn's sealed texts are read, *signals*
make of them what is to be encoded, the *encoder* makes vectors, and a *selection* from everything
that the user can name becomes the bias of the answer. All of it is best effort.

    turn = TurnContext(rounds=(Round("find a cinema", "Which one?"),))
    reading = signals.read(signals.load(), turn)       # texts to encode, names, kinds
    vectors = encoder.encode(reading.texts)            # float32[2, 384]
    chosen = selection.choose(library, reading, Expectation.NAME, vectors)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from agent.events import Expectation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Vectors: TypeAlias = npt.NDArray[np.float32]
    """``float32[texts, 384]``, each of length 1."""
else:
    Vectors = Any  # loading numpy would make every command start slowly


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that the user can name."""

    text: str = field(repr=False)
    """As the user's catalogue spells it, and as it is said."""
    kind: str = ""
    """``contact``, ``device``, ``place``."""
    about: str = field(default="", repr=False)
    """What it is, in a few words: ``dentist``, ``restaurant, open until ten``."""

    @property
    def described(self) -> str:
        """The text that its vector is of."""
        return f"{self.about}: {self.text}" if self.about else self.text


@dataclass(frozen=True, slots=True)
class Round:
    """What the user said in one turn, and the reply to it."""

    said: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the agent is doing when it asks; the dialogue knows it without any store."""

    skill: str = ""
    """Name of the running skill."""
    search_class: str = ""
    """Class of a local search: restaurant, cinema, petrol station …"""
    consulted: tuple[str, ...] = field(default=(), repr=False)
    """Names of what the skill looked up."""
    device_type: str = ""
    """What the agent runs on: speaker, display, car …"""
    preferences: tuple[str, ...] = field(default=(), repr=False)
    """What the user prefers, in a few words each."""


@dataclass(frozen=True, slots=True)
class TurnContext:
    """Everything that a signal may look at."""

    rounds: tuple[Round, ...] = field(default=(), repr=False)
    """The last three live rounds, oldest first."""
    screen: tuple[str, ...] = field(default=(), repr=False)
    """The list that is being shown."""
    carried: tuple[str, ...] = field(default=(), repr=False)
    """Names told or shown in any dialogue that may still be referred to, newest first."""
    situation: Situation = Situation()
    expectation: Expectation = Expectation.FREE
    alternatives: tuple[str, ...] = field(default=(), repr=False)
    """The answers that the question offers."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one signal has to say about a turn; empty parts say nothing."""

    user: str = field(default="", repr=False)
    """Encoded on the user's side."""
    agent: str = field(default="", repr=False)
    """Encoded on the agent's side."""
    names: tuple[str, ...] = field(default=(), repr=False)
    """Names that are likely, the likeliest first."""
    kinds: tuple[str, ...] = ()
    """Kinds of entry that are likely."""


class Signal(Protocol):
    """One signal: a name, and a function of the turn."""

    @property
    def name(self) -> str:
        """Short name: what it is switched on and off by."""
        ...

    def read(self, turn: TurnContext) -> Contribution:
        """What it has to say about the turn."""
        ...

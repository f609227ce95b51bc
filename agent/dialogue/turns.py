"""What goes into the dialogue and what comes out of it, and what a skill works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from agent.dialogue.catalogue import Catalogue, Place
from agent.dialogue.catalogue.devices import spoken_names
from agent.dialogue.settings import Settings
from agent.dialogue.understanding import Intent
from agent.events import Directive, Expectation

if TYPE_CHECKING:
    from agent.dialogue.lists import Lists
    from agent.dialogue.state import State
    from agent.dialogue.timers import Timers


@dataclass(frozen=True, slots=True)
class Heard:
    """What the recogniser made of one utterance."""

    text: str = field(repr=False)
    alternatives: tuple[str, ...] = field(default=(), repr=False)
    """Further hypotheses, best first."""
    unsure: bool = False
    """Whether the recogniser's decision was narrow: then a call and the like are confirmed."""
    after_wake: bool = True
    """Whether the wake word opened this turn; False for a follow-up."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the dialogue wants done about an utterance."""

    directives: tuple[Directive, ...]
    intent: str
    summary: str = field(default="", repr=False)
    """One line for people: ``call Meg Bauer``."""
    closed: bool = True
    """Whether the dialogue is over; otherwise an ``ExpectSpeech`` is among the directives."""
    resumed: bool = False
    """Whether it answers to a question that an earlier dialogue had left open."""


@dataclass(frozen=True, eq=False)
class Option:
    """One of the answers that a question offers."""

    text: str = field(repr=False)
    """As the user's catalogue spells it: what is said and shown."""
    value: Any = field(default=None, repr=False)
    """What it stands for."""
    aliases: tuple[str, ...] = field(default=(), repr=False)
    """Other texts that mean it."""

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """The canonical texts that mean it, with and without a leading article."""
        return tuple(spoken_names(self.text, self.aliases))


@dataclass(frozen=True, slots=True)
class Question:
    """A question that the agent has asked, and what to do with the answer."""

    intent: str
    """The intent that the answer completes."""
    prompt: str = field(repr=False)
    expectation: Expectation
    options: tuple[Option, ...] = ()
    choose: Callable[[Option, Turn], Act] | None = field(default=None, repr=False)
    """Called with the option that was chosen."""
    free: Callable[[str, Turn], Act | None] | None = field(default=None, repr=False)
    """Called with the answer's text as heard; None when it is no answer to the question."""
    before: Question | None = field(default=None, repr=False)
    """The question whose answer this one confirms: "no, the other one" goes back to it."""
    candidate: Option | None = field(default=None, repr=False)
    """The option of ``before`` that is being confirmed."""

    @property
    def alternatives(self) -> tuple[str, ...]:
        """The texts that the question offers."""
        if self.expectation is Expectation.YES_NO:
            return ("yes", "no")
        return tuple(option.text for option in self.options)


@dataclass(frozen=True, slots=True)
class Screen:
    """A list that is being shown; its items can be picked by name or position."""

    title: str = field(repr=False)
    options: tuple[Option, ...] = field(repr=False)
    intent: str
    """The intent that showed it."""
    kind: str = ""
    """Class of a local search, such as ``coffee shop``; empty for other lists."""
    choose: Callable[[Option, Turn], Act] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Act:
    """What a skill decided."""

    intent: str
    summary: str = field(default="", repr=False)
    speech: str = field(default="", repr=False)
    directives: tuple[Directive, ...] = ()
    """Carried out after the speech has begun; a question and a screen add theirs."""
    question: Question | None = None
    screen: Screen | None = None
    told: tuple[Place, ...] = field(default=(), repr=False)
    """Places that the reply tells, for "take me there"."""
    chosen: tuple[Question, Option] | None = field(default=None, repr=False)
    """A choice that "no, the other one" may mend."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Everything that a skill may look at."""

    heard: Heard
    catalogue: Catalogue
    state: State
    settings: Settings
    timers: Timers
    lists: Lists
    at: float
    """Now, on the injected clock, in seconds."""
    today: datetime
    """Now, as people tell it."""
    answering: tuple[Question, Option] | None = None
    """The question that this turn answers, and with what; None for a command."""

    def must_confirm(self) -> bool:
        """Whether something that cannot be taken back must be confirmed in this turn."""
        policy = self.settings.confirm
        return policy == "always" or (policy == "unsure" and self.heard.unsure)


class Skill(Protocol):
    """Handles some intents."""

    @property
    def name(self) -> str:
        """Name of the skill, as signals and events show it."""
        ...

    @property
    def intents(self) -> frozenset[str]:
        """Names of the intents it handles."""
        ...

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Decide what to do; None when it is not meant after all."""
        ...

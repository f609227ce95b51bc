"""A dialogue over the sample catalogues, on clocks that the test turns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from agent.dialogue import Dialogue, Heard, Reply, Settings
from agent.dialogue.catalogue import Catalogue, CatalogueFiles
from agent.dialogue.lists import Lists
from agent.dialogue.timers import Timers
from agent.events import (
    ChangeList,
    ChangeTimer,
    Directive,
    Display,
    ExpectSpeech,
    Speak,
    StartTimer,
    StopTimer,
)


@dataclass
class Conversation:
    """Talks to a dialogue and carries out what it wants done about timers and lists."""

    dialogue: Dialogue
    timers: Timers
    lists: Lists
    seconds: list[float]
    reply: Reply = field(default_factory=lambda: Reply((), ""))

    def say(self, text: str, *alternatives: str, unsure: bool = False,
            after_wake: bool | None = None) -> Reply:
        """Say something: after the wake word, unless the microphone was open for an answer."""
        wake = self.reply.closed if after_wake is None else after_wake
        self.reply = self.dialogue.respond(Heard(text, alternatives, unsure, wake))
        for directive in self.reply.directives:
            self._carry_out(directive)
        return self.reply

    def _carry_out(self, directive: Directive) -> None:
        match directive:
            case StartTimer(seconds=seconds, name=name):
                self.timers.start(seconds, name)
            case StopTimer(ringing=True):
                self.timers.stop_ringing()
            case StopTimer(name=name):
                self.timers.stop(name)
            case ChangeTimer(name=name, add_seconds=add, paused=paused):
                self.timers.change(name, add, paused)
            case ChangeList(action="add", name=name, item=item):
                self.lists.add(name, item)
            case ChangeList(name=name, item=item):
                self.lists.remove(name, item)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds[0] += seconds
        self.timers.ring()

    @property
    def speech(self) -> str:
        """What the agent said."""
        return " ".join(d.text for d in self.reply.directives if isinstance(d, Speak))

    @property
    def expects(self) -> ExpectSpeech | None:
        """The answer it waits for."""
        return next((d for d in self.reply.directives if isinstance(d, ExpectSpeech)), None)

    @property
    def shown(self) -> Display | None:
        """The list it shows."""
        return next((d for d in self.reply.directives if isinstance(d, Display)), None)

    @property
    def done(self) -> list[Directive]:
        """Directives other than speech and lists."""
        return [d for d in self.reply.directives
                if not isinstance(d, (Speak, ExpectSpeech, Display))]


@pytest.fixture(scope="session")
def samples() -> Catalogue:
    """The catalogues that the product ships."""
    return CatalogueFiles().load()


@pytest.fixture
def converse(samples: Catalogue) -> Callable[..., Conversation]:
    """Makes conversations; ``here`` is the agent's room, the rest are settings."""

    def make(catalogue: Catalogue | None = None, here: str = "",
             **settings: object) -> Conversation:
        book = catalogue or samples
        if here:
            book = replace(book, home=replace(book.home, here=here))
        seconds = [1000.0]
        timers, lists = Timers(lambda: seconds[0]), Lists()
        dialogue = Dialogue(book, Settings(**settings), timers=timers,  # type: ignore[arg-type]
                            lists=lists, clock=lambda: seconds[0],
                            now=lambda: datetime(2026, 3, 21, 15, 5))
        return Conversation(dialogue, timers, lists, seconds)

    return make

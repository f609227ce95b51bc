"""The typed events and directives that travel between the agent's parts.

An *event* says what happened ("the wake word was heard"); a *directive* says what the
dialogue wants done ("speak this", "place that call"). Parts meet in these types and in the
protocols of their packages, never in each other's engines.

Fields that hold something a person said, or a reply made of it, are left out of ``repr``, so
that no log line or traceback that happens to print an event can show them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Samples: TypeAlias = npt.NDArray[np.int16]
    """``int16[samples]`` at 16 kHz, mono: the one form of audio between parts."""
else:
    Samples = Any  # loading numpy would make every command start slowly

SAMPLE_RATE = 16_000
"""Samples a second of all audio inside the agent, mono."""


class Expectation(StrEnum):
    """What kind of answer the dialogue's question expects."""

    FREE = "free"
    NAME = "name"
    LIST_ITEM = "list-item"
    NUMBER = "number"
    SPELLING = "spelling"
    YES_NO = "yes-no"


class AgentState(StrEnum):
    """What the lights show."""

    IDLE = "idle"
    WAKE = "wake"
    LISTENING = "listening"
    FOLLOW_UP = "follow-up"
    THINKING = "thinking"
    SPEAKING = "speaking"
    MUTED = "muted"
    ERROR = "error"


# --- directives: what the dialogue wants done -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Directive:
    """Something the dialogue wants done; handled in the order given."""


@dataclass(frozen=True, slots=True)
class Speak(Directive):
    """Say a text aloud."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExpectSpeech(Directive):
    """Reopen the microphone without a wake word once the reply has been played."""

    expectation: Expectation = Expectation.FREE
    alternatives: tuple[str, ...] = field(default=(), repr=False)
    """The answers that the question offers, as the user's catalogue spells them."""


@dataclass(frozen=True, slots=True)
class Display(Directive):
    """Show a list on the screen; its items may be chosen by name or position later."""

    title: str = field(repr=False)
    items: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PlaceCall(Directive):
    """Call a contact."""

    contact: str = field(repr=False)
    number: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SetDevice(Directive):
    """Change something in the home, or ask it: an intent with its slots.

    The intent names and slot names are Home Assistant's (``HassTurnOn``, ``name``, ``area``,
    ``brightness`` …).
    """

    intent: str
    slots: tuple[tuple[str, str | int | float], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class StartTimer(Directive):
    """Start a timer that rings until it is stopped."""

    seconds: float
    name: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class StopTimer(Directive):
    """Stop a ringing timer, or cancel a running one (all of them when ``name`` is empty)."""

    name: str = field(default="", repr=False)
    ringing: bool = False
    """Whether only timers that ring are meant."""


@dataclass(frozen=True, slots=True)
class ChangeTimer(Directive):
    """Lengthen, shorten, pause or resume a timer (all of them when ``name`` is empty)."""

    name: str = field(default="", repr=False)
    add_seconds: float = 0.0
    paused: bool | None = None
    """True pauses, False resumes, None leaves it."""


@dataclass(frozen=True, slots=True)
class ChangeList(Directive):
    """Change a shopping or to-do list."""

    name: str = field(repr=False)
    action: Literal["add", "remove", "clear"]
    item: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ShowDirections(Directive):
    """Give directions to a place."""

    place: str = field(repr=False)
    address: str = field(default="", repr=False)


# --- events: what happened -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; ``at`` is seconds on the microphone's sample clock."""

    at: float


@dataclass(frozen=True, slots=True)
class StateChanged(Event):
    """The agent went into another state; lights follow it."""

    state: AgentState


@dataclass(frozen=True, slots=True)
class WakeHeard(Event):
    """The wake word was detected (or the button was pressed: engine ``button``)."""

    word: str
    engine: str
    score: float


@dataclass(frozen=True, slots=True)
class MicrophoneOpened(Event):
    """Speech is now listened for; ``follow_up`` when no wake word was needed."""

    follow_up: bool


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """The endpointer heard speech begin."""


@dataclass(frozen=True, slots=True)
class SpeechEnded(Event):
    """The endpointer closed the utterance."""

    seconds: float
    """Length of the audio handed to the recogniser."""


@dataclass(frozen=True, slots=True)
class PartialHeard(Event):
    """What the recogniser has so far."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Recognised(Event):
    """The recogniser's answer for one utterance."""

    text: str = field(repr=False)
    engine: str
    decision: str
    """``plain``, or ``context`` when a bias phrase was taken."""
    margin: float | None
    """How clearly the decision was won; None when there was nothing to decide."""
    seconds: float
    """Wall time from the end of speech to this text."""


@dataclass(frozen=True, slots=True)
class EchoIgnored(Event):
    """What was captured was the agent's own reply leaking into the microphone."""

    explained: float
    """Share of the captured energy that the reply explains, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Understood(Event):
    """What the dialogue made of the text."""

    intent: str
    summary: str = field(repr=False)
    """One line for people: ``call Meg Bauer``."""


@dataclass(frozen=True, slots=True)
class DirectiveIssued(Event):
    """The dialogue issued a directive."""

    directive: Directive


@dataclass(frozen=True, slots=True)
class ReplyStarted(Event):
    """The first sample of the reply was handed to the speaker."""

    seconds: float
    """Wall time from asking for speech to its first sample."""


@dataclass(frozen=True, slots=True)
class ReplyEnded(Event):
    """The reply has been played to its end, or was stopped."""

    completed: bool


@dataclass(frozen=True, slots=True)
class ContextOpened(Event):
    """A context window opened: the stored row says that the microphone will reopen."""

    turn: int


@dataclass(frozen=True, slots=True)
class ContextStep(Event):
    """A step of the open context window is done."""

    step: Literal["items", "signals", "encoded", "selected", "prepared"]
    seconds: float
    """Wall time that the step took."""
    since_opened: float
    """Wall time from the opening of the window to the end of the step."""
    count: int = 0
    """Texts read, signals that said something, texts encoded, names chosen, phrases prepared."""


@dataclass(frozen=True, slots=True)
class ContextClosed(Event):
    """The context window closed: the microphone reopens, or the turn was interrupted.

    ``ready`` and ``no-vector`` come with a bias, the latter by expectation and recency alone;
    after the others the answer is recognised plainly.
    """

    outcome: Literal["ready", "no-vector", "late", "failed", "cancelled"]
    seconds: float
    """Wall time that the window was open."""
    margin: float | None = None
    """Wall time that was to spare when the bias was ready; None where it never was."""
    reason: str = ""
    """What failed, without a word of what was said."""


@dataclass(frozen=True, slots=True)
class FollowUpTimedOut(Event):
    """Nothing was said before the follow-up time-out."""


@dataclass(frozen=True, slots=True)
class DialogueClosed(Event):
    """The dialogue ended; its context is no longer needed."""


@dataclass(frozen=True, slots=True)
class MuteChanged(Event):
    """The microphone was muted or unmuted."""

    muted: bool
    hardware: bool = False
    """A switch broke the microphone's supply (or restored it); otherwise software muted it."""


class ButtonKind(StrEnum):
    """How the button was pressed."""

    PRESS = "press"
    LONG = "long"
    DOUBLE = "double"


@dataclass(frozen=True, slots=True)
class ButtonPressed(Event):
    """The device's button was pressed.

    A ``PRESS`` is published the moment the button goes down, so that listening starts at once;
    ``LONG`` or ``DOUBLE`` follows it when it turns out to be one.
    """

    kind: ButtonKind


@dataclass(frozen=True, slots=True)
class AudioOverrun(Event):
    """Frames were lost before the agent could read them."""

    frames: int
    total: int


@dataclass(frozen=True, slots=True)
class Fault(Event):
    """Something failed and the agent went on without it."""

    part: str
    message: str


Listener: TypeAlias = Callable[[Event], None]


class EventBus:
    """Hands every event to every listener, in order, on the publisher's thread.

    A listener must return at once and may not raise: one that does is dropped, and that is
    published as a ``Fault``, so that an observer can never break a turn.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; the returned function removes it again."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Hand ``event`` to every listener."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:
                self._listeners.remove(listener)
                self.publish(Fault(event.at, "listener", type(error).__name__))

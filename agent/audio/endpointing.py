"""When an utterance begins, pauses and ends.

    endpointer = Endpointer(vad, settings, at=microphone.now)
    for outcome in endpointer.accept(frame):
        match outcome:
            case Started() | Heard():
                recognition.accept(outcome.samples)
            case Paused():
                recognition.anticipate()
            case Ended():
                hypotheses = recognition.finish()

From a pause on, silence is held back, and handed on only if speech resumes. So the recogniser
has the same audio at the pause as at the end, and what it did at the pause is still right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from agent.audio.settings import EndpointSettings
from agent.audio.vad import WINDOW, VoiceActivity
from agent.events import SAMPLE_RATE, Samples

_GAP = 0.1
"""Seconds of silence inside a first word (the stop in "eight") that do not undo it."""

_NOTHING: Samples = np.zeros(0, np.int16)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Something the endpointer decided; ``at`` is when, on the microphone's clock, seconds."""

    at: float


@dataclass(frozen=True, slots=True)
class Started(Outcome):
    """Speech began."""

    speech_start: float
    """Clock at the first speech."""
    samples: Samples = field(repr=False)
    """Audio so far, padding before the speech included."""


@dataclass(frozen=True, slots=True)
class Heard(Outcome):
    """More audio of the utterance."""

    samples: Samples = field(repr=False)


@dataclass(frozen=True, slots=True)
class Paused(Outcome):
    """Speech stopped; it may go on, or the utterance may end."""


@dataclass(frozen=True, slots=True)
class Resumed(Outcome):
    """Speech goes on after a pause; a ``Heard`` with the pause and the speech follows."""


@dataclass(frozen=True, slots=True)
class Ended(Outcome):
    """The utterance is over."""

    samples: Samples = field(repr=False)
    """All of it: what ``Started`` and every ``Heard`` carried, joined."""
    start: float
    """Clock at the first of ``samples``."""
    speech_start: float
    speech_end: float
    """Clock at the last speech."""
    cut: bool
    """It was closed at the maximum length, while speech went on."""


@dataclass(frozen=True, slots=True)
class TimedOut(Outcome):
    """Nobody spoke."""


AnyOutcome: TypeAlias = Started | Heard | Paused | Resumed | Ended | TimedOut


class Endpointer:
    """Follows one utterance, from listening to its end.

    Audio may come in pieces of any length; the outcomes are the same. Audio captured before
    (a ring buffer after the wake word) is simply accepted first.

    Args:
        vad: Judges the windows; reset here, and used by nobody else until the end.
        settings: Times and thresholds.
        at: Clock at the first sample that will be accepted, seconds.
        lead: Audio just before that, which only lets the detector settle.
        after_wake: The wake word has just been said, and its end may still be heard.
        timeout: Seconds without speech after which listening ends; None: as in the settings.
    """

    def __init__(self, vad: VoiceActivity, settings: EndpointSettings, *, at: float = 0.0,
                 lead: Samples = _NOTHING, after_wake: bool = False,
                 timeout: float | None = None) -> None:
        self._vad, self._set, self._at = vad, settings, at
        self._timeout = settings.timeout if timeout is None else timeout
        self._tail_end = settings.wake_tail if after_wake else 0.0
        self._rest = _NOTHING
        self._position = 0
        self._voiced = False
        self._silence = 0
        self._speech_start: int | None = None
        self._counted = 0
        self._speech_end = 0
        self._held: list[Samples] = []
        self._given: list[Samples] | None = None
        self._start = 0
        self._paused = False
        self._done = False
        vad.reset()
        self.settle(lead)

    @property
    def done(self) -> bool:
        """It ended or timed out; what is accepted now is ignored."""
        return self._done

    def accept(self, samples: Samples) -> Sequence[AnyOutcome]:
        """Take more audio, ``int16[samples]`` at 16 kHz; returns what follows from it."""
        outcomes: list[AnyOutcome] = []
        audio = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        place = 0
        while not self._done and len(audio) - place >= WINDOW:
            outcomes += self._judge(audio[place:place + WINDOW])
            place += WINDOW
        self._rest = _NOTHING if self._done else audio[place:].copy()
        return outcomes

    def finish(self) -> Sequence[AnyOutcome]:
        """The audio has ended: closes the utterance, or times out."""
        outcomes: list[AnyOutcome] = []
        if len(self._rest) and not self._done:
            outcomes += self.accept(np.zeros(WINDOW - len(self._rest), np.int16))
        if not self._done:
            outcomes.append(self._time_out() if self._given is None else self._end(cut=False))
        return outcomes

    def settle(self, lead: Samples) -> None:
        """Let the detector hear audio from before the beginning; may come in whole windows."""
        lead = lead[len(lead) % WINDOW:]
        for place in range(0, len(lead), WINDOW):
            self._vad.probability(lead[place:place + WINDOW])

    def _judge(self, window: Samples) -> list[AnyOutcome]:
        likely = self._vad.probability(window)
        begin, self._position = self._position, self._position + WINDOW
        self._voiced = likely >= (self._set.release if self._voiced else self._set.threshold)
        self._silence = 0 if self._voiced else self._silence + WINDOW
        self._held.append(window.copy())
        return self._wait(begin) if self._given is None else self._follow()

    def _wait(self, begin: int) -> list[AnyOutcome]:
        """Before speech."""
        if self._voiced:
            if self._speech_start is None:
                self._speech_start = begin
            of_wake_word = self._speech_start == 0 and _seconds(begin) < self._tail_end
            self._counted += 0 if of_wake_word else WINDOW
            self._speech_end = self._position
            if self._counted and _seconds(self._counted) >= self._set.minimum_speech:
                return [self._begin(self._speech_start)]
        elif _seconds(self._silence) > _GAP:
            self._speech_start, self._counted = None, 0
        self._forget()
        if self._speech_start is None and _seconds(self._position) >= self._timeout:
            return [self._time_out()]
        return []

    def _begin(self, speech_start: int) -> Started:
        kept = sum(map(len, self._held))
        self._start = max(self._position - kept,
                          speech_start - round(self._set.padding * SAMPLE_RATE))
        samples = np.concatenate(self._held)[-(self._position - self._start):]
        self._held = []
        self._given = [samples]
        return Started(self._clock(self._position), self._clock(speech_start), samples)

    def _follow(self) -> list[AnyOutcome]:
        """Inside an utterance."""
        if self._voiced:
            return self._go_on()
        outcomes: list[AnyOutcome] = []
        if not self._paused:
            outcomes.append(self._give())
            if _seconds(self._silence) >= self._set.pause:
                self._paused = True
                outcomes.append(Paused(self._clock(self._position)))
        if _seconds(self._silence) >= self._set.trailing_silence:
            outcomes.append(self._end(cut=False))
        elif self._too_long():
            outcomes.append(self._end(cut=True))
        return outcomes

    def _go_on(self) -> list[AnyOutcome]:
        self._speech_end = self._position
        outcomes: list[AnyOutcome] = []
        if self._paused:
            self._paused = False
            outcomes.append(Resumed(self._clock(self._position)))
        outcomes.append(self._give())
        if self._too_long():
            outcomes.append(self._end(cut=True))
        return outcomes

    def _too_long(self) -> bool:
        return _seconds(self._position - self._start) >= self._set.maximum_speech

    def _give(self) -> Heard:
        assert self._given is not None and self._held
        samples = np.concatenate(self._held)
        self._held = []
        self._given.append(samples)
        return Heard(self._clock(self._position), samples)

    def _end(self, *, cut: bool) -> Ended:
        assert self._given is not None and self._speech_start is not None
        self._done = True
        return Ended(self._clock(self._position), np.concatenate(self._given),
                     self._clock(self._start), self._clock(self._speech_start),
                     self._clock(self._speech_end), cut)

    def _time_out(self) -> TimedOut:
        self._done = True
        return TimedOut(self._clock(self._position))

    def _forget(self) -> None:
        """Keep no more than the padding before speech that may have begun."""
        oldest = self._position if self._speech_start is None else self._speech_start
        oldest -= round(self._set.padding * SAMPLE_RATE)
        kept = sum(map(len, self._held))
        while self._held and self._position - kept + len(self._held[0]) <= oldest:
            kept -= len(self._held.pop(0))

    def _clock(self, position: int) -> float:
        return self._at + position / SAMPLE_RATE


def _seconds(samples: int) -> float:
    return samples / SAMPLE_RATE

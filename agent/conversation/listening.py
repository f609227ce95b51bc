"""Listening to one utterance: endpointing, recognition, and what must not be taken for speech."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ParamSpec, TypeVar

from agent.asr import Prepared, Recogniser, Recognition
from agent.audio.echo import EchoGuard
from agent.audio.endpointing import AnyOutcome, Ended, Endpointer, Paused, Started, TimedOut
from agent.audio.endpointing import Heard as HeardMore
from agent.audio.settings import EndpointSettings
from agent.audio.vad import WINDOW, VoiceActivity
from agent.biasing.arbitration import Decision
from agent.conversation.ears import Ears, EndOfAudioError
from agent.events import (
    AgentState,
    EchoIgnored,
    Event,
    EventBus,
    PartialHeard,
    Recognised,
    Samples,
    SpeechEnded,
    SpeechStarted,
    StateChanged,
)
from agent.wake import Detection
from agent.wake.matching import similar
from agent.worker import Worker, Workload

P = ParamSpec("P")
R = TypeVar("R")
Prepare = Callable[[], Prepared | None]
"""Gives what the recogniser has been made ready for by now; asked when speech begins."""

SAME_WORD = 0.2
"""Phonetic distance a phone up to which the first word heard counts as the wake word."""

LEAD = 2.0
"""Seconds of audio before the opening that only let the voice activity detector settle."""

PIECE = 4 * WINDOW
"""Samples of it at a time: about a millisecond's work on a PC, ten on a small board."""

CUE_AFTER = 0.35
"""Seconds without speech after which the speaker is told that the microphone is open."""

PARTIAL_EVERY = 0.3
"""Seconds of speech between two partial hypotheses."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """What was said, and what the recogniser made of it."""

    decision: Decision = field(repr=False)
    seconds: float
    """Wall time from the end of speech to the text."""


class Listener:
    """Hears one utterance at a time.

    Args:
        ears: Where frames and the recent past come from.
        vad: Voice activity, for this listener alone.
        settings: When an utterance begins and ends.
        recogniser: Turns it into text.
        echo: Recognises the agent's own voice.
        worker: Where recognition runs, off the audio path.
        workload: Counts recognition as outstanding work.
        bus: Where progress is announced.
        word: The wake word: said again before a command, it is not part of it.
    """

    def __init__(self, ears: Ears, vad: VoiceActivity, settings: EndpointSettings,
                 recogniser: Recogniser, echo: EchoGuard, worker: Worker, workload: Workload,
                 bus: EventBus, word: str) -> None:
        self._ears, self._vad, self._settings = ears, vad, settings
        self._word = word
        self._recogniser, self._echo = recogniser, echo
        self._worker, self._workload, self._bus = worker, workload, bus

    async def listen(self, opened: float, *, after_wake: bool, timeout: float | None,
                     prepare: Prepare,
                     cue: Callable[[], None]) -> Utterance | Detection | None:
        """The next utterance; a detection when the wake word interrupts; None when nobody speaks.

        Args:
            opened: Clock from which audio counts, seconds; may be in the recent past.
            after_wake: The wake word ended at ``opened``.
            timeout: Seconds without speech after which listening ends; None: as in the settings.
            prepare: What the recogniser was made ready for.
            cue: Tells the speaker that the microphone is open; called once, and not at all when
                speech begins at once, which a sound would only disturb.
        """
        closes = opened + (self._settings.timeout if timeout is None else timeout)
        while True:
            left = max(0.0, closes - opened)
            heard = await self._one(opened, after_wake, left, prepare, cue)
            if isinstance(heard, Utterance) and not heard.decision.text:
                heard = _NoWords()
            if not isinstance(heard, _NoWords):
                return heard
            opened, cue = self._ears.now, _silently
            self._publish(StateChanged(opened, AgentState.LISTENING if after_wake
                                       else AgentState.FOLLOW_UP))

    async def _one(self, opened: float, after_wake: bool, timeout: float,
                   prepare: Prepare,
                   cue: Callable[[], None]) -> Utterance | Detection | _NoWords | None:
        recent = self._ears.recent
        endpointer = Endpointer(self._vad, self._settings, at=max(opened, recent.start),
                                after_wake=after_wake, timeout=timeout)
        await _settle(endpointer, recent.between(max(opened - LEAD, recent.start), opened))
        hearing = _Hearing(self._recogniser, prepare, self._worker, self._workload, self._bus)
        try:
            outcomes = endpointer.accept(recent.since(opened))
            while True:
                ended = await hearing.follow(outcomes)
                if isinstance(ended, Ended):
                    return await self._recognise(ended, hearing, after_wake)
                if ended is not None:
                    return None
                if not hearing.begun and recent.end - opened >= CUE_AFTER:
                    cue()
                    cue = _silently
                before = recent.end
                try:
                    detection = await self._ears.listen()
                except EndOfAudioError:
                    outcomes = endpointer.finish()
                    continue
                if detection is not None:
                    return detection
                outcomes = endpointer.accept(recent.since(before))
        finally:
            hearing.close()

    async def _recognise(self, ended: Ended, hearing: _Hearing,
                         after_wake: bool) -> Utterance | _NoWords | None:
        self._publish(SpeechEnded(ended.at, len(ended.samples) / 16_000))
        self._publish(StateChanged(ended.at, AgentState.THINKING))
        begun = time.perf_counter()
        if not after_wake:
            with self._workload.working():
                check = await self._worker.run(self._echo.check, ended)
            if check.own_echo:
                self._publish(EchoIgnored(self._ears.now, check.explained))
                return _NoWords()
            if len(check.samples) < len(ended.samples):
                await hearing.hear_again(check.samples)
        decision = _without(self._word, await hearing.decide())
        seconds = time.perf_counter() - begun
        self._publish(Recognised(self._ears.now, decision.text, self._recogniser.name,
                                 decision.source, decision.margin, seconds))
        return Utterance(decision, seconds)

    def _publish(self, event: Event) -> None:
        self._bus.publish(event)


async def _settle(endpointer: Endpointer, lead: Samples) -> None:
    """Let the voice activity detector hear what came before; lights and button go on meanwhile."""
    for place in range(len(lead) % WINDOW, len(lead), PIECE):
        endpointer.settle(lead[place:place + PIECE])
        await asyncio.sleep(0)


def _silently() -> None:
    return


class _NoWords:
    """Sound that was no speech to the agent: listening goes on."""


def _without(word: str, decision: Decision) -> Decision:
    """The decision without a wake word at its beginning."""
    count = len(word.split())
    said = decision.text.split()
    if count and len(said) >= count and similar(" ".join(said[:count]), word, SAME_WORD):
        return replace(decision, text=" ".join(said[count:]))
    return decision


class _Hearing:
    """The recogniser's side of one utterance."""

    def __init__(self, recogniser: Recogniser, prepare: Prepare, worker: Worker,
                 workload: Workload, bus: EventBus) -> None:
        self._recogniser, self._prepare = recogniser, prepare
        self._prepared: Prepared | None = None
        self._worker, self._workload, self._bus = worker, workload, bus
        self._recognition: Recognition | None = None
        self._partial, self._partial_at = "", 0.0

    @property
    def begun(self) -> bool:
        """Whether speech has begun."""
        return self._recognition is not None

    async def follow(self, outcomes: Sequence[AnyOutcome]) -> Ended | TimedOut | None:
        """Pass audio on; the outcome that ended the utterance, if one did."""
        for outcome in outcomes:
            match outcome:
                case Started():
                    self._bus.publish(SpeechStarted(outcome.speech_start))
                    self._prepared = self._prepare()
                    self._recognition = self._recogniser.start(self._prepared)
                    await self._run(self._recognition.accept, outcome.samples)
                case HeardMore():
                    assert self._recognition is not None
                    await self._run(self._recognition.accept, outcome.samples)
                    await self._show_partial(outcome.at)
                case Paused():
                    assert self._recognition is not None
                    self._recognition.anticipate()
                case Ended() | TimedOut():
                    return outcome
        return None

    async def hear_again(self, samples: Samples) -> None:
        """Begin anew with only these samples."""
        self.close()
        self._recognition = self._recogniser.start(self._prepared)
        await self._run(self._recognition.accept, samples)

    async def decide(self) -> Decision:
        """The text of the utterance."""
        recognition = self._recognition
        assert recognition is not None

        def finish() -> Decision:
            recognition.finish()
            return recognition.decide()

        return await self._run(finish)

    def close(self) -> None:
        """Give up a recognition that was not finished."""
        if self._recognition is not None:
            self._recognition.close()

    async def _show_partial(self, at: float) -> None:
        assert self._recognition is not None
        if at - self._partial_at < PARTIAL_EVERY:
            return
        self._partial_at = at
        text = await self._run(self._recognition.partial)
        if text and text != self._partial:
            self._partial = text
            self._bus.publish(PartialHeard(at, text))

    async def _run(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        with self._workload.working():
            return await self._worker.run(call, *args, **kwargs)

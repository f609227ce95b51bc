"""Speaking a reply, and stopping it at once when the wake word or the button interrupts."""

from __future__ import annotations

import asyncio
import contextlib
import time

from agent.audio import Speaker
from agent.conversation.ears import Ears
from agent.errors import AgentError
from agent.events import Event, EventBus, Fault, ReplyEnded, ReplyStarted, Samples
from agent.tts import Synthesiser
from agent.wake import Detection
from agent.worker import Workload

BEHIND = 1.0
"""Seconds by which the microphone's audio is believed to be behind the loudspeaker at most."""


class Voice:
    """Says texts through a synthesiser and a loudspeaker, listening meanwhile.

    Args:
        synthesiser: Makes the audio.
        speaker: Plays it.
        ears: Listened to while speaking, so that the wake word stops the reply.
        bus: Where replies are announced.
        workload: Counts synthesis as outstanding work.
        guard: Seconds of quiet kept after the last sound before a reply counts as over.
    """

    def __init__(self, synthesiser: Synthesiser, speaker: Speaker, ears: Ears, bus: EventBus,
                 workload: Workload, guard: float) -> None:
        self._synthesiser, self._speaker, self._ears = synthesiser, speaker, ears
        self._bus, self._workload, self._guard = bus, workload, guard

    async def say(self, text: str) -> Detection | None:
        """Speak ``text`` to its end; the detection that interrupted it, if one did.

        A synthesiser that fails is reported as a ``Fault``; the turn goes on without sound.
        """
        making = asyncio.create_task(self._make(text, time.perf_counter()))
        try:
            detection = await self._play(making)
        finally:
            making.cancel()
            await asyncio.wait([making])  # unlike awaiting it, does not swallow a cancellation
        self._publish(ReplyEnded(self._ears.now, detection is None))
        return detection

    def sound(self, samples: Samples) -> None:
        """Play a short sound, without waiting for it."""
        self._speaker.play(samples)

    def hush(self) -> None:
        """Stop whatever is being played."""
        self._speaker.stop()

    async def quiet(self) -> Detection | None:
        """Wait until the loudspeaker has been silent for the guard time.

        By the clock of what was heard, which is behind that of the loudspeaker: what the
        microphone's driver still holds may be the end of the reply.
        """
        while self._speaker.pending > 0:
            if detection := await self._ears.listen():
                return detection
        over = self._guard + min(max(self._ears.now, self._speaker.played.last),
                                 self._ears.now + BEHIND)
        while self._ears.now < over:
            if detection := await self._ears.listen():
                return detection
        return None

    async def _play(self, making: asyncio.Task[None]) -> Detection | None:
        while not (making.done() and self._speaker.pending <= 0):
            if detection := await self._ears.listen():
                self._speaker.stop()
                return detection
        return None

    async def _make(self, text: str, asked: float) -> None:
        first = True
        try:
            with self._workload.working():
                async with contextlib.aclosing(self._synthesiser.speak(text)) as speech:
                    async for samples in speech:
                        self._speaker.play(samples)
                        if first:
                            first = False
                            waited = time.perf_counter() - asked
                            self._publish(ReplyStarted(self._ears.now, waited))
        except Exception as error:  # the kind alone: a message may hold the text
            what = error.what if isinstance(error, AgentError) else type(error).__name__
            self._publish(Fault(self._ears.now, "speech out", what))

    def _publish(self, event: Event) -> None:
        self._bus.publish(event)

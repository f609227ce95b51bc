"""The microphone as the conversation uses it: the recent past, and the wake word."""

from __future__ import annotations

from agent.audio import Microphone
from agent.audio.ring import Ring
from agent.errors import AgentError
from agent.events import AudioOverrun, EventBus, Fault, Samples
from agent.wake import Detection, WakeWord

KEPT = 12.0
"""Seconds of recent audio kept: what was said while the wake word was being confirmed, and the
microphone's side of an echo check."""

FAULT_EVERY = 60.0
"""Seconds between two reports of a wake word engine that fails at every frame."""


class EndOfAudioError(Exception):
    """The microphone has no more audio: a file or a scene is over."""


class MicrophoneLostError(AgentError):
    """The microphone went away; told apart from whatever else fails in a turn."""


class Ears:
    """Reads frames, keeps the last seconds, and notices the wake word.

    Args:
        microphone: Where frames come from.
        wake: Listens for the wake word in every frame, whatever the agent is doing.
        bus: Overruns and faults go to it.
    """

    def __init__(self, microphone: Microphone, wake: WakeWord, bus: EventBus) -> None:
        self._microphone, self._wake, self._bus = microphone, wake, bus
        self.recent = Ring(KEPT)
        self._base = 0.0
        self._overruns = 0
        self._failed = float("-inf")

    @property
    def now(self) -> float:
        """Seconds on the microphone's clock."""
        return self._microphone.now

    async def listen(self) -> Detection | None:
        """Take the next frame; the detection that it completes, if any, on the agent's clock.

        Raises:
            EndOfAudioError: There is no more audio.
            MicrophoneLostError: The microphone went away.
        """
        frame = await self._next()
        begin = self._microphone.now - len(frame) / 16_000
        if begin - self.recent.end > 0.001:
            self.recent.skip_to(begin)
        self.recent.add(frame)
        self._report_overruns()
        detection = self._noticed(frame)
        if detection is None:
            return None
        return Detection(detection.word, detection.engine, detection.score,
                         min(self.now, self._base + detection.at))

    def forget(self) -> None:
        """Wipe everything heard: after muting, or when the device was opened again."""
        self.recent.wipe()
        self._wake.reset()
        self._base = self._microphone.now

    async def _next(self) -> Samples:
        try:
            frame = await self._microphone.read()
        except AgentError as error:
            raise MicrophoneLostError(error.what, error.mend) from error
        if frame is None:
            raise EndOfAudioError
        return frame

    def _noticed(self, frame: Samples) -> Detection | None:
        """What the wake word engine makes of a frame; one that fails is begun anew."""
        try:
            return self._wake.accept(frame)
        except Exception as error:
            if self.now - self._failed >= FAULT_EVERY:
                self._failed = self.now
                self._bus.publish(Fault(self.now, "wake word", type(error).__name__))
            self._wake.reset()
            self._base = self.now
            return None

    def _report_overruns(self) -> None:
        total = self._microphone.overruns
        if total > self._overruns:
            self._bus.publish(AudioOverrun(self.now, total - self._overruns, total))
        self._overruns = total  # a device that was opened again counts anew

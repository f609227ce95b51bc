"""The microphone as the conversation uses it: the recent past, the wake word, the button."""

from __future__ import annotations

from agent.audio import Microphone
from agent.audio.ring import Ring
from agent.events import AudioOverrun, ButtonKind, ButtonPressed, Event, EventBus
from agent.wake import Detection, WakeWord

KEPT = 12.0
"""Seconds of recent audio kept: what was said while the wake word was being confirmed, and the
microphone's side of an echo check."""


class EndOfAudioError(Exception):
    """The microphone has no more audio: a file or a scene is over."""


class Ears:
    """Reads frames, keeps the last seconds, and notices the wake word and the button.

    Args:
        microphone: Where frames come from.
        wake: Listens for the wake word in every frame, whatever the agent is doing.
        bus: Button presses are taken from it, overruns go to it.
    """

    def __init__(self, microphone: Microphone, wake: WakeWord, bus: EventBus) -> None:
        self._microphone, self._wake, self._bus = microphone, wake, bus
        self.recent = Ring(KEPT)
        self._base = 0.0
        self._pressed = False
        self._overruns = 0
        bus.subscribe(self._on_event)

    @property
    def now(self) -> float:
        """Seconds on the microphone's clock."""
        return self._microphone.now

    async def listen(self) -> Detection | None:
        """Take the next frame; the detection that it completes, if any, on the agent's clock.

        Raises:
            EndOfAudioError: There is no more audio.
            AgentError: The microphone went away.
        """
        frame = await self._microphone.read()
        if frame is None:
            raise EndOfAudioError
        begin = self._microphone.now - len(frame) / 16_000
        if begin - self.recent.end > 0.001:
            self.recent.skip_to(begin)
        self.recent.add(frame)
        self._report_overruns()
        detection = self._wake.accept(frame)
        if self._pressed:
            self._pressed = False
            return Detection("", "button", 1.0, self.now)
        if detection is None:
            return None
        return Detection(detection.word, detection.engine, detection.score,
                         min(self.now, self._base + detection.at))

    def forget(self) -> None:
        """Wipe everything heard: after muting, or when the device was opened again."""
        self.recent.wipe()
        self._wake.reset()
        self._base = self._microphone.now
        self._pressed = False

    def _report_overruns(self) -> None:
        total = self._microphone.overruns
        if total > self._overruns:
            self._bus.publish(AudioOverrun(self.now, total - self._overruns, total))
            self._overruns = total

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ButtonPressed) and event.kind is ButtonKind.PRESS:
            self._pressed = True

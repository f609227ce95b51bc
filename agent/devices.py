"""Opening what the agent listens to and speaks through."""

from __future__ import annotations

import asyncio
import sys
import time

import numpy as np

from agent.app import Devices
from agent.audio import FRAME, Microphone
from agent.audio.microphone import DeviceMicrophone
from agent.audio.playback import DeviceSpeaker
from agent.audio.stream import StreamMicrophone
from agent.config import Config
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, AgentState, Event, EventBus, Samples, StateChanged

BURST = 0.1
"""Seconds by which frames may come at once, as from a sound card behind a pipe."""


def open_devices(config: Config) -> Devices:
    """The machine's microphone and loudspeaker, as the settings name them.

    Raises:
        AgentError: One is missing or cannot be opened.
    """
    from agent.audio.portaudio import reload

    microphone = DeviceMicrophone(config.audio)
    clock = _Clock(microphone)
    try:
        speaker = DeviceSpeaker(config.audio, clock.at)
    except AgentError:
        microphone.release()
        raise

    def reopen(now: float) -> Microphone:
        speaker.release()  # devices are looked for anew only while none is open
        reload()
        clock.microphone = DeviceMicrophone(config.audio, start=now)
        return clock.microphone

    async def close() -> None:
        await speaker.close()
        await clock.microphone.close()

    return Devices(microphone, speaker, reopen, close, lambda: speaker.fault)


def open_stdin(config: Config, rate: int, channels: int, bus: EventBus) -> Devices:
    """Raw PCM on standard input in place of the microphone; the loudspeaker is the machine's.

    When it ends, the dialogue that is open is brought to its end in silence.

    Raises:
        AgentError: The format is not believable, or there is no loudspeaker.
    """
    microphone = PacedMicrophone(StreamMicrophone(sys.stdin.fileno(), rate=rate,
                                                  channels=channels, queue=config.audio.queue),
                                 bus)
    speaker = DeviceSpeaker(config.audio, microphone.clock_at)

    async def close() -> None:
        await speaker.close()
        await microphone.close()

    return Devices(microphone, speaker, close=close, trouble=lambda: speaker.fault)


class PacedMicrophone:
    """Another microphone's frames, no faster than they sound.

    A recording on standard input could be read at once, and its answer would be over before the
    loudspeaker had asked the question. A sound card behind a pipe is not held up: its clock may
    be faster than this machine's, by no more than ``SLACK``. After the end comes silence until
    the agent is idle, so that a last command is understood and carried out.

    Args:
        inner: Where frames come from.
        bus: Tells when the agent is idle.
    """

    SLACK = 0.01

    def __init__(self, inner: Microphone, bus: EventBus) -> None:
        self._inner = inner
        self._due = float("-inf")
        self._idle = True
        self._silence = 0
        bus.subscribe(self._on_event)

    @property
    def now(self) -> float:
        """Seconds of audio read so far, with the silence after its end."""
        return self._inner.now + self._silence * FRAME / SAMPLE_RATE

    @property
    def overruns(self) -> int:
        """Frames that the microphone behind has lost."""
        return self._inner.overruns

    async def read(self) -> Samples | None:
        """The next frame, when it is due; None at the end of the audio.

        Raises:
            AgentError: The stream cannot be read.
        """
        frame = await self._inner.read()
        if frame is None and not self._idle:
            self._silence += 1
            frame = np.zeros(FRAME, np.int16)
        if frame is not None:
            early = self._due - time.monotonic()
            await asyncio.sleep(max(0.0, early))
            seconds = len(frame) / SAMPLE_RATE * (1 - self.SLACK)
            self._due = max(self._due + seconds, time.monotonic() + seconds - BURST)
        return frame

    def clock_at(self, host: float) -> float:
        """What ``now`` is, or will be, at ``host`` on ``time.monotonic``."""
        return self.now + max(0.0, host - time.monotonic())

    def clear(self) -> None:
        """Forget frames not yet read."""
        self._inner.clear()

    async def close(self) -> None:
        """Stop reading."""
        await self._inner.close()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self._idle = event.state is AgentState.IDLE


class _Clock:
    """The clock of whichever microphone is open."""

    def __init__(self, microphone: DeviceMicrophone) -> None:
        self.microphone = microphone

    def at(self, host: float) -> float:
        """The microphone's clock at a moment of ``time.monotonic``."""
        return self.microphone.clock_at(host)

"""Opening what the agent listens to and speaks through."""

from __future__ import annotations

import sys

from agent.app import Devices
from agent.audio import Microphone
from agent.audio.microphone import DeviceMicrophone
from agent.audio.playback import DeviceSpeaker
from agent.audio.stream import StreamMicrophone
from agent.config import Config


def open_devices(config: Config) -> Devices:
    """The machine's microphone and loudspeaker, as the settings name them.

    Raises:
        AgentError: One is missing or cannot be opened.
    """
    from agent.audio.portaudio import reload

    microphone = DeviceMicrophone(config.audio)
    clock = _Clock(microphone)
    speaker = DeviceSpeaker(config.audio, clock.at)

    def reopen(now: float) -> Microphone:
        reload()
        clock.microphone = DeviceMicrophone(config.audio, start=now)
        return clock.microphone

    async def close() -> None:
        await speaker.close()
        await clock.microphone.close()

    return Devices(microphone, speaker, reopen, close)


def open_stdin(config: Config, rate: int, channels: int) -> Devices:
    """Raw PCM on standard input in place of the microphone; the loudspeaker is the machine's.

    Raises:
        AgentError: The format is not believable, or there is no loudspeaker.
    """
    microphone = StreamMicrophone(sys.stdin.fileno(), rate=rate, channels=channels,
                                  queue=config.audio.queue)
    speaker = DeviceSpeaker(config.audio)

    async def close() -> None:
        await speaker.close()
        await microphone.close()

    return Devices(microphone, speaker, close=close)


class _Clock:
    """The clock of whichever microphone is open."""

    def __init__(self, microphone: DeviceMicrophone) -> None:
        self.microphone = microphone

    def at(self, host: float) -> float:
        """The microphone's clock at a moment of ``time.monotonic``."""
        return self.microphone.clock_at(host)

"""Audio in and out: microphone, files and streams, playback, endpointing.

Everything inside the agent is ``int16[samples]``, 16 kHz, mono. Time is the microphone's own
sample clock, so that a recorded conversation can run faster than real time and still time out,
wait and overlap exactly as it would on the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from agent.events import Samples

if TYPE_CHECKING:
    from agent.audio.reference import PlayedReference

FRAME = 320
"""Samples a frame: 20 ms, a multiple of microWakeWord's 10 ms step."""


class Microphone(Protocol):
    """Where audio comes from: a device, a file, a stream, or an emulated room."""

    @property
    def now(self) -> float:
        """Seconds of audio read so far: the agent's clock."""
        ...

    @property
    def overruns(self) -> int:
        """Frames lost since the start because nobody read them in time."""
        ...

    async def read(self) -> Samples | None:
        """The next frame, ``int16[FRAME]``; waits for it. None at the end of the audio.

        Raises:
            AgentError: The device went away.
        """
        ...

    def clear(self) -> None:
        """Forget frames captured but not yet read (after unmuting)."""
        ...

    async def close(self) -> None:
        """Give the device back."""
        ...


class Speaker(Protocol):
    """Where audio goes: a device, a file, or an emulated room."""

    @property
    def played(self) -> PlayedReference:
        """What has sounded lately, on the microphone's clock."""
        ...

    def play(self, samples: Samples) -> None:
        """Queue audio, ``int16[samples]`` at 16 kHz; returns at once."""
        ...

    @property
    def pending(self) -> float:
        """Seconds until the last queued sample has left the loudspeaker, device delay included."""
        ...

    def stop(self) -> float:
        """Drop what is queued; silence within 100 ms. Returns the seconds dropped."""
        ...

    async def close(self) -> None:
        """Give the device back."""
        ...

"""An emulated room: microphone and loudspeaker on one sample clock.

What the agent plays reaches its own microphone, as it would on a table. In real time frames
come as a device hands them over; in fast mode as fast as they are read, and the clock stands
still while the agent works, so that the same conversation results on any machine.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from agent.audio import FRAME
from agent.audio.playqueue import PlayQueue
from agent.audio.reference import PlayedReference
from agent.emulate.acoustics import EchoPath, Leak
from agent.events import SAMPLE_RATE, Samples
from agent.worker import Workload


class Room:
    """A room in which clips are played to the agent.

    Args:
        noise: Background sound, ``int16[samples]``, repeated as long as the scene lasts.
        leak: How the agent hears itself; None when it does not (headphones).
        workload: What fast mode waits for; None runs in real time.
        output_delay: Seconds that the emulated loudspeaker takes before a sample sounds.
        block: Seconds of audio that come at a time in real time, as from a device.
        keep: Keep everything heard and played, for a report.
    """

    def __init__(self, *, noise: Samples | None = None, leak: Leak | None = None,
                 workload: Workload | None = None, output_delay: float = 0.04,
                 block: float = FRAME / SAMPLE_RATE, keep: bool = False) -> None:
        self._noise = noise if noise is not None and len(noise) else np.zeros(FRAME, np.int16)
        self._echo = _echo_path(leak, output_delay)
        self._workload = workload
        self._burst = max(1, round(block * SAMPLE_RATE / FRAME))
        self.direct: Callable[[], None] = _nothing
        """Called before every frame: whoever directs the scene."""
        self._clips: deque[Samples] = deque()
        self._frames = 0
        self._started: float | None = None
        self._ended = False
        self.speaker = RoomSpeaker(output_delay)
        self._keep = keep
        self._heard: list[Samples] = []
        self._played: list[Samples] = []

    @property
    def now(self) -> float:
        """Seconds of audio read so far."""
        return self._frames * FRAME / SAMPLE_RATE

    @property
    def overruns(self) -> int:
        """Always 0: the room waits."""
        return 0

    @property
    def talking(self) -> bool:
        """Whether a clip is still being said."""
        return bool(self._clips)

    def say(self, clip: Samples) -> None:
        """Begin to say a clip with the next frame, after what is being said now."""
        if len(clip):
            self._clips.append(clip)

    def end(self) -> None:
        """The scene is over: ``read`` returns None from now on."""
        self._ended = True

    async def read(self) -> Samples | None:
        """The next frame, ``int16[FRAME]``; None when the scene is over."""
        await self._pace()
        self.direct()
        if self._ended:
            return None
        played = self.speaker.next_frame(self.now)
        mixed = self._background() + self._speech()
        if self._echo is not None:
            mixed += self._echo.next(played)
        frame: Samples = np.clip(np.rint(mixed), -32768, 32767).astype(np.int16)
        self._frames += 1
        if self._keep:
            self._heard.append(frame)
            self._played.append(played)
        return frame

    def clear(self) -> None:
        """Nothing is captured ahead of being read."""

    async def close(self) -> None:
        """End the scene."""
        self.end()

    def recording(self) -> tuple[Samples, Samples]:
        """What the microphone heard and what the loudspeaker played, where that was kept."""
        silence: Samples = np.zeros(0, np.int16)
        return (np.concatenate([silence, *self._heard]), np.concatenate([silence, *self._played]))

    async def _pace(self) -> None:
        if self._workload is not None:
            await asyncio.sleep(0)
            await self._workload.idle()
            return
        clock = asyncio.get_running_loop().time
        if self._started is None:
            self._started = clock()
        if self._frames % self._burst:
            return
        due = self._started + (self._frames + self._burst) * FRAME / SAMPLE_RATE
        await asyncio.sleep(max(0.0, due - clock()))

    def _background(self) -> npt.NDArray[np.float32]:
        places = np.arange(self._frames * FRAME, (self._frames + 1) * FRAME) % len(self._noise)
        return self._noise[places].astype(np.float32)

    def _speech(self) -> npt.NDArray[np.float32]:
        out = np.zeros(FRAME, np.float32)
        filled = 0
        while self._clips and filled < FRAME:
            clip = self._clips.popleft()
            part = clip[: FRAME - filled]
            out[filled : filled + len(part)] = part
            filled += len(part)
            if len(part) < len(clip):
                self._clips.appendleft(clip[len(part):])
        return out


def _echo_path(leak: Leak | None, output_delay: float) -> EchoPath | None:
    if leak is None:
        return None
    return EchoPath(replace(leak, delay=leak.delay + output_delay))


def _nothing() -> None:
    return


class RoomSpeaker:
    """The room's loudspeaker: takes its time as a real one does.

    Args:
        delay: Seconds between a sample's turn and its sound.
    """

    def __init__(self, delay: float = 0.04) -> None:
        self._delay = round(delay * SAMPLE_RATE)
        self._queue = PlayQueue()
        self._in_device = 0
        self._played = PlayedReference()

    @property
    def played(self) -> PlayedReference:
        """What has sounded lately."""
        return self._played

    @property
    def pending(self) -> float:
        """Seconds until the last queued sample has sounded."""
        queued = len(self._queue)
        return (queued + (self._delay if queued else self._in_device)) / SAMPLE_RATE

    def play(self, samples: Samples) -> None:
        """Queue ``int16[samples]`` at 16 kHz."""
        self._queue.add(samples)

    def stop(self) -> float:
        """Drop what is queued; returns the seconds dropped."""
        return self._queue.drop() / SAMPLE_RATE

    async def close(self) -> None:
        """Drop what is queued."""
        self._queue.drop(fade=False)

    def next_frame(self, now: float) -> Samples:
        """What leaves the queue in the frame that begins at ``now``, ``int16[FRAME]``."""
        frame, filled = self._queue.take(FRAME)
        if filled:
            self._in_device = self._delay
            self._played.record(frame[:filled], now + self._delay / SAMPLE_RATE)
        else:
            self._in_device = max(0, self._in_device - FRAME)
        return frame

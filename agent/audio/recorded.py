"""A microphone that plays files."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from agent.audio import FRAME
from agent.audio.files import blocks
from agent.audio.framing import Framer
from agent.events import SAMPLE_RATE, Samples


class FileMicrophone:
    """Reads audio files one after another, as fast as it is asked or in real time.

    Args:
        paths: The files; any rate, channel count and format that ``files.blocks`` reads.
        pad: Seconds of digital silence before and after each file.
        real_time: Let a frame out only when as much time has passed since the first read.

    Raises:
        AgentError: From ``read``, when a file cannot be read.
    """

    def __init__(self, paths: Sequence[Path], *, pad: float = 0.0,
                 real_time: bool = False) -> None:
        self._source = self._audio(paths, round(pad * SAMPLE_RATE))
        self._framer = Framer()
        self._real_time = real_time
        self._frames = 0
        self._started: float | None = None

    @staticmethod
    def _audio(paths: Sequence[Path], pad: int) -> Iterator[Samples]:
        silence = np.zeros(pad, np.int16)
        for path in paths:
            yield silence
            yield from blocks(path)
            yield silence

    @property
    def now(self) -> float:
        """Seconds of audio read so far."""
        return self._frames * FRAME / SAMPLE_RATE

    @property
    def overruns(self) -> int:
        """Always 0: a file waits."""
        return 0

    async def read(self) -> Samples | None:
        """The next frame; the last one is filled up with silence; None at the end.

        Raises:
            AgentError: A file cannot be read, or is damaged or cut off.
        """
        frame = self._next()
        if frame is None:
            return None
        self._frames += 1
        await self._wait()
        return frame

    def clear(self) -> None:
        """In real time, skip what would have been captured by now; else nothing is waiting."""
        if self._started is None:
            return
        due = int((self._clock() - self._started) * SAMPLE_RATE / FRAME)
        while self._frames < due and self._next() is not None:
            self._frames += 1

    async def close(self) -> None:
        """Close the file."""
        self._source = iter(())
        self._framer.clear()

    def _next(self) -> Samples | None:
        while (frame := self._framer.frame()) is None:
            samples = next(self._source, None)
            if samples is None:
                return self._framer.rest()
            self._framer.add(samples)
        return frame

    @staticmethod
    def _clock() -> float:
        return asyncio.get_running_loop().time()

    async def _wait(self) -> None:
        if not self._real_time:
            await asyncio.sleep(0)
            return
        if self._started is None:
            self._started = self._clock() - FRAME / SAMPLE_RATE * (self._frames - 1)
        await asyncio.sleep(max(0.0, self._started + self.now - self._clock()))

"""From queued speech to what a sound device wants, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np

from agent.audio.conversion import QUALITY, to_float, to_int16
from agent.audio.playqueue import PlayQueue
from agent.audio.portaudio import Format
from agent.audio.reference import PlayedReference
from agent.events import SAMPLE_RATE, Samples

_STEP = SAMPLE_RATE // 100
"""Samples, 10 ms, taken from the queue at a time when resampling."""


class Renderer:
    """Takes from a queue, resamples, spreads over channels, and notes what was played when.

    Args:
        queue: What is waiting.
        form: Rate and channels of the device.
        played: Where to note it.
    """

    def __init__(self, queue: PlayQueue, form: Format, played: PlayedReference) -> None:
        self._queue, self._form, self._played = queue, form, played
        self._resampler: Any = None
        if form.rate != SAMPLE_RATE:
            import soxr

            self._resampler = soxr.ResampleStream(SAMPLE_RATE, form.rate, 1, "float32", QUALITY)
        self._ready: Samples = np.zeros(0, np.int16)
        self._taken = 0
        self._given = 0
        self.last_sound = 0
        """Sample frames, from the start of the stream, at the end of the last queued sound."""

    @property
    def rate(self) -> int:
        """Sample frames a second of the device."""
        return self._form.rate

    @property
    def given(self) -> int:
        """Sample frames rendered since the start of the stream."""
        return self._given

    def render(self, frames: int, at: float) -> bytes:
        """The next ``frames`` for the device, the first of which will sound at ``at``.

        Args:
            frames: Sample frames of the device.
            at: Seconds on the microphone's clock.
        """
        block = (self._direct(frames, at) if self._resampler is None
                 else self._resampled(frames, at))
        self._given += frames
        if self._form.channels > 1:
            block = np.repeat(block, self._form.channels)
        return block.tobytes()

    def _direct(self, frames: int, at: float) -> Samples:
        block, filled = self._queue.take(frames)
        self._played.record(block, at)
        if filled:
            self.last_sound = self._given + filled
        return block

    def _resampled(self, frames: int, at: float) -> Samples:
        ratio = self._form.rate / SAMPLE_RATE
        while len(self._ready) < frames:
            block, filled = self._queue.take(_STEP)
            self._played.record(block, at + self._taken / SAMPLE_RATE
                                - self._given / self._form.rate)
            if filled:
                self.last_sound = round((self._taken + filled) * ratio)
            self._taken += _STEP
            ready = to_int16(self._resampler.resample_chunk(to_float(block)))
            self._ready = np.concatenate([self._ready, ready])
        block, self._ready = self._ready[:frames], self._ready[frames:]
        return block

"""The most recent audio, by its place on the microphone's clock."""

from __future__ import annotations

import numpy as np

from agent.events import SAMPLE_RATE, Samples


class Ring:
    """Keeps the last ``seconds`` of a stream of samples.

    Positions are seconds on the clock of the stream; the first sample is at ``start``. One
    thread adds; another may read what is not just about to be overwritten.

    Args:
        seconds: How much is kept.
        start: Clock at the first sample that will be added.
    """

    def __init__(self, seconds: float, start: float = 0.0) -> None:
        self._buffer: Samples = np.zeros(max(1, round(seconds * SAMPLE_RATE)), np.int16)
        self._end = round(start * SAMPLE_RATE)
        self._held = 0

    def __len__(self) -> int:
        return self._held

    @property
    def start(self) -> float:
        """Clock at the oldest sample held, seconds."""
        return (self._end - self._held) / SAMPLE_RATE

    @property
    def end(self) -> float:
        """Clock just after the newest sample, seconds."""
        return self._end / SAMPLE_RATE

    def add(self, samples: Samples) -> None:
        """Take the next samples of the stream."""
        size = len(self._buffer)
        self._end += len(samples)
        self._held = min(size, self._held + len(samples))
        samples = samples[-size:]
        first = (self._end - len(samples)) % size
        split = min(len(samples), size - first)
        self._buffer[first:first + split] = samples[:split]
        self._buffer[:len(samples) - split] = samples[split:]

    def skip_to(self, clock: float) -> None:
        """The stream goes on at ``clock``; what was lost in between is silence."""
        gap = round(clock * SAMPLE_RATE) - self._end
        if gap < 0 or gap >= len(self._buffer):
            self.wipe()
            self._end += gap
        else:
            self.add(np.zeros(gap, np.int16))

    def truncate(self, clock: float) -> None:
        """Forget everything from ``clock`` on; the stream goes on there."""
        extra = self._end - round(clock * SAMPLE_RATE)
        if extra > 0:
            self._held = max(0, self._held - extra)
            self._end -= extra

    def between(self, start: float, end: float) -> Samples:
        """Samples from ``start`` to ``end``; what is not held is silence."""
        first, last = round(start * SAMPLE_RATE), round(end * SAMPLE_RATE)
        out: Samples = np.zeros(max(0, last - first), np.int16)
        low, high = max(first, self._end - self._held), min(last, self._end)
        if high > low:
            places = np.arange(low, high) % len(self._buffer)
            out[low - first:high - first] = self._buffer[places]
        return out

    def since(self, start: float) -> Samples:
        """Samples held from ``start`` on; fewer where the ring does not go back so far."""
        return self.between(max(start, self.start), max(start, self.end))

    def wipe(self) -> None:
        """Overwrite everything held."""
        self._buffer[:] = 0
        self._held = 0

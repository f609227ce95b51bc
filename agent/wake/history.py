"""The last seconds of a stream of samples, addressed by position in the stream."""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.events import Samples


class History:
    """Keeps at least the last ``capacity`` samples.

    Args:
        capacity: Samples to keep.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: deque[Samples] = deque()
        self._start = 0
        self._end = 0

    @property
    def end(self) -> int:
        """Samples taken since the start."""
        return self._end

    def append(self, samples: Samples) -> None:
        """Take the next samples of the stream."""
        if not len(samples):
            return
        self._pieces.append(samples.copy())
        self._end += len(samples)
        while self._start + len(self._pieces[0]) <= self._end - self._capacity:
            self._start += len(self._pieces.popleft())

    def slice(self, start: int, end: int) -> Samples:
        """Samples from position ``start`` to ``end``; what is no longer or not yet there is cut."""
        start, end = max(start, self._start), min(end, self._end)
        if start >= end:
            return np.zeros(0, np.int16)
        whole = np.concatenate(self._pieces)
        return whole[start - self._start:end - self._start]

    def clear(self) -> None:
        """Forget all; positions start at 0 again."""
        self._pieces.clear()
        self._start = self._end = 0

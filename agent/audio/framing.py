"""Blocks of any length into frames of ``FRAME`` samples."""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.audio import FRAME
from agent.events import Samples


class Framer:
    """Cuts a stream of samples into whole frames."""

    def __init__(self) -> None:
        self._pieces: deque[Samples] = deque()
        self._held = 0

    def __len__(self) -> int:
        return self._held

    def add(self, samples: Samples) -> None:
        """Take the next samples of the stream."""
        if len(samples):
            self._pieces.append(samples)
            self._held += len(samples)

    def frame(self) -> Samples | None:
        """The next whole frame, ``int16[FRAME]``; None until there is one."""
        return self._take(FRAME) if self._held >= FRAME else None

    def rest(self) -> Samples | None:
        """The last frame, filled up with silence; None when nothing is left."""
        if not self._held:
            return None
        return np.pad(self._take(self._held), (0, FRAME - self._held % FRAME))[:FRAME]

    def clear(self) -> int:
        """Forget what is held; returns how many samples that was."""
        held, self._held = self._held, 0
        self._pieces.clear()
        return held

    def _take(self, count: int) -> Samples:
        taken: list[Samples] = []
        wanted = count
        while wanted:
            piece = self._pieces.popleft()
            if len(piece) > wanted:
                self._pieces.appendleft(piece[wanted:])
                piece = piece[:wanted]
            taken.append(piece)
            wanted -= len(piece)
        self._held -= count
        return taken[0].copy() if len(taken) == 1 else np.concatenate(taken)

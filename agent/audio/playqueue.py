"""Audio waiting to be played, shared between the agent and the loudspeaker's thread."""

from __future__ import annotations

import threading
from collections import deque

import numpy as np

from agent.events import SAMPLE_RATE, Samples

FADE = 80
"""Samples (5 ms) over which a stopped reply fades, so that it does not click."""


class PlayQueue:
    """First in, first out; thread-safe; never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pieces: deque[Samples] = deque()
        self._held = 0

    def __len__(self) -> int:
        return self._held

    @property
    def seconds(self) -> float:
        """Length of what is waiting."""
        return self._held / SAMPLE_RATE

    def add(self, samples: Samples) -> None:
        """Queue ``int16[samples]`` at 16 kHz."""
        if len(samples):
            with self._lock:
                self._pieces.append(samples)
                self._held += len(samples)

    def take(self, count: int) -> tuple[Samples, int]:
        """``int16[count]``, filled up with silence, and how many samples of it were queued."""
        out: Samples = np.zeros(count, np.int16)
        with self._lock:
            filled = self._fill(out)
        return out, filled

    def drop(self, *, fade: bool = True) -> int:
        """Forget what is waiting, but for a short fade; returns the samples dropped."""
        with self._lock:
            tail: Samples = np.zeros(min(FADE, self._held) if fade else 0, np.int16)
            self._fill(tail)
            dropped = self._held
            self._pieces.clear()
            self._held = len(tail)
            if len(tail):
                slope = np.linspace(1.0, 0.0, len(tail))
                self._pieces.append((tail * slope).astype(np.int16))
            return dropped

    def _fill(self, out: Samples) -> int:
        filled = 0
        while self._pieces and filled < len(out):
            piece = self._pieces.popleft()
            part = piece[:len(out) - filled]
            out[filled:filled + len(part)] = part
            filled += len(part)
            if len(part) < len(piece):
                self._pieces.appendleft(piece[len(part):])
        self._held -= filled
        return filled

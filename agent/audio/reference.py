"""What the loudspeaker really played, and when, on the microphone's clock."""

from __future__ import annotations

import threading

import numpy as np

from agent.audio.ring import Ring
from agent.events import SAMPLE_RATE, Samples

KEPT = 30.0
"""Seconds kept: the end of a reply and a long answer to it."""

_JITTER = 0.02
"""Seconds by which a device's report of its own delay may waver without meaning a gap."""


class PlayedReference:
    """The last seconds of what went out, for telling the agent's own voice from an answer.

    Thread-safe: the loudspeaker's thread records, the agent reads.
    """

    def __init__(self, seconds: float = KEPT) -> None:
        self._ring = Ring(seconds)
        self._lock = threading.Lock()
        self._last = float("-inf")

    @property
    def last(self) -> float:
        """Clock at which the last sound (not silence) ended, seconds; -inf before the first."""
        return self._last

    def record(self, samples: Samples, at: float) -> None:
        """Note that ``int16[samples]`` at 16 kHz began to sound at ``at`` on the clock."""
        if not len(samples):
            return
        with self._lock:
            if at > self._ring.end + _JITTER:
                self._ring.skip_to(at)
            elif at < self._ring.end - _JITTER:
                self._ring.truncate(at)
            self._ring.add(samples)
            sounding = np.flatnonzero(samples)
            if len(sounding):
                silent = len(samples) - 1 - int(sounding[-1])
                self._last = self._ring.end - silent / SAMPLE_RATE

    def between(self, start: float, end: float) -> Samples:
        """What sounded from ``start`` to ``end`` on the clock, silence where nothing did."""
        with self._lock:
            return self._ring.between(start, end)

    def cut(self, at: float) -> None:
        """What was to sound from ``at`` on did not: the device was made to drop it."""
        with self._lock:
            self._ring.truncate(at)
            self._last = min(self._last, at)

    def wipe(self) -> None:
        """Forget everything."""
        with self._lock:
            self._ring.wipe()
            self._last = float("-inf")

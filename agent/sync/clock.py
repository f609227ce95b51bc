"""The time that a household's devices share: this device's wall clock, put right by the cloud's.

The store keeps a timeline of its own, which may be hours off where a board without a battery
clock booted without a network. What travels is in UTC: the store's times are shifted by the
distance between its timeline and UTC as it is believed now.

A signed request is only taken when the clocks differ by at most five minutes, so the ``Date`` of
an answer is believed that far and no further: no cloud can talk a device into keeping a text
for longer than that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

TRUSTED_MS = 300_000
"""How far the cloud's clock may put ours right."""
STEP_MS = 2_000
"""Differences below this are the network's, and the whole seconds of ``Date``."""


def wall_ms() -> int:
    """This device's wall clock."""
    return time.time_ns() // 1_000_000


class CloudClock:
    """UTC as the household's devices agree on it; any thread may ask.

    Args:
        wall: This device's wall clock in milliseconds.
    """

    def __init__(self, wall: Callable[[], int] = wall_ms) -> None:
        self._wall = wall
        self._lock = threading.Lock()
        self._offset = 0
        self._shift: int | None = None

    def now_ms(self) -> int:
        """UTC in milliseconds."""
        return self._wall() + self._offset

    def note(self, date: str) -> None:
        """Learn from the ``Date`` header of an answer; what is no date is not looked at."""
        try:
            theirs = round(parsedate_to_datetime(date).timestamp() * 1000)
        except (TypeError, ValueError, OverflowError):
            return
        offset = theirs + 500 - self._wall()
        with self._lock:
            if abs(offset) > TRUSTED_MS:
                return
            if abs(offset - self._offset) > STEP_MS:
                self._offset = 0 if abs(offset) <= STEP_MS else offset

    def shift(self, timeline_ms: int) -> int:
        """What turns a time of the store's timeline into UTC, in milliseconds.

        Whole seconds, and the same as before while it is less than two seconds off, so that a
        retry sends the same bytes.
        """
        with self._lock:
            wanted = self.now_ms() - timeline_ms
            if self._shift is None or abs(wanted - self._shift) > STEP_MS:
                self._shift = round(wanted / 1000) * 1000
            return self._shift

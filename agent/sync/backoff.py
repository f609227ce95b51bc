"""When to try again: full jitter between attempts, and a breaker that stops trying for a while.

Full jitter (Brooker, «Exponential Backoff and Jitter», AWS Architecture Blog, 2015): each delay is
uniform between nothing and a bound that doubles, so that a fleet that failed together does not
return together. After several failures the breaker opens; while it is open, only a changed
network or a person at the device is reason enough for one probe before its time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between attempts."""

    first_s: float = 0.5
    """Bound of the first delay."""
    cap_s: float = 300.0
    """Bound of every delay."""
    open_after: int = 6
    """Failures in a row after which the breaker opens."""
    rest_s: float = 300.0
    """How long it stays open, and up to a fifth more: at most 288 attempts a day."""
    probe_s: float = 10.0
    """Between two probes for a reason of their own, while it is open."""
    settle_s: float = 1.0
    """After a write, so that the versions of one interaction go as one."""


@dataclass
class Breaker:
    """Failures in a row, and when the next attempt may be made.

    Args:
        pace: Seconds between attempts.
        now: A clock in seconds that never goes back.
        uniform: A random number between two; tests replace it.
    """

    pace: Pace = field(default_factory=Pace)
    now: Callable[[], float] = time.monotonic
    uniform: Callable[[float, float], float] = random.uniform
    failures: int = 0
    next_at: float = 0.0
    probed_at: float = float("-inf")

    @property
    def open(self) -> bool:
        """Whether it has stopped trying for a while."""
        return self.failures >= self.pace.open_after

    @property
    def wait_s(self) -> float:
        """Seconds until the next attempt may be made; 0 for now."""
        return max(0.0, self.next_at - self.now())

    def failed(self) -> float:
        """Count a failure; returns the seconds until the next attempt."""
        self.failures += 1
        if self.open:
            delay = self.pace.rest_s + self.uniform(0.0, self.pace.rest_s / 5)
        else:
            bound = self.pace.first_s * 2.0 ** (self.failures - 1)
            delay = self.uniform(0.0, min(self.pace.cap_s, bound))
        self.next_at = self.now() + delay
        return delay

    def succeeded(self) -> None:
        """Close the breaker."""
        self.failures, self.next_at = 0, 0.0

    def hurry(self) -> bool:
        """A reason to try before its time came up; whether one attempt may be made now."""
        if self.wait_s == 0.0:
            return True
        if self.now() - self.probed_at < self.pace.probe_s:
            return False
        self.probed_at = self.now()
        self.next_at = 0.0
        return True

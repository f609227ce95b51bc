"""The timers that are running or ringing. Pure bookkeeping on an injected clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from agent.dialogue.text import canonical


@dataclass(slots=True, eq=False)
class Timer:
    """One timer."""

    name: str = field(repr=False)
    seconds: float
    """What it was set for."""
    due: float
    """Clock time at which it rings; while paused, meaningless."""
    paused_left: float | None = None
    """Seconds left when it was paused; None while it runs."""
    ringing: bool = False

    def left(self, at: float) -> float:
        """Seconds left at clock time ``at``; 0 when it rings."""
        return self.paused_left if self.paused_left is not None else max(0.0, self.due - at)


class Timers:
    """All timers, soonest first.

    Args:
        clock: Seconds that only ever grow; the microphone's sample clock in the agent.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._timers: list[Timer] = []

    def start(self, seconds: float, name: str = "") -> Timer:
        """Start a timer; one of the same name is replaced."""
        if name:
            self.stop(name)
        timer = Timer(name, seconds, self._clock() + seconds)
        self._timers.append(timer)
        return timer

    def stop(self, name: str = "") -> int:
        """Drop the timers called ``name``, or all; returns how many there were."""
        gone = self.find(name)
        self._timers = [timer for timer in self._timers if timer not in gone]
        return len(gone)

    def stop_ringing(self) -> int:
        """Drop the timers that ring; returns how many there were."""
        gone = [timer for timer in self._timers if timer.ringing]
        self._timers = [timer for timer in self._timers if not timer.ringing]
        return len(gone)

    def change(self, name: str, add: float = 0.0, paused: bool | None = None) -> int:
        """Add seconds to timers called ``name`` (or all), pause or resume; returns how many."""
        now = self._clock()
        for timer in (found := self.find(name)):
            left = max(0.0, timer.left(now) + add)
            stays = timer.paused_left is not None if paused is None else paused
            timer.paused_left = left if stays else None
            timer.due = now + left
            timer.ringing = timer.ringing and left == 0
        return len(found)

    def find(self, name: str = "") -> list[Timer]:
        """Timers called ``name``, soonest first; all when ``name`` is empty."""
        if not self._timers:  # as nearly always, at every frame of audio
            return []
        key, now = canonical(name), self._clock()
        found = [t for t in self._timers if not key or canonical(t.name) == key]
        return sorted(found, key=lambda timer: timer.left(now))

    def ring(self) -> bool:
        """Let timers that are due ring; whether any timer began to."""
        if not self._timers:
            return False
        now = self._clock()
        due = [t for t in self._timers
               if not t.ringing and t.paused_left is None and t.due <= now]
        for timer in due:
            timer.ringing = True
        return bool(due)

    @property
    def ringing(self) -> tuple[str, ...]:
        """Names of the timers that ring, in order; "" for one without a name."""
        return tuple(timer.name for timer in self.find() if timer.ringing)

"""The store's timeline: UTC as it was believed at boot, then the boot clock.

A Raspberry Pi has no battery clock, and a wall clock may jump by a year when the network comes.
So within a boot only the boot clock counts. Across a reboot the timeline goes on from the wall
clock or from the highest time ever written, whichever is later, so it never runs backwards.
Rows of an earlier boot have one more judge: they are gone as soon as *either* the timeline or the
wall clock says so, because how long the device was off is not known. In doubt, they are deleted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What the machine says about time."""

    def boot_id(self) -> str:
        """Differs at every boot."""
        ...

    def boot_ms(self) -> int:
        """Milliseconds since boot, suspended time included; nothing can set it."""
        ...

    def wall_ms(self) -> int:
        """Milliseconds since 1970, as the wall clock has it; may jump."""
        ...


class SystemClock:
    """The machine's own clocks (Linux)."""

    def boot_id(self) -> str:
        """The kernel's random id of this boot; empty where there is none."""
        try:
            return BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def boot_ms(self) -> int:
        """CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000

    def wall_ms(self) -> int:
        """CLOCK_REALTIME."""
        return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class Anchor:
    """Ties one boot's clock to the timeline."""

    boot_id: str
    boot_ms: int
    """The boot clock at the anchor."""
    utc_ms: int
    """The timeline at the anchor: where this boot begins on it."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One reading of the clocks, for one transaction."""

    now: int
    """The timeline."""
    wall: int
    """The wall clock, the second judge of rows of earlier boots."""
    began: int
    """Where this boot begins on the timeline."""

    @property
    def horizon(self) -> int:
        """Nothing that expires after this is dead by any judge."""
        return max(self.now, self.wall)

    def is_live(self, created_at: int, expires_at: int) -> bool:
        """Whether something may still be returned; the same as ``LIVE``."""
        return expires_at > self.now and (created_at >= self.began or expires_at > self.wall)


LIVE = "expires_at > :now AND (created_at >= :began OR expires_at > :wall)"
"""SQL: a row that may be returned, given a ``Moment``."""

DEAD = "expires_at <= :horizon AND (expires_at <= :now OR created_at < :began)"
"""SQL: the opposite of ``LIVE``, in a form that an index on ``expires_at`` serves."""


class Timeline:
    """Reads the clocks against an anchor."""

    def __init__(self, clock: Clock, anchor: Anchor) -> None:
        self._clock = clock
        self.anchor = anchor

    @classmethod
    def resume(cls, clock: Clock, anchor: Anchor | None, mark: int) -> Timeline:
        """Go on from what the store remembers.

        Args:
            clock: The machine's clocks.
            anchor: The last anchor written; None for a new store.
            mark: The highest time ever written.
        """
        boot_id, boot_ms = clock.boot_id(), clock.boot_ms()
        if anchor and boot_id and anchor.boot_id == boot_id and boot_ms >= anchor.boot_ms:
            return cls(clock, anchor)
        return cls(clock, Anchor(boot_id, boot_ms, max(clock.wall_ms(), mark + 1)))

    def moment(self) -> Moment:
        """Read the clocks."""
        elapsed = max(0, self._clock.boot_ms() - self.anchor.boot_ms)
        return Moment(self.anchor.utc_ms + elapsed, self._clock.wall_ms(), self.anchor.utc_ms)


def parameters(moment: Moment) -> dict[str, int]:
    """Values for ``LIVE`` and ``DEAD``."""
    return {"now": moment.now, "wall": moment.wall, "began": moment.began,
            "horizon": moment.horizon}

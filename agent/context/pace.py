"""How much work fits into a window: learnt from the windows before it."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

SPEECH_RATE = 15.0
"""Characters of a reply spoken in a second, about; a window is as long as its reply."""
SHORTEST = 0.6
"""Seconds that any window is believed to last: a word, and the guard before reopening."""
FEWEST = 30
"""Names that are worth preparing, however slow the machine."""
_LEARNT = 0.3
"""Share of the latest window in what is expected of the next one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one window may do."""

    scan: int
    """Entries that are compared by vector."""
    phrases: int
    """Names that are chosen and prepared."""


class Pace:
    """Costs on this machine, measured window by window.

    Args:
        phrases: Most names that are chosen.
    """

    def __init__(self, phrases: int) -> None:
        self._phrases = phrases
        self._scan, self._prepare = 1e-6, 1e-4
        self._slower = 1.0

    def work(self, entries: int, left: float) -> Work:
        """What fits into ``left`` seconds, with a library of so many entries."""
        if left == inf:
            return Work(max(FEWEST, entries), self._phrases)
        left = max(0.0, left) / self._slower
        scan = min(entries, int(0.25 * left / self._scan))
        phrases = int(0.5 * left / self._prepare)
        return Work(max(FEWEST, scan), max(FEWEST, min(self._phrases, phrases)))

    def scanned(self, entries: int, seconds: float) -> None:
        """Entries were compared and chosen from in so many seconds."""
        self._scan = _mixed(self._scan, seconds / max(1, entries))

    def prepared(self, phrases: int, seconds: float) -> None:
        """A bias of so many names was prepared in so many seconds."""
        self._prepare = _mixed(self._prepare, seconds / max(1, phrases))

    @property
    def pressed(self) -> bool:
        """Whether windows have been over too soon lately."""
        return self._slower > 1

    def kept(self) -> None:
        """The window was kept to."""
        self._slower = max(1.0, self._slower * 0.8)

    def overran(self) -> None:
        """The window was over first: what was not measured took longer than was thought."""
        self._slower = min(64.0, self._slower * 2)


def expected_seconds(reply: str) -> float:
    """Seconds that speaking a reply takes, about."""
    return SHORTEST + len(reply) / SPEECH_RATE


def _mixed(before: float, latest: float) -> float:
    return (1 - _LEARNT) * before + _LEARNT * latest

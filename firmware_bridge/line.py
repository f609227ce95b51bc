"""A line to a board: something that bytes go through, and that can break."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias


class LineError(Exception):
    """There is no line now: nothing is plugged in, or it broke. The text says which."""


class Line(Protocol):
    """An open line; reads and writes do not wait."""

    def fileno(self) -> int:
        """Descriptor that becomes readable when bytes have come."""
        ...

    def read(self) -> bytes:
        """What has come; may be empty.

        Raises:
            LineError: The line broke.
        """
        ...

    def write(self, data: bytes) -> None:
        """Send; what does not fit is dropped, and repeated by the session.

        Raises:
            LineError: The line broke.
        """
        ...

    def close(self) -> None:
        """Give it up; safe to call more than once."""
        ...


Opener: TypeAlias = Callable[[], Line]
"""Opens a line, in a thread of its own because that may take a while; raises ``LineError``."""

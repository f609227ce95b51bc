"""What travels between a device and a cloud table: names, sizes and expiry, and sealed bytes.

A ``Record`` is one row of a cloud table as the service sees it. Nothing in it tells what was said
or what a household calls its rooms and people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Table = Literal["interaction", "item"]


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a cloud table, without its partition key, which is the household."""

    table: Table
    key: str
    """The sort key."""
    version: int
    """Never falls."""
    op: str
    """Names the state that was written: equal states have equal names."""
    expires: int
    """Time to live: the UTC second from which on the row is dead; 0 for never."""
    deleted: bool = False
    """A tombstone."""
    blobs: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    """Sealed bytes by attribute name."""

    @property
    def size(self) -> int:
        """About how many bytes the row takes in the table."""
        return 160 + len(self.key) + sum(len(n) + len(b) for n, b in self.blobs.items())


@dataclass(frozen=True, slots=True)
class Put:
    """Write a record, if what is there is what the writer has seen.

    Without ``replaces`` nothing may be there yet.
    """

    record: Record
    replaces: str | None = None
    """The ``op`` of the record that may be overwritten."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a record; it need not be there."""

    table: Table
    key: str


Action = Put | Delete

"""What this process knows of the cloud tables, so that it need not ask again.

Nothing here must be kept: without it a push finds out by a condition that does not hold, and a
pull reads once more.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from agent.sync.records import Record

LIMIT = 20_000
"""Rows and texts that are remembered at most, the last ones."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A row's state in the cloud that the store already contains."""

    op: str
    version: int


class Names:
    """A set of names that forgets the oldest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._names: OrderedDict[str, None] = OrderedDict()

    def add(self, name: str) -> None:
        """Remember a name."""
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self._limit:
            self._names.popitem(last=False)

    def discard(self, name: str) -> None:
        """Forget a name."""
        self._names.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._names


class Ledger:
    """Shared by the pushing and the pulling thread.

    ``lock`` is held while a row goes from the store into a push, and while one goes from a pull
    into the store: what a push replaces must be what its row contains.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.present = Names()
        """Texts that are in the cloud."""
        self.gone = Names()
        """Texts that were deleted there."""
        self.missing = Names()
        """Texts that a row refers to and the cloud has not, or that were refused."""
        self.blocked = Names()
        """Rows that may not be written over, though they cannot be opened here."""
        self.refused = Names()
        """Rows, as they lie in the cloud, that were refused; each is counted once."""
        self._seen: OrderedDict[str, Seen] = OrderedDict()

    def seen(self, key: str) -> Seen | None:
        """The state of a row that the store contains."""
        return self._seen.get(key)

    def snapshot(self) -> dict[str, Seen]:
        """All rows' states, as they are now."""
        with self.lock:
            return dict(self._seen)

    def note(self, record: Record) -> None:
        """The store contains this state."""
        with self.lock:
            self._seen[record.key] = Seen(record.op, record.version)
            self._seen.move_to_end(record.key)
            if len(self._seen) > LIMIT:
                self._seen.popitem(last=False)

    def forget(self, key: str) -> None:
        """The row is not in the cloud any more."""
        with self.lock:
            self._seen.pop(key, None)

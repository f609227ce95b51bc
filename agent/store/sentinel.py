"""A small plain file beside the database that says whose the database is.

SQLCipher gives the same error for a wrong key and for a damaged first page. The sentinel keeps,
for each root key the file may be under, a check value derived from the root and the database's
salt; neither tells anything about the key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from agent.store import files

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Slot:
    """One root key that the database may be under."""

    check: str
    """The root's check value, hex."""
    salt: str
    """First 16 bytes of the database file, hex."""


@dataclass(frozen=True, slots=True)
class Sentinel:
    """What is known about the database without opening it."""

    store_id: str
    slots: tuple[Slot, ...]
    origin: str = ""
    """Where the root came from when the store was last opened: ``credential`` or ``file``."""

    def slot(self, check: str) -> Slot | None:
        """The slot of one root, by its check value."""
        return next((slot for slot in self.slots if slot.check == check), None)


def path_of(database: Path) -> Path:
    """Where the sentinel of a database is."""
    return database.with_suffix(".id")


def read(database: Path) -> Sentinel | None:
    """The sentinel, or None where there is none or it cannot be understood."""
    try:
        table = json.loads(path_of(database).read_text(encoding="ascii"))
        if table["format"] != FORMAT:
            return None
        slots = tuple(Slot(str(s["check"]), str(s["salt"])) for s in table["slots"])
        return Sentinel(str(table["store"]), slots, str(table.get("origin", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write(database: Path, sentinel: Sentinel) -> None:
    """Write the sentinel, durably."""
    table = {"format": FORMAT, "store": sentinel.store_id, "origin": sentinel.origin,
             "slots": [{"check": s.check, "salt": s.salt} for s in sentinel.slots]}
    files.replace(path_of(database), json.dumps(table, indent=1).encode("ascii"))

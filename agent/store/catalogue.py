"""Catalogues (contacts, devices, places) with their vectors: kept until replaced or erased.

They are protected by the database's encryption alone, since they must outlive a reboot.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.store.connection import translated
from agent.store.records import CatalogueEntry
from agent.store.session import Session, require_room, transaction

CHUNK = 256


def put(session: Session, name: str, entries: Sequence[CatalogueEntry]) -> int:
    """Write entries of one catalogue over those with the same keys, in chunks.

    Returns:
        How many were written.
    """
    require_room(session)
    for start in range(0, len(entries), CHUNK):
        with transaction(session) as change:
            for entry in entries[start:start + CHUNK]:
                values = (name, entry.key, entry.entry, entry.vector)
                tag = session.tag("catalogue", values)
                change.toggle(tag, *_delete(session, name, entry.key))
                session.connection.execute(
                    "INSERT INTO catalogue(name, key, entry, vector, tag) VALUES(?, ?, ?, ?, ?)",
                    (*values, tag))
    return len(entries)


def remove(session: Session, name: str, keys: Iterable[str]) -> int:
    """Delete entries by key; returns how many were there."""
    count = 0
    with transaction(session) as change:
        for key in keys:
            tags = _delete(session, name, key)
            change.toggle(*tags)
            count += len(tags)
    return count


def _delete(session: Session, name: str, key: str) -> list[int]:
    return [tag for (tag,) in session.connection.execute(
        "DELETE FROM catalogue WHERE name = ? AND key = ? RETURNING tag", (name, key)).fetchall()]


def page(session: Session, name: str, after: str = "",
         limit: int = CHUNK) -> tuple[CatalogueEntry, ...]:
    """Entries of one catalogue in order of their keys, from after a key on."""
    with translated(session.path):
        found = session.connection.execute(
            "SELECT name, key, entry, vector, tag FROM catalogue WHERE name = ? AND key > ? "
            "ORDER BY key LIMIT ?", (name, after, limit)).fetchall()
    for row in found:
        session.check_tag("catalogue", row)
    return tuple(CatalogueEntry(row[1], row[2], row[3]) for row in found)

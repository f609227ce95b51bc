"""What a cloud table has not seen yet, and what it brings: the store itself is the outbox.

Deletion and expiry always win; see ``merging`` for how two states of a row become one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.store import rows
from agent.store.clock import LIVE, parameters
from agent.store.connection import translated
from agent.store.merging import Ident, join
from agent.store.records import Interaction, SealedItem
from agent.store.session import Change, Session, require_room, transaction


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A row whose version a cloud table has not acknowledged, with its live texts, sealed."""

    interaction: Interaction
    items: tuple[SealedItem, ...]


def unsent(session: Session, limit: int, after: str = "") -> tuple[Outgoing, ...]:
    """Live rows with ``version > acked_version``, tombstones included, in order of id."""
    with translated(session.path):
        moment = session.moment()
        found = session.connection.execute(
            f"{rows.SELECT_INTERACTION} WHERE version > acked_version AND id > :after AND {LIVE} "
            "ORDER BY id LIMIT :limit",
            {"after": after, "limit": limit, **parameters(moment)}).fetchall()
        outgoing = []
        for row in found:
            interaction = rows.to_interaction(session, row)
            items = rows.items(session, interaction.item_ids, moment)
            outgoing.append(Outgoing(interaction, tuple(items)))
    return tuple(outgoing)


def acknowledge(session: Session, taken: Iterable[tuple[str, int]]) -> int:
    """Note that a cloud table has these (id, version); returns how many rows that changed."""
    count = 0
    with transaction(session) as change:
        for interaction_id, version in taken:
            old = rows.find_any(session, change, interaction_id)
            if old and old.acked_version < version <= old.version:
                rows.write(session, change, replace(old, acked_version=version), old)
                count += 1
    return count


def merge(session: Session, interaction: Interaction, items: Sequence[SealedItem]) -> bool:
    """Take a row and texts from another device.

    A tombstone at either side wins; otherwise events are taken from the side that has more of
    them, and texts are a set. What has expired is not taken.

    Returns:
        Whether anything changed.
    """
    require_room(session)
    with transaction(session) as change:
        if not change.moment.is_live(interaction.created_at, interaction.expires_at):
            return False
        old = rows.find_any(session, change, interaction.id)
        kept = join(old, interaction, _ident(old), _ident(interaction))
        changed = replace_row(session, change, old, kept)
        for item in items:
            changed |= add_item(session, change, kept, item)
    return changed


def _ident(row: Interaction | None) -> Ident:
    return Ident(row.wrapped_key or b"" if row else b"", row.device_id if row else "")


def replace_row(session: Session, change: Change, old: Interaction | None,
                kept: Interaction) -> bool:
    """Write a row over its old state, with the texts it gave up; whether that changed anything."""
    if kept == old:
        return False
    if old:
        rows.delete_items(session, change, [i for i in old.item_ids if i not in kept.item_ids])
    if old and old.device_id != kept.device_id:
        rows.delete_interaction(session, change, old.id)  # the same id, but another's interaction
        old = None
    rows.write(session, change, kept, old)
    return True


def add_item(session: Session, change: Change, owner: Interaction, item: SealedItem) -> bool:
    """Add a live text that its row refers to; whether it was not there yet."""
    if item.id not in owner.item_ids or not change.moment.is_live(item.created_at,
                                                                  item.expires_at):
        return False
    if session.connection.execute("SELECT 1 FROM item WHERE id = ?", (item.id,)).fetchone():
        return False
    rows.put_item(session, change, item)
    return True

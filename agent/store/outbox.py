"""What a cloud table has not seen yet, and what it brings: the store itself is the outbox.

Deletion and expiry always win; a row is taken by the highest version, and texts are a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from agent.store import rows
from agent.store.clock import LIVE, parameters
from agent.store.connection import translated
from agent.store.records import Interaction, SealedItem
from agent.store.sealing import canonical
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

    A tombstone at either side wins; otherwise the higher version's row is kept, and texts that
    the kept row refers to are added. What has expired is not taken.

    Returns:
        Whether anything changed.
    """
    require_room(session)
    with transaction(session) as change:
        moment = change.moment
        if not moment.is_live(interaction.created_at, interaction.expires_at):
            return False
        old = rows.find_any(session, change, interaction.id)
        kept = _winner(old, interaction)
        changed = False
        if kept != old:
            if old:
                lost = [i for i in old.item_ids if i not in kept.item_ids]
                rows.delete_items(session, change, lost)
            rows.write(session, change, kept, old)
            changed = True
        for item in items:
            if item.id in kept.item_ids and moment.is_live(item.created_at, item.expires_at):
                changed |= _add(session, change, item)
    return changed


def _winner(old: Interaction | None, new: Interaction) -> Interaction:
    """The row that both orders of arrival agree on."""
    seen = replace(new, acked_version=new.version)
    if old is None:
        return seen
    if old.deleted != new.deleted:
        version = max(old.version, new.version)
        return replace(old if old.deleted else seen, version=version)
    return seen if _rank(new) > _rank(old) else old


def _rank(row: Interaction) -> tuple[int, bytes]:
    # Equal versions from two devices: any order will do, as long as it is the same everywhere.
    return row.version, canonical(b"rank", *rows.from_interaction(replace(row, acked_version=0)))


def _add(session: Session, change: Change, item: SealedItem) -> bool:
    there = session.connection.execute("SELECT 1 FROM item WHERE id = ?", (item.id,)).fetchone()
    if there:
        return False
    rows.put_item(session, change, item)
    return True

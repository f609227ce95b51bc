"""Deleting on request: one interaction, or everything."""

from __future__ import annotations

from dataclasses import replace

from agent.store import rows
from agent.store.records import Interaction, interaction_id
from agent.store.session import Change, Session, transaction
from agent.store.sweep import expire_epochs

CHUNK = 128


def delete(session: Session, dialogue_id: str, turn: int) -> bool:
    """Delete a turn's row and texts; a tombstone stays where a cloud table must hear of it.

    Returns:
        Whether there was such a row.
    """
    with transaction(session) as change:
        row = rows.find(session, interaction_id(dialogue_id, turn), change.moment)
        if row is None or row.deleted:
            return False
        bury(session, change, row)
    expire_epochs(session)
    return True


def bury(session: Session, change: Change, row: Interaction) -> None:
    """Delete a row's texts, and the row itself or all that it says."""
    rows.delete_items(session, change, row.item_ids)
    if session.settings.outbox:
        rows.write(session, change, tombstone(row), row)
    else:
        rows.delete_interaction(session, change, row.id)


def tombstone(row: Interaction) -> Interaction:
    """What is left of a deleted row: its id, its next version, its expiry, its texts' ids."""
    return replace(row, events=(), item_ids=(), version=row.version + 1, deleted=True,
                   wrapped_key=None, removed_ids=(*row.removed_ids, *row.item_ids))


def delete_everything(session: Session) -> int:
    """Delete every row, text and catalogue entry, in chunks, and forget every epoch key.

    Returns:
        How many interactions were deleted.
    """
    session.epochs.retain(())
    count, after = 0, ""
    while True:
        with transaction(session) as change:
            found = session.connection.execute(
                f"{rows.SELECT_INTERACTION} WHERE id > ? AND deleted = 0 ORDER BY id LIMIT ?",
                (after, CHUNK)).fetchall()
            for row in found:
                bury(session, change, rows.to_interaction(session, row))
        if not found:
            break
        count, after = count + len(found), found[-1][0]
    for table in ("item", "catalogue"):
        while _delete_chunk(session, table):
            pass
    return count


def _delete_chunk(session: Session, table: str) -> int:
    with transaction(session) as change:
        tags = session.connection.execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} LIMIT ?) RETURNING tag",
            (CHUNK,)).fetchall()
        change.toggle(*(tag for (tag,) in tags))
    return len(tags)

"""Removing what has expired: in small chunks, so that a turn never waits long behind it.

Forgetting an epoch key is what erases; the sweep also removes rows, zeroes their pages
(``secure_delete``) and checkpoints, so that neither database nor log holds them any more.
"""

from __future__ import annotations

import logging

from agent.store.clock import DEAD, parameters
from agent.store.connection import translated
from agent.store.errors import StoreFullError
from agent.store.schema import INTERACTION
from agent.store.sealing import wrapped_epoch
from agent.store.session import Session, checkpoint, set_quota, transaction

log = logging.getLogger(__name__)

CHUNK = 256
"""Rows a transaction: a few milliseconds on a desktop, some tens on a Raspberry Pi."""
TIGHT_CHUNK = 16
"""Rows a transaction when the disk is full: their pages fit in the log's own room."""
MARK_EVERY_MS = 3_600_000
"""How often an idle store with rows writes down the time."""

_ITEMS = f"""DELETE FROM item WHERE id IN (
  SELECT id FROM item WHERE {DEAD} LIMIT :chunk) RETURNING tag"""
_STALE_ITEMS = """DELETE FROM item WHERE id IN (
  SELECT id FROM item WHERE created_at < :began LIMIT :chunk) RETURNING tag"""
_INTERACTIONS = f"""DELETE FROM interaction WHERE id IN (
  SELECT id FROM interaction WHERE {DEAD} LIMIT :chunk) RETURNING tag"""
_ANY_DEAD = f"""SELECT EXISTS(SELECT 1 FROM item WHERE {DEAD})
  OR EXISTS(SELECT 1 FROM interaction WHERE {DEAD})"""


def pending(session: Session) -> bool:
    """Whether there is anything to remove; reads only."""
    with translated(session.path):
        found = session.connection.execute(_ANY_DEAD, parameters(session.moment())).fetchone()[0]
    return bool(found) or session.new_boot


def chunk(session: Session, size: int = CHUNK) -> int:
    """Remove up to so many expired items, or rows once no item is left.

    Returns:
        How many were removed; 0 when nothing is left to remove.
    """
    statements = [_ITEMS, _INTERACTIONS]
    if session.new_boot:
        # Their epoch keys went with the last boot; they can never be read again.
        statements.insert(0, _STALE_ITEMS)
    with transaction(session) as change:
        given = {**parameters(change.moment), "chunk": size}
        for statement in statements:
            used = {key: given[key] for key in given if f":{key}" in statement}
            tags = session.connection.execute(statement, used).fetchall()
            if tags:
                change.toggle(*(tag for (tag,) in tags))
                return len(tags)
    session.new_boot = False
    return 0


def run(session: Session, size: int = CHUNK) -> int:
    """Remove everything that has expired, checkpoint, and drop epoch keys no longer needed.

    Returns:
        How many items and rows were removed.
    """
    total = 0
    if pending(session):
        while removed := chunk(session, size):
            total += removed
        finish(session)
    expire_epochs(session)
    return total


def finish(session: Session) -> bool:
    """After the last chunk: leave no removed row in the database or the log."""
    done = checkpoint(session)
    if not done:
        log.warning("the store's log could not be emptied after a sweep; it is tried again")
    return done


def make_room(session: Session) -> int:
    """Remove what has expired from a full store, a little at a time.

    Returns:
        How many items and rows were removed.
    """
    total = 0
    set_quota(session, deleting=True)
    try:
        checkpoint(session)
        while pending(session):
            try:
                removed = chunk(session, TIGHT_CHUNK)
            except StoreFullError:
                if not checkpoint(session):
                    raise
                removed = chunk(session, TIGHT_CHUNK)
            total += removed
            checkpoint(session)
            if not removed:
                break
    finally:
        set_quota(session, deleting=False)
    expire_epochs(session)
    return total


def expire_epochs(session: Session) -> None:
    """Forget the keys of dead epochs, and of epochs with no text left under them."""
    session.epochs.expire(session.moment().now)
    if not session.epochs.ids():
        return
    with translated(session.path):
        if not session.connection.execute("SELECT EXISTS(SELECT 1 FROM item)").fetchone()[0]:
            session.epochs.retain(())
            return
        if len(session.epochs.ids()) < 2:
            return
        wrapped = session.connection.execute(
            f"SELECT DISTINCT {INTERACTION[-1]} FROM interaction WHERE id IN "
            "(SELECT DISTINCT interaction_id FROM item)").fetchall()
    session.epochs.retain({wrapped_epoch(key) for (key,) in wrapped if key})


def write_mark(session: Session) -> bool:
    """Write the time down if rows are kept and it has not been written for an hour.

    A reboot without a clock goes on from this mark, so that rows age by the hour at least.
    """
    with translated(session.path):
        mark, kept = session.connection.execute(
            "SELECT mark, EXISTS(SELECT 1 FROM interaction) FROM meta").fetchone()
    if not kept or session.moment().now - mark < MARK_EVERY_MS:
        return False
    with transaction(session) as change:
        change.touched = True
    return True

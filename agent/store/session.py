"""An open store as its one thread sees it: the connection, the clocks, the keys, transactions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.store import room
from agent.store.clock import Moment, Timeline
from agent.store.connection import PAGE_SIZE, Connection, log_size, no_room, translated
from agent.store.epochs import EpochSource
from agent.store.errors import DamagedStoreError, StoreError, StoreFullError
from agent.store.roots import Root
from agent.store.schema import DROP_OUTBOX_INDEX, OUTBOX_INDEX, row_tag
from agent.store.sealing import Field
from agent.store.settings import Settings


@dataclass(slots=True)
class Session:
    """Everything one open store needs; used by one thread only."""

    path: Path
    settings: Settings
    connection: Connection
    timeline: Timeline
    epochs: EpochSource
    root: Root
    store_id: str
    device_id: str
    tag_key: bytes = field(repr=False)
    new_boot: bool
    """The texts in the store are those of an earlier boot, and unreadable."""
    prepared: bool = False
    """The file is marked as in use; nothing is written before."""
    commits: int = 0
    """Commits since the log was last emptied."""
    starved: bool = False
    """The ballast was given up: only deletions are written until it is whole again."""

    def moment(self) -> Moment:
        """Read the clocks."""
        return self.timeline.moment()

    def tag(self, table: str, values: Iterable[Field]) -> int:
        """The tag of a row's content."""
        return row_tag(self.tag_key, table, values)

    def check_tag(self, table: str, row: tuple[Field, ...]) -> None:
        """Refuse a row (its columns, then its tag) that is not as it was written.

        Raises:
            DamagedStoreError: The tag does not fit.
        """
        if self.tag(table, row[:-1]) != row[-1]:
            raise DamagedStoreError(f"a row of the context store {self.path} was altered",
                               "`voice-agent privacy erase` starts a new one")


@dataclass(slots=True)
class Change:
    """One transaction being made: what it does to the digest of all rows."""

    moment: Moment
    digest: int = 0
    touched: bool = False
    """Whether there is anything to commit."""
    tags: dict[str, int] = field(default_factory=dict)
    """Tags of rows that were read to be written over."""

    def toggle(self, *tags: int) -> None:
        """Take a row's tag into the digest, or out of it."""
        for tag in tags:
            self.digest ^= tag
            self.touched = True


@contextmanager
def transaction(session: Session) -> Iterator[Change]:
    """Write everything inside the block, or nothing.

    Raises:
        StoreFullError, StoreFailedError, DamagedStoreError: Nothing was written.
    """
    if not session.prepared:
        prepare(session)
    with translated(session.path):
        session.connection.execute("BEGIN IMMEDIATE")
        try:
            change = Change(session.moment())
            yield change
            if change.touched:
                session.connection.execute(
                    "UPDATE meta SET digest = (digest | :d) - (digest & :d), "
                    "commits = commits + 1, mark = max(mark, :now)",
                    {"d": change.digest, "now": change.moment.now})
                session.connection.execute("COMMIT")
                session.commits += 1
            else:
                session.connection.execute("ROLLBACK")
        except BaseException:
            _roll_back(session.connection)
            raise


def _roll_back(connection: Connection) -> None:
    if connection.in_transaction:
        with contextlib.suppress(Exception):
            connection.execute("ROLLBACK")


def prepare(session: Session) -> None:
    """Mark the file as in use, before the first write of a session.

    The mark is moved into the database at once: a store found with it is checked in full at the
    next opening, even if its log has been lost meanwhile.
    """
    anchor = session.timeline.anchor
    with translated(session.path):
        session.connection.execute(
            "UPDATE meta SET clean = 0, boot_id = ?, boot_ms = ?, utc_ms = ?, "
            "mark = max(mark, ?)",
            (anchor.boot_id, anchor.boot_ms, anchor.utc_ms, anchor.utc_ms))
        session.connection.execute(OUTBOX_INDEX if session.settings.outbox
                                   else DROP_OUTBOX_INDEX)
        room.checkpoint(session.connection, session.path)
    session.prepared = True
    recover_room(session)


def checkpoint(session: Session) -> bool:
    """Move the log into the database; see ``room.checkpoint``.

    A full disk is answered by giving up the ballast.
    """
    try:
        done = _checkpoint(session)
    except StoreFullError:
        room.drop_ballast(session.path)
        session.starved = True
        done = _checkpoint(session)
    return done


def recover_room(session: Session) -> bool:
    """Make the ballast whole if there is room for it; whether anything may be added."""
    session.starved = not room.fill_ballast(session.path)
    return not session.starved or _has_free_pages(session)


def require_room(session: Session) -> None:
    """Refuse to add anything while the last room is needed for deletions.

    Without its ballast the store writes only into pages that it already has.

    Raises:
        StoreFullError: There is no room but that.
    """
    if session.starved and not _has_free_pages(session):
        raise no_room(session.path)


def _has_free_pages(session: Session) -> bool:
    with translated(session.path):
        free = session.connection.execute("PRAGMA freelist_count").fetchone()[0]
    return bool(free * PAGE_SIZE > 2 * room.LOG_LIMIT)


def _checkpoint(session: Session) -> bool:
    with translated(session.path):
        done = room.checkpoint(session.connection, session.path)
    if done:
        session.commits = 0
    return done


def log_is_long(session: Session) -> bool:
    """Whether the log has outgrown its room and must be emptied before it goes on."""
    return log_size(session.path) > room.LOG_LIMIT


def log_is_due(session: Session) -> bool:
    """Whether an idle moment should be used to empty the log."""
    return session.commits >= room.COMMITS_KEPT or log_is_long(session)


def set_quota(session: Session, deleting: bool) -> None:
    """Limit the file's pages; while deleting, a little more is allowed."""
    pages = session.settings.quota_mib * 1024 * 1024 // PAGE_SIZE
    extra = 64 if deleting else 0
    with translated(session.path):
        session.connection.execute(f"PRAGMA max_page_count = {pages + extra}").fetchall()


def close(session: Session, sound: bool = True) -> None:
    """Mark the file as whole and close it; what cannot be written is left as it is.

    Args:
        session: The open store.
        sound: False after damage or a failed write: the next opening checks everything.
    """
    try:
        if session.prepared and sound:
            with contextlib.suppress(StoreError), translated(session.path):
                session.connection.execute("UPDATE meta SET clean = 1, mark = max(mark, ?)",
                                           (session.moment().now,))
    finally:
        with contextlib.suppress(Exception):
            session.connection.close()

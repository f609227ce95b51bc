"""Keeps room on the disk, so that a full one can still be read, swept and written again.

Two reserves: the write-ahead log is written out once and then used from its start again, so that
deletions find its blocks already there (which also spares a journal commit at every sync); and a
ballast file is given up when a checkpoint needs the database to grow and the disk is full.
"""

from __future__ import annotations

import contextlib
import logging
import os
from pathlib import Path

from agent.store.connection import WAL_FRAME, Connection, log_path, log_size

log = logging.getLogger(__name__)

LOG_BYTES = 256 * 1024
"""What the log keeps; a usual day never needs more between two checkpoints."""
LOG_LIMIT = LOG_BYTES + 128 * 1024
"""Above this a checkpoint is due, and the log is cut back to what it keeps."""
COMMITS_KEPT = 16
"""Commits after which an idle moment is used for a checkpoint; their pages fit the log's room."""
BALLAST_BYTES = 768 * 1024
"""More than a checkpoint can make the database grow."""


def ballast_path(database: Path) -> Path:
    """The file that is given up when the disk is full."""
    return database.with_name("context.reserve")


def fill_ballast(database: Path) -> bool:
    """Write the ballast if it is not whole; false where the disk has no room for it."""
    path = ballast_path(database)
    try:
        if path.exists() and path.stat().st_size == BALLAST_BYTES:
            return True
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            os.posix_fallocate(handle, 0, BALLAST_BYTES)
        finally:
            os.close(handle)
    except OSError:
        # Half a ballast is of no use to us and takes room from the writes.
        drop_ballast(database)
        return False
    return True


def drop_ballast(database: Path) -> None:
    """Give the ballast's room to the store."""
    with contextlib.suppress(OSError):
        ballast_path(database).unlink(missing_ok=True)


def checkpoint(connection: Connection, database: Path) -> bool:
    """Move everything from the log into the database and leave no old frame behind.

    The frames are overwritten in place rather than truncated, so that the log keeps its blocks;
    the connection is exclusive, so nobody can be reading them.

    Returns:
        Whether everything was moved.
    """
    grown = log_size(database) > LOG_LIMIT
    mode = "TRUNCATE" if grown else "RESTART"
    busy, frames, moved = connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
    if busy or frames != moved:
        return False
    if log_path(database).exists():
        _scrub(database, 0 if grown else log_used(frames))
    return True


def log_used(frames: int) -> int:
    """Bytes of a log of so many frames."""
    return 32 + frames * WAL_FRAME if frames > 0 else 0


def _scrub(database: Path, used: int) -> None:
    size = log_size(database)
    try:
        handle = os.open(log_path(database), os.O_WRONLY | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        _zero(handle, 0, min(size, used))
        _zero(handle, size, LOG_BYTES - size)
        os.fsync(handle)
    except OSError as error:
        log.debug("the log could not be extended: %s", error.strerror)
    finally:
        os.close(handle)


def _zero(handle: int, start: int, count: int) -> None:
    done = 0
    while done < count:
        done += os.pwrite(handle, bytes(min(count - done, 1 << 16)), start + done)

"""Opening an SQLCipher connection, and turning its errors into the store's own.

SQLCipher 4 encrypts each page with AES-256-CBC and authenticates it with HMAC-SHA512. The key is
given raw, which skips the 256,000 rounds meant for passphrases.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from agent.store.errors import (
    DamagedStoreError,
    StoreBusyError,
    StoreError,
    StoreFailedError,
    StoreFullError,
)

PAGE_SIZE = 2048
"""Bytes a page. A commit writes whole pages; 2 KiB halves the wear of 4 KiB, and rows still fit."""
WAL_FRAME = PAGE_SIZE + 24
CACHE_KIB = 2048

Connection: TypeAlias = Any
"""``sqlcipher3.dbapi2.Connection``, which has no type stubs."""

Mode = Literal["ro", "rw", "rwc"]

_FULL, _IOERR, _CORRUPT, _NOTADB = 13, 10, 11, 26
_BUSY = (5, 6)


def connect(path: Path, key: bytes, mode: Mode) -> Connection:
    """Open a connection; nothing has been read yet, so a wrong key shows later.

    Args:
        path: The database file.
        key: The raw 32-byte key.
        mode: ``ro`` never changes the file or its log, ``rw`` never creates one.
    """
    name = f"file:{quote(str(path.absolute()))}?mode={mode}"
    with translated(path):
        connection = _engine().connect(name, uri=True, isolation_level=None, timeout=2.0)
        try:
            _configure(connection, key, mode)
        except BaseException:
            connection.close()
            raise
    return connection


def _configure(connection: Connection, key: bytes, mode: Mode) -> None:
    run = connection.execute
    # SQLCipher's own log would write to stderr, with page numbers and causes.
    run("PRAGMA cipher_log_level = NONE")
    run(f"PRAGMA key = \"x'{key.hex()}'\"")
    run(f"PRAGMA cipher_page_size = {PAGE_SIZE}")
    if mode != "ro":
        # The only connection there is: no reader can hold up a checkpoint, and the log's index
        # needs no file of its own, which a full disk could refuse. Only a connection that has
        # read nothing yet can be made exclusive in this way.
        run("PRAGMA locking_mode = EXCLUSIVE")
    run("PRAGMA temp_store = MEMORY")
    run("PRAGMA trusted_schema = OFF")
    run("PRAGMA cell_size_check = ON")


def use_log(connection: Connection, durable: bool) -> None:
    """Switch to write-ahead logging; ``durable`` syncs the log at every commit."""
    run = connection.execute
    run("PRAGMA journal_mode = WAL").fetchall()
    run(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    run("PRAGMA wal_autocheckpoint = 0").fetchall()
    run("PRAGMA secure_delete = ON").fetchall()
    run(f"PRAGMA cache_size = -{CACHE_KIB}")


def log_path(path: Path) -> Path:
    """The write-ahead log of a database."""
    return path.with_name(path.name + "-wal")


def log_size(path: Path) -> int:
    """Bytes of the write-ahead log; 0 where there is none."""
    try:
        return log_path(path).stat().st_size
    except OSError:
        return 0


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLCipher's errors inside the block into the store's own.

    Raises:
        StoreError: One of its kinds; the message names the file and repeats no value.
    """
    try:
        yield
    except _engine().Error as error:
        raise _translate(error, path) from None


@cache
def _engine() -> Any:
    from sqlcipher3 import dbapi2

    return dbapi2


def _translate(error: Exception, path: Path) -> StoreError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == _FULL:
        return no_room(path)
    if code in (_CORRUPT, _NOTADB):
        return DamagedStoreError(
            f"the context store {path} is damaged",
            "it was left as it is; `voice-agent privacy erase` starts a new one")
    if code in _BUSY:
        return StoreBusyError(f"another process is using the context store {path}",
                         "stop it, then try again")
    name = getattr(error, "sqlite_errorname", None) or type(error).__name__
    return StoreFailedError(f"the context store {path} cannot be read or written ({name})",
                       "check the disk and the folder's rights")


def no_room(path: Path) -> StoreFullError:
    """The error for a full disk or quota."""
    return StoreFullError(f"no room left for the context store {path}",
                          "free some disk space, or raise store.quota_mib")

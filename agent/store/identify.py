"""Whose file is this, and which root opens it: a wrong key, damage, or a foreign file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from agent.store import pages, roots, sentinel, verify
from agent.store.connection import PAGE_SIZE, Connection, connect, translated
from agent.store.errors import DamagedStoreError, ForeignFileError, StoreError, WrongKeyError
from agent.store.roots import Root

PLAIN_SQLITE = b"SQLite format 3\0"


def find_root(path: Path, at_hand: Sequence[Root]) -> tuple[Root, Connection]:
    """The root that opens a database file, and a connection that can only read it.

    Raises:
        KeyMissingError: There is no root to try.
        WrongKeyError: The sentinel names other roots.
        ForeignFileError: The file was not made by this agent.
        DamagedStoreError: It was, and does not open.
    """
    known = sentinel.read(path)
    head = _head(path)
    if not head:
        if known:
            raise verify.damaged(path, "it is empty")
        raise _foreign(path, "is empty")
    if head.startswith(PLAIN_SQLITE):
        raise _foreign(path, "is a plain SQLite database")
    if not at_hand:
        raise roots.missing(path, known.origin if known else "")
    usable = [root for root in at_hand if known is None or known.slot(root.check)]
    if not usable:
        raise WrongKeyError(f"the root key is not the one of the context store {path}",
                       "put the right key back; nothing was changed")
    for root in usable:
        connection = _open(path, root)
        if connection:
            return root, connection
    raise _unreadable(path, known, usable)


def _head(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise StoreError(f"cannot read the context store {path}: {error.strerror}",
                         "check that it belongs to the agent's user") from error
    with os.fdopen(handle, "rb") as file:
        return file.read(16)


def _open(path: Path, root: Root) -> Connection:
    connection = connect(path, root.database_key, "ro")
    try:
        with translated(path):
            connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except DamagedStoreError:
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection


def _unreadable(path: Path, known: sentinel.Sentinel | None,
                usable: Sequence[Root]) -> StoreError:
    if known is None:
        return _foreign(path, "does not open with this device's key and has no sentinel")
    data = path.read_bytes()
    for root in usable:
        slot = known.slot(root.check)
        assert slot is not None
        salt = bytes.fromhex(slot.salt)
        if data[:16] == salt or pages.any_authentic(data, pages.mac_key(root.database_key, salt)):
            return verify.damaged(path, "its first page does not check out")
    if len(data) < PAGE_SIZE or not any(data[:PAGE_SIZE]):
        return verify.damaged(path, "its first page is not there")
    return _foreign(path, "holds no page of this device's store")


def _foreign(path: Path, why: str) -> ForeignFileError:
    return ForeignFileError(f"{path} {why}; it was not made by this agent",
                       "move it away; the agent never writes over a file it does not know")

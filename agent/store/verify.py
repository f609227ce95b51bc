"""Checks a whole store: pages, trees, every row's tag, and the digest of all rows."""

from __future__ import annotations

from pathlib import Path

from agent.store.connection import Connection, translated
from agent.store.errors import DamagedStoreError
from agent.store.schema import COLUMNS, row_tag


def damaged(path: Path, why: str) -> DamagedStoreError:
    """The error for a store whose content does not check out."""
    return DamagedStoreError(
        f"the context store {path} is damaged: {why}",
        "it was left as it is; `voice-agent privacy erase` starts a new one")


def in_full(connection: Connection, path: Path) -> None:
    """Check everything that can be checked.

    Raises:
        DamagedStoreError: The content is not what was acknowledged at any one time.
    """
    with translated(path):
        answers = connection.execute("PRAGMA integrity_check(1)").fetchall()
        if answers != [("ok",)]:
            raise damaged(path, "its tables do not hang together")
        # SQLCipher answers nothing when every page's HMAC fits.
        if connection.execute("PRAGMA cipher_integrity_check").fetchone() is not None:
            raise damaged(path, "a page was altered")
        tag_key, digest = connection.execute("SELECT tag_key, digest FROM meta").fetchone()
        found = 0
        for table, columns in COLUMNS.items():
            for row in connection.execute(f"SELECT {', '.join(columns)}, tag FROM {table}"):
                if row_tag(tag_key, table, row[:-1]) != row[-1]:
                    raise damaged(path, "a row was altered")
                found ^= row[-1]
        if found != digest:
            raise damaged(path, "rows are missing, or from different times")

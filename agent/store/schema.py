"""The tables, and the tag that tells an altered row.

Texts have no index by expiry: only minutes of them are ever kept, and every page that a write
need not touch is a page less to encrypt and to wear the card.

Every row carries a keyed 64-bit tag of its content, and ``meta.digest`` is the XOR of all tags.
Page authentication cannot tell a page from an older copy of the same page, and a log cut short
after a checkpoint mixes the two; tags and digest tell.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from agent.store.sealing import Field

SCHEMA: Final = 1

TABLES: Final = """
CREATE TABLE interaction(
  id TEXT PRIMARY KEY, dialogue_id TEXT NOT NULL, device_id TEXT NOT NULL, turn INTEGER NOT NULL,
  events TEXT NOT NULL, item_ids TEXT NOT NULL, version INTEGER NOT NULL,
  acked_version INTEGER NOT NULL, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
  deleted INTEGER NOT NULL, wrapped_key BLOB, tag INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX interaction_expiry ON interaction(expires_at);
CREATE TABLE item(
  id TEXT PRIMARY KEY, interaction_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
  op_id BLOB NOT NULL, nonce BLOB NOT NULL, ciphertext BLOB NOT NULL,
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, tag INTEGER NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE catalogue(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, key TEXT NOT NULL, entry BLOB NOT NULL,
  vector BLOB NOT NULL, tag INTEGER NOT NULL, UNIQUE(name, key)) STRICT;
CREATE TABLE meta(
  one INTEGER PRIMARY KEY CHECK(one = 1), schema INTEGER NOT NULL, store_id TEXT NOT NULL,
  device_id TEXT NOT NULL, tag_key BLOB NOT NULL, digest INTEGER NOT NULL,
  commits INTEGER NOT NULL, clean INTEGER NOT NULL, boot_id TEXT NOT NULL,
  boot_ms INTEGER NOT NULL, utc_ms INTEGER NOT NULL, mark INTEGER NOT NULL) STRICT;
"""

OUTBOX_INDEX: Final = """CREATE INDEX IF NOT EXISTS outbox ON interaction(id)
  WHERE version > acked_version"""
DROP_OUTBOX_INDEX: Final = "DROP INDEX IF EXISTS outbox"

INTERACTION: Final = ("id", "dialogue_id", "device_id", "turn", "events", "item_ids", "version",
                      "acked_version", "created_at", "expires_at", "deleted", "wrapped_key")
ITEM: Final = ("id", "interaction_id", "seq", "kind", "op_id", "nonce", "ciphertext",
               "created_at", "expires_at")
CATALOGUE: Final = ("name", "key", "entry", "vector")
COLUMNS: Final = {"interaction": INTERACTION, "item": ITEM, "catalogue": CATALOGUE}
META: Final = ("schema", "store_id", "device_id", "tag_key", "digest", "commits", "clean",
               "boot_id", "boot_ms", "utc_ms", "mark")


def row_tag(tag_key: bytes, table: str, values: Iterable[Field]) -> int:
    """Keyed tag of a row's content, as a signed 64-bit integer.

    The content is written as ASCII literals, which differ whenever the values do and do not
    depend on the version of Python.
    """
    data = ascii((table, *values)).encode("ascii")
    digest = hashlib.blake2b(data, key=tag_key, digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)

"""Opening a store, or making a new one; nothing is ever made over an existing store."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.store import files, roots, schema, sentinel, verify
from agent.store.clock import Anchor, Clock, SystemClock, Timeline
from agent.store.connection import (
    Connection,
    connect,
    log_path,
    log_size,
    translated,
    use_log,
)
from agent.store.epochs import EpochSource, MemoryEpochs
from agent.store.errors import (
    DamagedStoreError,
    NewerStoreError,
    NotInstalledError,
    StoreFailedError,
    StoreFullError,
)
from agent.store.identify import find_root
from agent.store.memoryfs import private_folder
from agent.store.room import drop_ballast
from agent.store.roots import Root, Roots
from agent.store.session import Session, set_quota
from agent.store.settings import Settings

log = logging.getLogger(__name__)


def open_session(settings: Settings, *, clock: Clock | None = None,
                 environ: Mapping[str, str] | None = None, epochs: EpochSource | None = None,
                 create: bool = True) -> Session:
    """Open the store; the caller holds its lock.

    Args:
        settings: Where it is and how it is kept.
        clock: The machine's clocks; another for tests.
        environ: The environment, for credentials and the memory folder.
        epochs: Where epoch keys come from; this device's memory by default.
        create: Make a new store where there is none.

    Raises:
        NotInstalledError, KeyMissingError, KeyRefusedError, WrongKeyError, DamagedStoreError,
            ForeignFileError, NewerStoreError: The store cannot be opened; it was left untouched.
    """
    path = settings.database
    found = roots.load(settings.key_path, environ)
    if not path.exists():
        found = _make(settings, found, create)
    at_hand = found.all if found else ()
    try:
        root, meta = _examine(path, at_hand)
    except (StoreFullError, StoreFailedError):
        # Even reading a log needs a little room for its index.
        drop_ballast(path)
        root, meta = _examine(path, at_hand)
    assert found is not None
    settle(settings, found, root, meta["store_id"])
    return _session(settings, root, meta, clock or SystemClock(), environ, epochs)


def not_installed(settings: Settings) -> NotInstalledError:
    """The error for a place where there is no store yet."""
    return NotInstalledError(f"there is no context store at {settings.database} yet",
                             "it is made when the agent first runs")


def _make(settings: Settings, found: Roots | None, create: bool) -> Roots:
    path = settings.database
    if log_size(path):
        raise DamagedStoreError(
            f"{log_path(path)} is there, but its database {path} is not",
            "put the database back, or run `voice-agent privacy erase` to start anew")
    if not create:
        raise not_installed(settings)
    found = found or roots.create(settings.key_path)
    build(settings, found.current).path.rename(path)
    files.sync_folder(settings.directory)
    log.info("made a new context store at %s", path)
    return found


def _examine(path: Path, at_hand: Sequence[Root]) -> tuple[Root, dict[str, Any]]:
    """Find the root that opens the store and check the store, changing nothing."""
    existed = log_path(path).exists()
    connection: Connection = None
    try:
        root, connection = find_root(path, at_hand)
        meta = _meta(connection, path)
        if not meta["clean"] or log_size(path):
            verify.in_full(connection, path)
    finally:
        if connection:
            connection.close()
        # Reading makes an index of the log, and an empty log where there was none.
        path.with_name(path.name + "-shm").unlink(missing_ok=True)
        if not existed and not log_size(path):
            log_path(path).unlink(missing_ok=True)
    return root, meta


def _meta(connection: Connection, path: Path) -> dict[str, Any]:
    with translated(path):
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
        if "meta" not in tables:
            raise verify.damaged(path, "it has no description of itself")
        row = connection.execute(f"SELECT {', '.join(schema.META)} FROM meta").fetchone()
    if row is None:
        raise verify.damaged(path, "it has no description of itself")
    meta = dict(zip(schema.META, row, strict=True))
    if meta["schema"] > schema.SCHEMA:
        raise NewerStoreError(
            f"the context store {path} was written by a later version of the agent",
            "update the agent")
    return meta


def settle(settings: Settings, found: Roots, root: Root, store_id: str) -> None:
    """End a key replacement that was cut short: keep the root that opens the store."""
    unfinished(settings.database).unlink(missing_ok=True)
    if found.origin == "file" and found.next:
        roots.save(Roots("file", found.where, root))
    wanted = sentinel.Sentinel(
        store_id, (sentinel.Slot(root.check, read_salt(settings.database)),), found.origin)
    if sentinel.read(settings.database) != wanted:
        sentinel.write(settings.database, wanted)


def _session(settings: Settings, root: Root, meta: dict[str, Any], clock: Clock,
             environ: Mapping[str, str] | None, epochs: EpochSource | None) -> Session:
    connection = connect(settings.database, root.database_key, "rw")
    try:
        with translated(settings.database):
            use_log(connection, settings.durable)
        anchor = Anchor(meta["boot_id"], meta["boot_ms"], meta["utc_ms"])
        timeline = Timeline.resume(clock, anchor if anchor.utc_ms else None, meta["mark"])
        if epochs is None:
            folder = private_folder(meta["store_id"], environ)
            epochs = MemoryEpochs(folder, timeline.anchor.boot_id,
                                  round(1000 * settings.retention.epoch_s),
                                  settings.retention.longest_ms)
        session = Session(
            path=settings.database, settings=settings, connection=connection,
            timeline=timeline, epochs=epochs, root=root, store_id=meta["store_id"],
            device_id=meta["device_id"], tag_key=meta["tag_key"],
            new_boot=timeline.anchor != anchor and bool(anchor.utc_ms))
        set_quota(session, deleting=False)
    except BaseException:
        connection.close()
        raise
    return session


@dataclass(frozen=True, slots=True)
class Built:
    """A database made beside the store's place."""

    path: Path
    store_id: str


def build(settings: Settings, root: Root, source: Connection | None = None) -> Built:
    """Make a database under ``root`` beside the store's place, empty or a copy of ``source``.

    The sentinel names the new database as well as the old one before this returns, so that the
    file may be renamed into place at any time.
    """
    path = unfinished(settings.database)
    for leftover in (path, log_path(path)):
        leftover.unlink(missing_ok=True)
    path.touch(mode=0o600)
    connection = connect(path, root.database_key, "rw")
    try:
        with translated(path):
            use_log(connection, durable=True)
            connection.execute("BEGIN IMMEDIATE")
            for statement in schema.TABLES.strip().split(";\n"):
                connection.execute(statement)
            store_id = _describe(connection) if source is None else _copy(source, connection)
            connection.execute("COMMIT")
        verify.in_full(connection, path)
    finally:
        connection.close()
    known = sentinel.read(settings.database)
    kept = tuple(slot for slot in known.slots if slot.check != root.check) if known else ()
    sentinel.write(settings.database, sentinel.Sentinel(
        store_id, (*kept, sentinel.Slot(root.check, read_salt(path))),
        known.origin if known else ""))
    return Built(path, store_id)


def _describe(connection: Connection) -> str:
    store_id = secrets.token_hex(8)
    connection.execute(
        "INSERT INTO meta(one, schema, store_id, device_id, tag_key, digest, commits, clean, "
        "boot_id, boot_ms, utc_ms, mark) VALUES(1, ?, ?, ?, ?, 0, 0, 1, '', 0, 0, 0)",
        (schema.SCHEMA, store_id, secrets.token_hex(8), secrets.token_bytes(32)))
    return store_id


def _copy(source: Connection, target: Connection) -> str:
    for table in ("interaction", "item", "catalogue", "meta"):
        rows = source.execute(f"SELECT * FROM {table}")
        marks = ", ".join("?" * len(rows.description))
        while some := rows.fetchmany(500):
            target.executemany(f"INSERT INTO {table} VALUES({marks})", some)
    target.execute("UPDATE meta SET clean = 1")
    return str(target.execute("SELECT store_id FROM meta").fetchone()[0])


def unfinished(database: Path) -> Path:
    """Where a new database is made before it is put in place."""
    return database.with_name(database.name + ".new")


def read_salt(path: Path) -> str:
    """First 16 bytes of a database file, hex."""
    with path.open("rb") as file:
        return file.read(16).hex()

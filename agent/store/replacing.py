"""Replacing the root key, and erasing everything: both make a new file and put it in place.

At every instant exactly one root opens the database that stands at the store's place:

1. the key file gets both roots (or systemd gives two credentials);
2. a copy of the database is made under the new root, checked, and named in the sentinel;
3. one rename puts the copy in place;
4. key file and sentinel drop the old root.

A kill before 3 leaves the old root in force, one after it the new; the next opening finds which
and tidies up.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from agent.store import files, opening, roots, sentinel
from agent.store.clock import Clock
from agent.store.connection import connect, log_path, log_size
from agent.store.deleting import delete_everything
from agent.store.epochs import EpochSource, MemoryEpochs
from agent.store.errors import (
    DamagedStoreError,
    KeyMissingError,
    KeyRefusedError,
    NewerStoreError,
    StoreError,
    StoreFailedError,
    StoreFullError,
    WrongKeyError,
)
from agent.store.memoryfs import private_folder
from agent.store.roots import Root, Roots
from agent.store.session import checkpoint, close
from agent.store.settings import Settings

log = logging.getLogger(__name__)

UNREADABLE = (DamagedStoreError, KeyMissingError, WrongKeyError, NewerStoreError)


def rotate(settings: Settings, *, clock: Clock | None = None,
           environ: Mapping[str, str] | None = None) -> None:
    """Put the store under a new root key; the caller holds its lock.

    Raises:
        KeyRefusedError: The root is a systemd credential and there is no second one.
        StoreFullError: There is no room for the copy; the old key stays in force.
    """
    session = opening.open_session(settings, clock=clock, environ=environ, create=False)
    old = session.root
    checkpoint(session)
    close(session)
    if log_size(settings.database):
        raise StoreFailedError(f"the log of {settings.database} could not be emptied",
                               "free some disk space, then try again")
    found = roots.load(settings.key_path, environ)
    assert found is not None
    both = _with_next(found, old)
    source = connect(settings.database, old.database_key, "ro")
    try:
        assert both.next is not None
        copy = opening.build(settings, both.next, source)
    except (StoreError, OSError) as error:
        _abandon(settings, both, old, session.store_id)
        if isinstance(error, StoreError):
            raise
        raise StoreFullError(f"cannot copy the context store: {error.strerror}",
                             "free some disk space, then try again") from error
    finally:
        source.close()
        _forget_index(settings.database)
    put_in_place(settings, copy.path)
    opening.settle(settings, both, both.next, copy.store_id)


def _with_next(found: Roots, old: Root) -> Roots:
    if found.origin == "credential":
        if found.next is None or found.next == old:
            raise KeyRefusedError(
                "the root key is a systemd credential, which is read-only",
                f"make a new one, give it to the service as {roots.NEXT_CREDENTIAL}, run this "
                f"again, then make it {roots.CREDENTIAL}")
        return Roots(found.origin, found.where, old, found.next)
    both = Roots(found.origin, found.where, old, Root(secrets.token_bytes(32)))
    roots.save(both)
    return both


def _abandon(settings: Settings, both: Roots, old: Root, store_id: str) -> None:
    copy = opening.unfinished(settings.database)
    for path in (copy, log_path(copy)):
        path.unlink(missing_ok=True)
    with contextlib.suppress(StoreError, OSError):
        opening.settle(settings, both, old, store_id)


def put_in_place(settings: Settings, copy: Path) -> None:
    """Rename a new database over the old one, durably."""
    files.sync_folder(settings.directory)
    copy.rename(settings.database)
    files.sync_folder(settings.directory)


def _forget_index(database: Path) -> None:
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    if not log_size(database):
        log_path(database).unlink(missing_ok=True)


def erase(settings: Settings, *, clock: Clock | None = None,
          environ: Mapping[str, str] | None = None) -> bool:
    """Erase everything that is stored, and its keys; the caller holds the lock.

    A store that cannot be read any more is replaced by a new one.

    Returns:
        Whether the root key was replaced too (a systemd credential cannot be).

    Raises:
        ForeignFileError: The file is not this agent's; it was not touched.
    """
    forget_epochs(settings, environ)
    try:
        session = opening.open_session(settings, clock=clock, environ=environ, create=False)
    except UNREADABLE as error:
        if isinstance(error, KeyMissingError) and _by_credential(settings):
            raise
        log.warning("%s; a new store takes its place", error.what)
        _start_anew(settings, environ)
        return True
    sound = False
    try:
        delete_everything(session)
        checkpoint(session)
        sound = True
    finally:
        close(session, sound)
    try:
        rotate(settings, clock=clock, environ=environ)
    except KeyRefusedError:
        return False
    return True


def _by_credential(settings: Settings) -> bool:
    # Its key exists, only not here: a new store would shut the service out.
    known = sentinel.read(settings.database)
    return known is not None and known.origin == "credential"


def forget_epochs(settings: Settings, environ: Mapping[str, str] | None = None,
                  source: EpochSource | None = None) -> int:
    """Destroy every epoch key of this store: what was said is unreadable from here on."""
    known = sentinel.read(settings.database)
    if source is None and known and known.store_id:
        folder = private_folder(known.store_id, environ)
        source = MemoryEpochs(folder, "", 1, 1)
    return source.retain(()) if source else 0


def _start_anew(settings: Settings, environ: Mapping[str, str] | None) -> None:
    try:
        found = roots.load(settings.key_path, environ)
    except KeyRefusedError:
        found = None
        settings.key_path.unlink(missing_ok=True)
    if found is None:
        found = roots.create(settings.key_path)
        following = found.current
    elif found.origin == "file":
        following = Root(secrets.token_bytes(32))
        found = Roots(found.origin, found.where, found.current, following)
        roots.save(found)
    else:
        following = found.current
    copy = opening.build(settings, following)
    log_path(settings.database).unlink(missing_ok=True)
    put_in_place(settings, copy.path)
    opening.settle(settings, found, following, copy.store_id)

"""How a command uses the store: the running agent, if any, steps aside meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.store import opening, replacing, roots, sentinel
from agent.store.clock import SystemClock
from agent.store.engine import Engine, Surroundings
from agent.store.epochs import MemoryEpochs
from agent.store.errors import KeyRefusedError, StoreError
from agent.store.lock import GUEST_WAIT_S, StoreLock
from agent.store.memoryfs import private_folder
from agent.store.roots import Roots
from agent.store.settings import Settings


@contextmanager
def visit(settings: Settings, surroundings: Surroundings | None = None) -> Iterator[Engine]:
    """Open an existing store for a command.

    Raises:
        StoreError: There is none, it is not to be had, or it cannot be opened.
    """
    engine = Engine(settings, surroundings or Surroundings(), guest=True, create=False)
    try:
        engine.start().result()
        yield engine
    finally:
        engine.stop()


@contextmanager
def borrowed(settings: Settings) -> Iterator[None]:
    """Hold the store's lock with nothing open, for work on the files themselves."""
    if not settings.directory.is_dir():
        raise opening.not_installed(settings)
    lock = StoreLock(settings.directory)
    lock.take(GUEST_WAIT_S, knock=True)
    try:
        yield
    finally:
        lock.release()


def rotate(settings: Settings, environ: Mapping[str, str] | None = None) -> None:
    """Put the store under a new root key; see ``replacing.rotate``."""
    with borrowed(settings):
        replacing.rotate(settings, environ=environ)


def erase(settings: Settings, environ: Mapping[str, str] | None = None) -> bool:
    """Erase everything; see ``replacing.erase``."""
    with borrowed(settings):
        return replacing.erase(settings, environ=environ)


@dataclass(frozen=True, slots=True)
class KeyStatus:
    """Where the keys are and whether they open the store; no key."""

    origin: str
    """``credential``, ``file`` or ``none``."""
    where: str
    slots: int
    """Root keys at hand: 1, or 2 while the key is being replaced."""
    store: str
    """``open``, ``none`` when there is none, or the kind of error."""
    trouble: str
    """The error's sentence; empty when there is none."""
    epoch_folder: str
    """Where epoch keys are kept; empty when only in the agent's process."""
    epoch_keys: int


def key_status(settings: Settings, environ: Mapping[str, str] | None = None) -> KeyStatus:
    """Look at the keys, and try them on the store."""
    try:
        found = roots.load(settings.key_path, environ)
        state, trouble = _try(settings, environ)
    except KeyRefusedError as error:
        found, state, trouble = None, type(error).__name__, error.what
    folder, count = _epochs(settings.database, environ)
    return KeyStatus(
        origin=found.origin if found else "none",
        where=str(_where(found, settings)),
        slots=len(found.all) if found else 0, store=state, trouble=trouble,
        epoch_folder=str(folder or ""), epoch_keys=count)


def _where(found: Roots | None, settings: Settings) -> Path:
    return found.where if found else settings.key_path


def _try(settings: Settings, environ: Mapping[str, str] | None) -> tuple[str, str]:
    if not settings.database.exists():
        return "none", ""
    try:
        with visit(settings, Surroundings(environ=environ)):
            return "open", ""
    except StoreError as error:
        return type(error).__name__, error.what


def _epochs(database: Path, environ: Mapping[str, str] | None) -> tuple[Path | None, int]:
    known = sentinel.read(database)
    folder = private_folder(known.store_id, environ) if known and known.store_id else None
    if folder is None:
        return None, 0
    return folder, len(MemoryEpochs(folder, SystemClock().boot_id(), 1, 1).ids())

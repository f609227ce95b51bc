"""The store's one thread: takes jobs in order, and keeps house when there are none."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from agent.store import opening, sweep
from agent.store.clock import Clock
from agent.store.connection import translated
from agent.store.epochs import EpochSource
from agent.store.errors import (
    DamagedStoreError,
    StoreBusyError,
    StoreClosedError,
    StoreError,
    StoreFailedError,
    StoreFullError,
)
from agent.store.lock import GUEST_WAIT_S, StoreLock
from agent.store.session import (
    Session,
    checkpoint,
    close,
    log_is_due,
    log_is_long,
    prepare,
    recover_room,
)
from agent.store.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
Job = Callable[[Session], T]

IDLE_S = 1.0
"""How often the thread looks for housekeeping, and whether a command wants the store."""
BALLAST_RETRY_S = 60.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What tests replace."""

    clock: Clock | None = None
    environ: Mapping[str, str] | None = None
    epochs: EpochSource | None = None


class Engine:
    """Owns the store's lock, session and thread.

    Args:
        settings: Where the store is and how it is kept.
        surroundings: Clocks, environment and epoch keys other than the machine's.
        guest: A command: asks a running agent to step aside, and does no housekeeping.
        create: Make a store where there is none.
    """

    def __init__(self, settings: Settings, surroundings: Surroundings, guest: bool = False,
                 create: bool = True) -> None:
        self._settings = settings
        self._surroundings = surroundings
        self._guest = guest
        self._create = create
        self._lock = StoreLock(settings.directory)
        self._session: Session | None = None
        self._trouble: StoreError | None = None
        self._jobs: queue.SimpleQueue[tuple[Job[Any] | None, Future[Any]]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._next_sweep = 0.0
        self._next_ballast = 0.0
        self._next_look = 0.0
        self._sweeping = False
        self._thread = threading.Thread(target=self._run, name="context-store", daemon=True)

    def start(self) -> Future[None]:
        """Start the thread; the future tells when the store is open, or why not."""
        opened: Future[None] = Future()
        self._jobs.put((None, opened))
        self._thread.start()
        return opened

    def submit(self, job: Job[T]) -> Future[T]:
        """Queue a job; jobs run one at a time, in order."""
        done: Future[T] = Future()
        if self._closing.is_set():
            done.set_exception(closed())
        else:
            self._jobs.put((job, done))
        return done

    def stop(self) -> None:
        """Finish the queued jobs, close the store and end the thread; blocks."""
        if not self._closing.is_set():
            self._closing.set()
            self._jobs.put((None, Future()))
        if self._thread.is_alive():
            self._thread.join()

    # --- the thread ---------------------------------------------------------------------------

    def _run(self) -> None:
        _, opened = self._jobs.get()
        try:
            self._open(GUEST_WAIT_S if self._guest else 0.0)
        except StoreError as error:
            self._trouble = error
            opened.set_exception(error)
        except Exception as error:
            self._trouble = closed()
            opened.set_exception(error)
        else:
            opened.set_result(None)
        while True:
            try:
                job, done = self._jobs.get(timeout=0 if self._sweeping else IDLE_S)
            except queue.Empty:
                self._keep_house()
                continue
            if job is not None:
                self._do(job, done)
                self._trim_log()
                if time.monotonic() >= self._next_look:
                    # A busy store is swept as well, one step between two jobs.
                    self._keep_house()
            elif self._closing.is_set():
                break
        self._close()

    def _open(self, wait_s: float) -> None:
        folder = self._settings.directory
        if self._create:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise StoreFailedError(f"cannot make the folder {folder}: {error.strerror}",
                                       "set store.directory to one that can be written"
                                       ) from error
        elif not folder.is_dir():
            raise opening.not_installed(self._settings)
        if not self._lock.held:
            self._lock.take(wait_s, knock=self._guest)
        try:
            near = self._surroundings
            self._session = opening.open_session(
                self._settings, clock=near.clock, environ=near.environ, epochs=near.epochs,
                create=self._create)
        except BaseException:
            self._lock.release()
            raise
        self._trouble = None
        self._next_sweep = 0.0

    def _close(self, sound: bool = True) -> None:
        if self._session:
            close(self._session, sound)
            self._session = None
        self._lock.release()

    def _do(self, job: Job[Any], done: Future[Any]) -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(self._attempt(job))
        except BaseException as error:
            # The traceback's frames hold texts; the sentence is all that anyone needs.
            done.set_exception(error.with_traceback(None))

    def _attempt(self, job: Job[T]) -> T:
        if self._session is None:
            raise self._trouble or closed()
        try:
            return self._carry_out(job, self._session)
        except StoreFullError:
            if not self._make_room():
                raise
            return self._carry_out(job, self._session)
        except (DamagedStoreError, StoreFailedError) as error:
            self._distrust(error)
            raise

    def _carry_out(self, job: Job[T], session: Session) -> T:
        with translated(session.path):
            return job(session)

    def _make_room(self) -> bool:
        """Delete what has expired from a full store; whether a second try may do."""
        assert self._session is not None
        try:
            removed = sweep.make_room(self._session)
        except StoreError as error:
            log.warning("the context store is full, and no room can be made: %s", error.what)
            return False
        log.debug("the context store was full; %d expired rows and items were removed", removed)
        return recover_room(self._session)

    def _distrust(self, error: StoreError) -> None:
        """After damage or a failed write, open the store anew, with every check."""
        log.warning("the context store is opened anew: %s", error.what)
        if self._session:
            close(self._session, sound=False)
            self._session = None
        try:
            self._open(0.0)
        except StoreError as why:
            self._trouble = why
            log.warning("the context store stays closed: %s", why.what)

    # --- housekeeping -------------------------------------------------------------------------

    def _keep_house(self) -> None:
        self._next_look = time.monotonic() + IDLE_S
        if self._session is None or self._guest or self._closing.is_set():
            return
        try:
            if self._lock.wanted():
                self._step_aside()
            else:
                self._housekeeping(self._session)
        except StoreFullError:
            self._sweeping = False
            self._make_room()
        except StoreError as error:
            self._sweeping = False
            self._distrust(error)
        except Exception as error:
            self._sweeping = False
            log.error("housekeeping of the context store failed: %s", type(error).__name__)

    def _housekeeping(self, session: Session) -> None:
        now = time.monotonic()
        if not session.prepared:
            prepare(session)
        elif self._sweeping:
            self._sweeping = sweep.chunk(session) > 0
            if self._sweeping:
                self._trim_log()
            else:
                sweep.finish(session)
                sweep.expire_epochs(session)
        elif now >= self._next_sweep:
            self._next_sweep = now + self._settings.retention.sweep_s
            self._sweeping = sweep.pending(session)
            sweep.write_mark(session)
            sweep.expire_epochs(session)
        elif log_is_due(session):
            checkpoint(session)
        elif now >= self._next_ballast:
            self._next_ballast = now + BALLAST_RETRY_S
            recover_room(session)

    def _trim_log(self) -> None:
        if self._session and log_is_long(self._session):
            try:
                checkpoint(self._session)
            except StoreError as error:
                log.warning("the log could not be emptied: %s", error.what)

    def _step_aside(self) -> None:
        self._close()
        try:
            self._lock.step_aside(self._closing.is_set)
            self._open(0.0)
        except StoreBusyError:
            self._trouble = closed()
        except StoreError as error:
            self._trouble = error
            log.warning("the context store stays closed: %s", error.what)


def closed() -> StoreClosedError:
    """The error for a store that is not open any more."""
    return StoreClosedError("the context store is closed")

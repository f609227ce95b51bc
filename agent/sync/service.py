"""``Sync``: what the running agent starts, nudges and asks; it never raises and never waits long.

    sync = Sync(settings.sync, store=lambda: best_effort.store, keyring=open_keyring,
                directory=settings.store.directory)
    sync.start()
    sync.nudge()                          # after a write
    changed = await sync.pull(0.8)        # when the device is woken
    await sync.close()

All work is done in threads of its own, so that a socket that blocks holds nobody up.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from agent.errors import AgentError
from agent.store import exchange
from agent.store.records import Interaction
from agent.sync import Backend
from agent.sync.backoff import Breaker, Pace
from agent.sync.clock import CloudClock
from agent.sync.diagnosis import fault
from agent.sync.faults import Kind
from agent.sync.intake import Household, StoreGate, ask
from agent.sync.keys import Keyring
from agent.sync.ledger import Ledger
from agent.sync.network import NetworkWatch
from agent.sync.pulling import Puller
from agent.sync.pushing import Pusher
from agent.sync.settings import Settings
from agent.sync.status import Status, path_of
from agent.sync.worker import Work, Worker

log = logging.getLogger(__name__)


class Companion(Protocol):
    """Something else that a household keeps in the cloud, such as its catalogues."""

    def exchange(self, backend: Backend, keyring: Keyring, now_ms: int) -> None:
        """Send and fetch what has changed.

        Called in sync's thread, after a start or an outage and whenever something was written.

        Raises:
            AgentError: It did not go through; it is tried again.
        """
        ...


MakeBackend = Callable[[Settings, str, CloudClock], Backend]


def dynamodb(settings: Settings, household: str, clock: CloudClock) -> Backend:
    """The backend that the settings name."""
    from agent.sync.dynamodb import DynamoDb
    return DynamoDb(settings, household, clock.note)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What exists once the store is open and the household is known."""

    household: Household
    pusher: Pusher
    puller: Puller


class Sync:
    """Keeps a device and its household's tables in step.

    Args:
        settings: Where the tables are.
        store: The open store; None while there is none.
        keyring: This device's keys; None while it is in no household.
        directory: The store's folder, after which the status is named.
        companions: What else is kept in the cloud.
        pace: Seconds between attempts.
        in_turn: Whether somebody is being listened to or answered now; asked in sync's thread.
            A backlog waits meanwhile; what is new is sent all the same.
        backend: Makes the backend; tests replace it.
    """

    def __init__(self, settings: Settings, store: Callable[[], StoreGate | None],
                 keyring: Callable[[], Keyring | None], directory: Path, *,
                 companions: tuple[Companion, ...] = (), pace: Pace | None = None,
                 in_turn: Callable[[], bool] = lambda: False,
                 backend: MakeBackend = dynamodb) -> None:
        self._settings = settings
        self._store = store
        self._keyring = keyring
        self._companions = companions
        self._in_turn = in_turn
        self._make_backend = backend
        self._guard = threading.Lock()
        self._ready: _Ready | None = None
        self._pulling: Future[tuple[Interaction, ...]] | None = None
        self.clock = CloudClock()
        self.status = Status(path_of(directory) if settings.enabled else None)
        self._worker = Worker(Work(self._send, self._catch_up, settings.pull_window_s),
                              Breaker(pace or Pace()),
                              self.status, NetworkWatch() if settings.enabled else None)

    def start(self) -> None:
        """Begin in the background; nothing happens where sync is off."""
        if self._settings.enabled:
            self._worker.start()

    async def close(self) -> None:
        """Stop; a request that is under way is left to its own time-out."""
        await asyncio.to_thread(self._worker.stop)
        self.status.update(state="off")

    def nudge(self) -> None:
        """Something was written to the store; returns at once."""
        self._worker.nudge()

    async def pull(self, deadline_s: float | None = None) -> tuple[Interaction, ...]:
        """Merge what the household's other devices have live.

        Args:
            deadline_s: Seconds to wait; what comes later is still merged. None for the setting.

        Returns:
            The rows that changed here in time; none where the cloud cannot be had.
        """
        if not self._settings.enabled or self._worker.closing:
            return ()
        if deadline_s is None:
            deadline_s = self._settings.pull_deadline_s
        try:
            under_way = asyncio.wrap_future(self._begin_pull())
            return await asyncio.wait_for(asyncio.shield(under_way), deadline_s)
        except TimeoutError:
            under_way.add_done_callback(_look_away)
            return ()
        except Exception as error:
            log.info("nothing was pulled: %s", type(error).__name__)
            return ()

    # --- the threads ------------------------------------------------------------------------------

    def _begin_pull(self) -> Future[tuple[Interaction, ...]]:
        with self._guard:
            if self._pulling is None or self._pulling.done():
                self._pulling = Future()
                threading.Thread(target=self._pull, args=(self._pulling,), name="sync-pull",
                                 daemon=True).start()
            return self._pulling

    def _pull(self, done: Future[tuple[Interaction, ...]]) -> None:
        try:
            if not self._worker.may_probe():
                done.set_result(())
                return
            changed = self._made().puller.pull()
        except BaseException as error:
            if isinstance(error, AgentError):
                self._worker.failed(error)
            done.set_exception(error.with_traceback(None))
        else:
            done.set_result(changed)
            self._worker.recovered()

    def _catch_up(self) -> None:
        ready = self._made()
        ready.pusher.look_again()
        ready.puller.pull(full=True)

    def _send(self) -> None:
        ready = self._made()
        near = ready.household
        try:
            ready.pusher.drain()
            for companion in self._companions:
                companion.exchange(near.backend, near.keyring, self.clock.now_ms())
        finally:
            self.status.update(waiting=ask(near.store, exchange.waiting),
                               requests=getattr(near.backend, "requests", 0))

    def _made(self) -> _Ready:
        """Everything that sync needs, made when first needed.

        Raises:
            CloudError: The store is not open, or this device is in no household.
        """
        store, keyring = self._store(), self._keyring()
        if store is None:
            raise fault(Kind.STORE, "not open")
        if keyring is None:
            raise fault(Kind.HOUSEHOLD)
        with self._guard:
            known = self._ready
            if known and known.household.store is store and (
                    known.household.keyring.household == keyring.household):
                return known
            household = Household(
                store, self._make_backend(self._settings, keyring.household, self.clock),
                keyring, self.clock, Ledger(), self.status)
            self._ready = _Ready(household, Pusher(household, lambda: self._worker.closing,
                                                   self._in_turn),
                                 Puller(household, self._settings.pull_window_s))
            return self._ready


def _look_away(late: asyncio.Future[Any]) -> None:
    """Nobody waits any more: its error was named in the status."""
    if not late.cancelled():
        late.exception()

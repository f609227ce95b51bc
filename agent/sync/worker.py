"""The thread that sends: wakes for a write, for its next attempt, or because the network changed.

It sleeps in ``select`` and asks the cloud nothing while there is nothing to send.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from agent.errors import AgentError
from agent.store.errors import StoreError
from agent.sync.backoff import Breaker
from agent.sync.diagnosis import fault
from agent.sync.faults import CloudError, Kind
from agent.sync.network import NetworkWatch
from agent.sync.status import Status

log = logging.getLogger(__name__)

LONGEST_SLEEP_S = 3600.0
"""What was set aside is looked at again this often; costs no request where nothing was."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one attempt does; each raises an ``AgentError`` when it does not go through."""

    send: Callable[[], None]
    """Send what was not acknowledged."""
    catch_up: Callable[[], None]
    """After a start or a long outage: read everything that is live."""
    window_s: float = 3600.0
    """Outages up to this long are within what every pull reads."""


class Worker:
    """Paces attempts for one device.

    Args:
        work: What an attempt does.
        breaker: When attempts may be made.
        status: Told how it goes.
        watch: News of the network.
    """

    def __init__(self, work: Work, breaker: Breaker, status: Status,
                 watch: NetworkWatch | None = None) -> None:
        self._work = work
        self._breaker = breaker
        self._status = status
        self._watch = watch
        self._thread = threading.Thread(target=self._run, name="sync", daemon=True)
        self._closing = threading.Event()
        self._wanted = threading.Event()
        self._guard = threading.Lock()
        self._behind = True
        self._down_since: float | None = None
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)

    def start(self) -> None:
        """Begin; the first attempt also reads everything that is live."""
        self._wanted.set()
        self._thread.start()

    def stop(self, wait_s: float = 1.0) -> None:
        """End after the request under way, without waiting long for it: the thread is a daemon."""
        self._closing.set()
        self._wake()
        if self._thread.is_alive():
            self._thread.join(wait_s)

    @property
    def closing(self) -> bool:
        """Whether it was told to stop."""
        return self._closing.is_set()

    def nudge(self) -> None:
        """Something was written; returns at once."""
        if not self._wanted.is_set():
            self._wanted.set()
            self._wake()

    def recovered(self) -> None:
        """A request that another thread made went through."""
        with self._guard:
            was_waiting = self._breaker.failures > 0
            self._breaker.succeeded()
        if was_waiting:
            self._wanted.set()
            self._wake()

    def failed(self, error: AgentError) -> None:
        """A request that another thread made did not go through: go on looking until one does."""
        self._failed(error)
        self._behind = True  # reading what is live tells whether the cloud is back
        self._wake()

    def may_probe(self) -> bool:
        """Whether a person at the device is reason enough for a request now."""
        with self._guard:
            return self._breaker.failures == 0 or self._breaker.hurry()

    # --- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        next_look = time.monotonic() + LONGEST_SLEEP_S
        while not self._closing.is_set():
            if not self._wanted.is_set():
                self._sleep(max(0.0, next_look - time.monotonic()))
                if time.monotonic() >= next_look:
                    next_look = time.monotonic() + LONGEST_SLEEP_S
                    self._wanted.set()
                continue
            wait = self._breaker.wait_s
            if wait > 0:
                self._status.update(state="waiting", next_attempt=time.time() + wait,
                                    breaker_open=self._breaker.open)
                self._sleep(wait)
                continue
            # The versions of one interaction come within moments and should go as one.
            self._closing.wait(self._breaker.pace.settle_s)
            if not self._closing.is_set():
                self._attempt()
        if self._watch:
            self._watch.close()

    def _attempt(self) -> None:
        self._wanted.clear()
        self._status.update(state="sending")
        try:
            self._work_once()
        except AgentError as error:
            self._failed(error)
        except TimeoutError:
            self._failed(fault(Kind.STORE, "no answer"))
        except Exception as error:
            # The type alone: a message could hold anything.
            log.error("sync failed: %s", type(error).__name__)
            self._failed(fault(Kind.UNKNOWN, type(error).__name__))
        else:
            with self._guard:
                self._breaker.succeeded()
            self._behind, self._down_since = False, None
            self._status.well()
            self._status.update(state="idle", next_attempt=0.0, breaker_open=False)

    def _work_once(self) -> None:
        self._work.send()
        down = time.monotonic() - self._down_since if self._down_since is not None else 0.0
        if self._behind or down > self._work.window_s:
            self._work.catch_up()
            self._work.send()

    def _failed(self, error: AgentError) -> None:
        with self._guard:
            self._breaker.failed()
        if self._down_since is None:
            self._down_since = time.monotonic()
        self._wanted.set()
        self._status.trouble(kind_of(error).value, error)

    def _sleep(self, seconds: float) -> None:
        watched = [self._out]
        if self._watch and self._watch.socket:
            watched.append(self._watch.socket.fileno())
        with contextlib.suppress(OSError, ValueError):
            select.select(watched, [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._out, 4096):
                pass
        if self._watch and self._watch.clear() and self._breaker.failures:
            with self._guard:
                self._breaker.hurry()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._in, b".")


def kind_of(error: AgentError) -> Kind:
    """The sort of trouble that an error is."""
    if isinstance(error, CloudError):
        return error.kind
    if isinstance(error, StoreError):
        return Kind.STORE
    from agent.sync.household.keyring import ClockDoubtError
    return Kind.CLOCK if isinstance(error, ClockDoubtError) else Kind.HOUSEHOLD

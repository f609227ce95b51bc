"""The store as the turn sees it: whatever happens to it, the turn goes on.

Nothing here raises or waits. What cannot be stored in time is dropped, and each kind of trouble
is reported once, until the store works again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from agent.store.engine import Surroundings
from agent.store.errors import NotInstalledError, StoreError
from agent.store.facade import ContextStore
from agent.store.records import Interaction, NewItem, OpenItem
from agent.store.settings import Settings

log = logging.getLogger(__name__)

T = TypeVar("T")
Report = Callable[[str], None]

QUEUE_LIMIT = 256
"""Calls that may wait for the store; more are dropped."""
DEADLINE_S = 5.0
"""After this a call gives its default; the work itself may still be done."""


class BestEffortStore:
    """A ``ContextStore`` that never raises.

    Every method returns a future at once, in order, and may be left unawaited. Its result is
    None (or empty) when the store is off, closed, full, damaged or too slow.

    Args:
        settings: Where the store is and how it is kept.
        report: Told once, in a sentence for people, what the agent now goes on without.
        surroundings: Clocks, environment and epoch keys other than the machine's.
        deadline_s: Seconds after which a call gives its default.
    """

    def __init__(self, settings: Settings, report: Report,
                 surroundings: Surroundings | None = None,
                 deadline_s: float = DEADLINE_S) -> None:
        self._settings = settings
        self._report = report
        self._surroundings = surroundings
        self._deadline_s = deadline_s
        self._store: ContextStore | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reported: set[str] = set()
        self._turn = asyncio.Lock()
        self._written: Callable[[], None] = _nobody

    def on_write(self, listener: Callable[[], None]) -> None:
        """Call ``listener`` after each write, to say that there is something to send."""
        self._written = listener

    @property
    def store(self) -> ContextStore | None:
        """The store itself once it is open; None while there is none."""
        return self._store

    def start(self) -> asyncio.Task[None]:
        """Begin to open the store; calls made meanwhile wait for it, nobody else does."""
        if self._opening is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())
        return self._opening

    async def close(self) -> None:
        """Give what was handed over a moment to be written, then close."""
        if self._opening:
            await asyncio.wait({self._opening}, timeout=self._deadline_s)
            self._opening.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._deadline_s)
        store, self._store = self._store, None
        if store:
            await store.close()

    def append(self, dialogue_id: str, turn: int, event: str,
               items: Sequence[NewItem] = ()) -> asyncio.Future[Interaction | None]:
        """See ``ContextStore.append``; None when it was not stored."""
        given = tuple(items)
        return self._write(lambda s: s.append(dialogue_id, turn, event, given))

    def close_turn(self, dialogue_id: str, turn: int) -> asyncio.Future[Interaction | None]:
        """See ``ContextStore.close_turn``."""
        return self._write(lambda s: s.close_turn(dialogue_id, turn))

    def close_dialogue(self, dialogue_id: str) -> asyncio.Future[Interaction | None]:
        """See ``ContextStore.close_dialogue``."""
        return self._write(lambda s: s.close_dialogue(dialogue_id))

    def open_items(self, row: Interaction) -> asyncio.Future[tuple[OpenItem, ...]]:
        """See ``ContextStore.open_items``; empty when they cannot be had."""
        return self._later(lambda s: s.open_items(row), ())

    def open_rounds(self, dialogue_id: str,
                    count: int = 3) -> asyncio.Future[tuple[OpenItem, ...]]:
        """See ``ContextStore.open_rounds``; empty when they cannot be had."""
        return self._later(lambda s: s.open_rounds(dialogue_id, count), ())

    def carry_over(self) -> asyncio.Future[tuple[OpenItem, ...]]:
        """See ``ContextStore.carry_over``; empty when they cannot be had."""
        return self._later(lambda s: s.carry_over(), ())

    def open_question(self) -> asyncio.Future[Interaction | None]:
        """See ``ContextStore.open_question``; None when it cannot be had."""
        return self._later(lambda s: s.open_question(), None)

    # --- inside ---------------------------------------------------------------------------------

    async def _open(self) -> None:
        if not self._settings.enabled:
            return
        try:
            self._store = await ContextStore.open(self._settings, self._surroundings)
        except (StoreError, OSError, ImportError) as error:
            self._tell(error)

    def _write(self, call: Callable[[ContextStore], asyncio.Future[T]]) -> asyncio.Future[Any]:
        done = self._later(call, None)
        done.add_done_callback(lambda _: self._written())
        return done

    def _later(self, call: Callable[[ContextStore], asyncio.Future[T]],
               default: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        if len(self._tasks) >= QUEUE_LIMIT:
            self._tell_once("busy", "the context store is too slow; some context is not kept")
            return _settled(loop, default)
        opening = self.start()
        if self._store is None and opening.done():
            return _settled(loop, default)
        task = loop.create_task(self._call(call, default))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _call(self, call: Callable[[ContextStore], asyncio.Future[T]],
                    default: T) -> T:
        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._hand_over(call, default)
        except TimeoutError:
            self._tell_once("slow", "the context store is too slow; some context is not kept")
        except StoreError as error:
            self._tell(error)
        except Exception as error:
            log.error("the context store refused a call: %s", type(error).__name__)
            self._tell_once(type(error).__name__,
                            f"the context store refused a call ({type(error).__name__})")
        return default

    async def _hand_over(self, call: Callable[[ContextStore], asyncio.Future[T]],
                         default: T) -> T:
        # Tasks start in the order they were made, and a lock wakes its waiters in that order, so
        # calls reach the store's queue in the order the turn made them.
        async with self._turn:
            await asyncio.shield(self.start())
            if self._store is None:
                return default
            done = call(self._store)
        result = await done
        self._reported -= {"slow", "busy"}
        return result

    def _tell(self, error: BaseException) -> None:
        if isinstance(error, NotInstalledError):
            return
        what = error.what if isinstance(error, StoreError) else type(error).__name__
        self._tell_once(type(error).__name__, f"going on without context: {what}")

    def _tell_once(self, key: str, message: str) -> None:
        if key in self._reported:
            return
        self._reported.add(key)
        log.warning("%s", message)
        try:
            self._report(message)
        except Exception as error:
            log.error("a report could not be delivered: %s", type(error).__name__)


def _nobody() -> None:
    return


def _settled(loop: asyncio.AbstractEventLoop, value: T) -> asyncio.Future[T]:
    future: asyncio.Future[T] = loop.create_future()
    future.set_result(value)
    return future

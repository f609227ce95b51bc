"""Slow work beside the audio: one thread of its own, and the count of what is outstanding."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class Worker:
    """Runs calls one after the other on a daemon thread.

    A daemon, unlike ``asyncio.to_thread``, so that a decode in progress cannot hold up the end of
    the process.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call ``function`` on the thread and wait for its result.

        When the caller is cancelled a call that has begun still runs to its end, unseen.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._jobs.put((lambda: function(*args, **kwargs), future, loop))
        return await future

    def close(self) -> None:
        """Let the thread end after what it is doing."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            call, future, loop = job
            if future.cancelled():
                continue
            try:
                result = call()
            except BaseException as error:
                _deliver(loop, future, error=error)
            else:
                _deliver(loop, future, result=result)
                del result
            del job, call, future  # or what they refer to would live until the next job


def _deliver(loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any], *, result: Any = None,
             error: BaseException | None = None) -> None:
    def settle() -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)

    with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
        loop.call_soon_threadsafe(settle)


class Workload:
    """What is being worked on beside the audio.

    On a device nobody asks. An emulated room in fast mode stands still while anything is
    outstanding, so that a conversation comes out the same however slow the machine is.
    """

    def __init__(self) -> None:
        self._outstanding = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        """Count the enclosed work as outstanding."""
        self._outstanding += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._outstanding -= 1
            if self._outstanding == 0:
                self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing is outstanding."""
        await self._idle.wait()

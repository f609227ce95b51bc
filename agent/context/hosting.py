"""The encoder on a thread of its own, given up when it takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from agent.context import Vectors
from agent.errors import AgentError
from agent.worker import Worker

T = TypeVar("T")

NICENESS = 5
"""By how much this work gives way to playback."""
MOST_STUCK = 3
"""Threads that may hang in an encoder at once; then it is not called until one comes back."""


class Encoding(Protocol):
    """An encoder."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts, ``float32[texts, 384]``."""
        ...


class EncoderHost:
    """Opens the encoder when it is first needed; calls it from one thread.

    Args:
        make: Opens it; raises where there is none.
    """

    def __init__(self, make: Callable[[], Encoding]) -> None:
        self._make = make
        self._worker = Worker("encoder")
        self._encoder: Encoding | None = None
        self._running, self._lock = 0, threading.Lock()
        self.problem: str | None = None
        """Why there is no encoder, in a sentence; None while that is not known."""

    async def open(self) -> bool:
        """Open the encoder, off the event loop; whether there is one."""
        if self._encoder is None and self.problem is None:
            try:
                self._encoder = await self._worker.run(quietly(self._make))
            except Exception as error:
                self.problem = str(getattr(error, "what", type(error).__name__))
        return self._encoder is not None

    async def encode(self, texts: Sequence[str], seconds: float | None = None) -> Vectors:
        """Vectors of texts, ``float32[texts, 384]``.

        Args:
            texts: The texts.
            seconds: Time after which the call is given up; None for never.

        Raises:
            AgentError: There is no encoder, or it hangs.
            TimeoutError: It took too long; it is called anew the next time.
        """
        if self._encoder is None:
            raise AgentError(self.problem or "the context encoder has not been opened yet")
        if self._running >= MOST_STUCK:
            raise AgentError("the context encoder hangs", "restart the agent")
        encode = self._encoder.encode
        try:
            async with asyncio.timeout(seconds):
                return await self._worker.run(self._counted(lambda: encode(texts)))
        except (TimeoutError, asyncio.CancelledError):
            self._worker.close()
            self._worker = Worker("encoder")
            raise

    def _counted(self, call: Callable[[], T]) -> Callable[[], T]:
        def counted() -> T:
            with self._lock:
                self._running += 1
            try:
                return quietly(call)()
            finally:
                with self._lock:
                    self._running -= 1
        return counted


def quietly(call: Callable[[], T]) -> Callable[[], T]:
    """The same call, on a thread that gives way to all others of the agent."""
    def quiet() -> T:
        if not getattr(_THREAD, "quiet", False):
            _THREAD.quiet = True
            thread = threading.get_native_id()
            with contextlib.suppress(OSError, AttributeError):  # a system without it goes without
                before = os.getpriority(os.PRIO_PROCESS, thread)
                os.setpriority(os.PRIO_PROCESS, thread, min(19, before + NICENESS))
        return call()
    return quiet


_THREAD = threading.local()

"""The queue between the thread that captures audio and the agent that reads it."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field

from agent.errors import AgentError

BACKLOG = 10
"""Blocks from which on reading gives way to others between two of them."""


@dataclass(slots=True)
class Block:
    """Raw audio as it was captured."""

    data: bytearray = field(repr=False)
    start: int
    """Sample frames from the opening of the stream to its first one, lost ones included."""


class CaptureQueue:
    """A bounded queue, filled by a thread and emptied by a coroutine.

    Args:
        limit: Bytes held at most.
        patience: Blocks that may gather before the reader is woken for what can wait.
    """

    def __init__(self, limit: int, patience: int = 1) -> None:
        self._limit, self._patience = limit, patience
        self._lock = threading.Lock()
        self._room = threading.Condition(self._lock)
        self._blocks: deque[Block] = deque()
        self._size = 0
        self._ended = False
        self._error: AgentError | None = None
        self._waiting: tuple[asyncio.AbstractEventLoop, asyncio.Future[bool]] | None = None

    @property
    def ended(self) -> bool:
        """No more will be put."""
        return self._ended

    def put(self, block: Block, urgent: bool = True) -> None:
        """Add a block; where there is no room, the oldest ones go. Never waits.

        Args:
            block: What was captured.
            urgent: Wake the reader now; otherwise when enough has gathered.
        """
        with self._lock:
            while self._blocks and self._size + len(block.data) > self._limit:
                self._size -= len(self._blocks.popleft().data)
            self._append(block, urgent)

    def put_waiting(self, block: Block) -> bool:
        """Add a block, waiting for room; False when the queue ended meanwhile."""
        with self._room:
            while self._size + len(block.data) > self._limit and self._blocks and not self._ended:
                self._room.wait()
            if not self._ended:
                self._append(block)
            return not self._ended

    def end(self, error: AgentError | None = None) -> None:
        """Nothing more comes; ``error`` says why if that is a failure. The first call counts."""
        with self._room:
            if not self._ended:
                self._ended, self._error = True, error
            self._wake()
            self._room.notify_all()

    async def get(self, patience: float | None = None) -> Block | None:
        """The oldest block; waits for one. None when the queue has ended and is empty.

        Args:
            patience: Seconds to wait at most.

        Raises:
            AgentError: It ended with an error.
            TimeoutError: Nothing came in time.
        """
        loop = asyncio.get_running_loop()
        if len(self._blocks) > BACKLOG:
            await asyncio.sleep(0)  # others have their turn while a backlog is worked off
        while True:
            ready: asyncio.Future[bool] = loop.create_future()
            with self._room:
                if self._blocks:
                    block = self._blocks.popleft()
                    self._size -= len(block.data)
                    self._room.notify_all()
                    return block
                if self._error is not None:
                    raise self._error
                if self._ended:
                    return None
                self._waiting = (loop, ready)
            # A timer by itself: asyncio.wait_for costs a task at every block of audio.
            late = loop.call_later(patience, _settle, ready, False) if patience else None
            try:
                if not await ready:
                    raise TimeoutError
            finally:
                if late is not None:
                    late.cancel()

    def clear(self) -> None:
        """Overwrite and forget what is held."""
        with self._room:
            for block in self._blocks:
                block.data[:] = bytes(len(block.data))
            self._blocks.clear()
            self._size = 0
            self._room.notify_all()

    def _append(self, block: Block, urgent: bool = True) -> None:
        if self._ended:
            return
        self._blocks.append(block)
        self._size += len(block.data)
        if urgent or len(self._blocks) >= self._patience:
            self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting[0].is_closed():
            waiting[0].call_soon_threadsafe(_settle, waiting[1], True)


def _settle(ready: asyncio.Future[bool], came: bool) -> None:
    if not ready.done():
        ready.set_result(came)

"""One process at a time uses the store; a command may ask the running agent to step aside.

The owner holds ``flock`` on ``context.lock``, which the kernel gives back when it dies. A command
that finds it taken leaves ``context.wanted``; the agent sees that at its next idle moment, closes
the store, waits until the command is done, and opens it again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

from agent.store.errors import StoreBusyError, StoreFailedError

POLL_S = 0.02
GUEST_WAIT_S = 10.0
"""How long a command waits for the agent to step aside."""
HOST_WAIT_S = 2.0
"""How long the agent leaves the store to a command that does not come."""


class StoreLock:
    """The lock of one store's folder."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "context.lock"
        self._wanted = folder / "context.wanted"
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._handle is not None

    def wanted(self) -> bool:
        """Whether another process asks for the store."""
        return self._wanted.exists()

    def take(self, wait_s: float = 0.0, knock: bool = False,
             cancelled: Callable[[], bool] = lambda: False) -> None:
        """Take the lock.

        Args:
            wait_s: How long to wait for it.
            knock: Ask a running agent to step aside.
            cancelled: Polled while waiting; true gives up.

        Raises:
            StoreBusyError: Someone else kept it.
            StoreFailedError: The folder cannot be written.
        """
        until = time.monotonic() + wait_s
        if self._try():
            return
        try:
            if knock:
                self._wanted.touch(mode=0o600)
            while time.monotonic() < until and not cancelled():
                time.sleep(POLL_S)
                if self._try():
                    return
        finally:
            if knock:
                self._wanted.unlink(missing_ok=True)
        raise StoreBusyError(f"another process is using the context store {self._path.parent}",
                        "stop the other agent or command, then try again")

    def release(self) -> None:
        """Give the lock back; safe when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def step_aside(self, cancelled: Callable[[], bool]) -> None:
        """Give the lock to whoever asked, and take it again when they are done.

        Raises:
            StoreBusyError: ``cancelled`` became true before they were done.
        """
        self.release()
        until = time.monotonic() + HOST_WAIT_S
        while self.wanted() and time.monotonic() < until:
            time.sleep(POLL_S)
        with contextlib.suppress(OSError):
            self._wanted.unlink(missing_ok=True)
        # The guest holds the lock now, or is gone; the kernel tells which.
        self.take(wait_s=float("inf"), cancelled=cancelled)

    def _try(self) -> bool:
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW,
                             0o600)
        except OSError as error:
            raise StoreFailedError(
                f"cannot write to the folder {self._path.parent}: {error.strerror}",
                "check its rights and free space") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        self._handle = handle
        return True

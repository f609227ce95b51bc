"""A microphone that can be muted, so that nothing gets past it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from agent.audio import Microphone
from agent.events import Samples

_log = logging.getLogger(__name__)


class GatedMicrophone:
    """Hands on another microphone's frames, and none of what was captured while muted.

    While muted, ``read`` does not return: it takes frames from the device, drops them and waits
    for unmuting. All calls belong to one event loop.

    Args:
        inner: Where frames come from.
    """

    def __init__(self, inner: Microphone) -> None:
        self._inner = inner
        self._muted = False
        self._turns = 0
        self._wipes: list[Callable[[], object]] = []

    @property
    def inner(self) -> Microphone:
        """The microphone behind the gate."""
        return self._inner

    def replace(self, inner: Microphone) -> None:
        """Go on with another microphone (a device that was opened again); muting stays."""
        self._inner = inner
        if self._muted:
            inner.clear()

    @property
    def muted(self) -> bool:
        """No frame is handed on now."""
        return self._muted

    @property
    def now(self) -> float:
        """Seconds on the clock of the microphone behind."""
        return self._inner.now

    @property
    def overruns(self) -> int:
        """Frames that the microphone behind has lost."""
        return self._inner.overruns

    def on_mute(self, wipe: Callable[[], object]) -> None:
        """Have ``wipe`` called at every muting and unmuting: for whatever holds audio."""
        self._wipes.append(wipe)

    def mute(self) -> None:
        """From now on no frame is handed on; wipes what is held."""
        self._muted = True
        self._forget()

    def unmute(self) -> None:
        """Hand frames on again, from what is captured from now on.

        A frame already awaited may have been captured before, and is dropped too.
        """
        if self._muted:
            self._muted = False
            self._forget()

    async def read(self) -> Samples | None:
        """The next frame captured while not muted; None at the end of the audio.

        Raises:
            AgentError: The device went away.
        """
        while True:
            turn = self._turns
            frame = await self._inner.read()
            if frame is None or (not self._muted and turn == self._turns):
                return frame
            del frame

    async def skip(self) -> bool:
        """Take a frame from the device and drop it unseen; False at the end of the audio.

        Called while muted, so that the clock goes on and nothing piles up.

        Raises:
            AgentError: The device went away.
        """
        return await self._inner.read() is not None

    def clear(self) -> None:
        """Forget frames captured but not yet read."""
        self._inner.clear()

    async def close(self) -> None:
        """Give the device back."""
        await self._inner.close()

    def _forget(self) -> None:
        self._turns += 1
        for wipe in (self._inner.clear, *self._wipes):
            try:
                wipe()
            except Exception as error:  # the others are to be wiped all the same
                _log.error("muting could not wipe everything: %s", type(error).__name__)

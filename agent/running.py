"""Keeping the agent going: muting, microphones that go away, catalogues that change."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from agent.audio import Microphone
from agent.audio.gate import GatedMicrophone
from agent.conversation.ears import Ears, MicrophoneLostError
from agent.conversation.loop import Conversation
from agent.errors import AgentError
from agent.events import AgentState, Event, EventBus, Fault, MuteChanged, StateChanged
from firmware_bridge import Bridge

RETRY = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to open a microphone again; the last is kept up."""

UPKEEP_EVERY = 2.0
"""Seconds between two looks at what may have changed."""

Reopen = Callable[[float], Microphone]
"""Opens the microphone again, its clock going on from the given seconds."""


class Agent:
    """Runs the conversation until the audio ends, whatever happens to the microphone.

    Args:
        conversation: What is run.
        gate: The microphone, with the mute.
        ears: Wiped when the microphone is muted or replaced.
        bus: Brings ``MuteChanged``; told of faults.
        reopen: Opens a microphone that went away; None where that is the end.
        bridge: Lights, button and mute switch.
        upkeep: Called every few seconds beside the conversation, to read changed catalogues.
        close: Gives devices, models and children back.
    """

    def __init__(self, conversation: Conversation, gate: GatedMicrophone, ears: Ears,
                 bus: EventBus, bridge: Bridge, *, reopen: Reopen | None = None,
                 upkeep: Callable[[], Awaitable[None]] | None = None,
                 close: Callable[[], Awaitable[None]] | None = None) -> None:
        self._conversation, self._gate, self._ears, self._bus = conversation, gate, ears, bus
        self._bridge = bridge
        self._reopen, self._upkeep, self._close = reopen, upkeep, close
        self._turns: asyncio.Task[None] | None = None
        self._unmuted = asyncio.Event()
        self._unmuted.set()
        gate.on_mute(ears.forget)
        bus.subscribe(self._on_event)

    async def run(self) -> None:
        """Hold conversations until there is no more audio, or until cancelled.

        Raises:
            AgentError: The microphone went away and cannot be opened again.
        """
        keeping = asyncio.create_task(self._keep_up())
        try:
            await self._bridge.start()
            while not await self._converse():
                await self._unmuted.wait()
        finally:
            keeping.cancel()
            if self._turns is not None:
                self._turns.cancel()
            await asyncio.gather(keeping, *([self._turns] if self._turns else []),
                                 return_exceptions=True)
            await self._bridge.stop()
            if self._close is not None:
                await self._close()

    async def _converse(self) -> bool:
        """Run the conversation until it ends (True) or is interrupted (False)."""
        self._turns = asyncio.create_task(self._conversation.run())
        try:
            await asyncio.wait([self._turns])
            self._turns.result()
        except asyncio.CancelledError:
            if self._turns.cancelled() and not _being_cancelled():
                return False
            raise
        except MicrophoneLostError as error:
            await self._replace(error)
            return False
        return True

    async def _replace(self, error: AgentError) -> None:
        """Open the microphone again, trying until it works; the clock goes on meanwhile."""
        reopen = self._reopen
        if reopen is None:
            raise error
        lost, since = self._gate.now, time.monotonic()
        self._bus.publish(Fault(self._gate.now, "microphone", error.what))
        self._bus.publish(StateChanged(self._gate.now, AgentState.ERROR))
        with contextlib.suppress(AgentError):
            await self._gate.inner.close()
        attempt = 0
        while True:
            await asyncio.sleep(RETRY[min(attempt, len(RETRY) - 1)])
            attempt += 1
            with contextlib.suppress(AgentError):
                opened = await asyncio.to_thread(
                    lambda: reopen(lost + time.monotonic() - since))
                self._gate.replace(opened)
                self._ears.forget()
                return

    async def _keep_up(self) -> None:
        while self._upkeep is not None:
            await asyncio.sleep(UPKEEP_EVERY)
            try:
                await self._upkeep()
            except Exception as error:
                what = error.what if isinstance(error, AgentError) else type(error).__name__
                self._bus.publish(Fault(self._gate.now, "upkeep", what))

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, MuteChanged):
            return
        if event.muted:
            self._unmuted.clear()
            self._gate.mute()
            if self._turns is not None:
                self._turns.cancel()
            self._bus.publish(StateChanged(event.at, AgentState.MUTED))
        else:
            self._gate.unmute()
            self._ears.forget()
            self._unmuted.set()


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

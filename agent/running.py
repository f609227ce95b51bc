"""Keeping the agent going: muting, microphones that go away, catalogues that change."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable

from agent.audio import Microphone
from agent.audio.gate import GatedMicrophone
from agent.conversation.carrying_out import Hands
from agent.conversation.ears import Ears, MicrophoneLostError
from agent.conversation.loop import BUTTON, Conversation
from agent.conversation.muted import Muted
from agent.errors import AgentError
from agent.events import (
    AgentState,
    ButtonKind,
    ButtonPressed,
    Event,
    EventBus,
    Fault,
    MuteChanged,
    StateChanged,
)
from agent.levels import Meter
from agent.wake import Detection
from firmware_bridge import Bridge

RETRY = (0.5, 1.0, 2.0, 5.0)
"""Seconds between attempts to open a microphone again; the last is kept up."""

UPKEEP_EVERY = 2.0
"""Seconds between two looks at what may have changed."""

SWITCH = 0.0005
"""Seconds that a worker may keep the interpreter from the event loop; Python's own 0.005 would
be waited for again after every window of the voice activity detector, while a decode runs."""

Reopen = Callable[[float], Microphone]
"""Opens the microphone again, its clock going on from the given seconds."""


class Agent:
    """Runs the conversation until the audio ends, whatever happens to the microphone.

    The mute switch and the button break off whatever is going on, at any moment: the task that
    holds the conversation is cancelled, which closes the turn, and begun anew.

    Args:
        conversation: What is run.
        muted: What is run in its place while muted.
        gate: The microphone, with the mute.
        ears: Wiped when the microphone is muted or replaced.
        hands: Has the timers, whose ringing the button stops.
        bus: Brings ``MuteChanged`` and ``ButtonPressed``; told of faults.
        bridge: Lights, button and mute switch.
        meter: Tells the bridge how loud it is; None where nobody shows it.
        reopen: Opens a microphone that went away; None where that is the end.
        upkeep: Called every few seconds beside the conversation, to read changed catalogues.
        close: Gives devices, models and children back.
    """

    def __init__(self, conversation: Conversation, muted: Muted, gate: GatedMicrophone,
                 ears: Ears, hands: Hands, bus: EventBus, bridge: Bridge, *,
                 meter: Meter | None = None, reopen: Reopen | None = None,
                 upkeep: Callable[[], Awaitable[None]] | None = None,
                 close: Callable[[], Awaitable[None]] | None = None) -> None:
        self._conversation, self._while_muted = conversation, muted
        self._gate, self._ears, self._hands, self._bus = gate, ears, hands, bus
        self._bridge, self._meter = bridge, meter
        self._reopen, self._upkeep, self._close = reopen, upkeep, close
        self._turns: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: Detection | None = None
        # A switch and a program may both mute; either alone keeps the gate closed.
        self._mutes = {"hardware": False, "software": False}
        gate.on_mute(ears.forget)
        # Before the bridge is started: a board that is muted already says so when it is joined.
        bus.subscribe(self._on_event)

    @property
    def muted(self) -> bool:
        """Whether anything keeps the microphone muted."""
        return any(self._mutes.values())

    async def run(self) -> None:
        """Hold conversations until there is no more audio, or until cancelled.

        Raises:
            AgentError: The microphone went away and cannot be opened again.
        """
        self._loop = asyncio.get_running_loop()
        sys.setswitchinterval(SWITCH)
        beside = [asyncio.create_task(self._keep_up())]
        if self._meter is not None:
            beside.append(asyncio.create_task(self._meter.run()))
        try:
            await self._bridge.start()
            await self._bridge.settled()
            while not await self._converse():
                pass
        finally:
            tasks = [*beside, *([self._turns] if self._turns else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._bridge.stop()
            if self._close is not None:
                await self._close()

    async def _converse(self) -> bool:
        """Run the conversation until it ends (True) or is interrupted (False)."""
        woken, self._woken = self._woken, None
        self._turns = asyncio.create_task(
            self._while_muted.run() if self.muted else self._conversation.run(woken))
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
        if not self.muted:
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
                self._woken = None
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
        match event:
            case MuteChanged():
                self._on_mute(event)
            case ButtonPressed():
                self._on_button(event)
            case StateChanged(state=state) if self.muted and state is not AgentState.MUTED:
                # From a turn that is just being broken off: what the lights say last must hold.
                if self._loop is not None:
                    self._loop.call_soon(self._show_mute)

    def _on_mute(self, event: MuteChanged) -> None:
        before = self.muted
        self._mutes["hardware" if event.hardware else "software"] = event.muted
        if self.muted == before:
            return
        # First, before wiping takes its time: workers begin with nothing more of that turn.
        self._break_off()
        if self.muted:
            self._gate.mute()
        else:
            self._gate.unmute()
        self._show_mute()

    def _on_button(self, event: ButtonPressed) -> None:
        """A press opens the microphone, as the wake word does; a long one ends everything."""
        if event.kind is ButtonKind.DOUBLE:
            return  # the press that it began with has opened the microphone
        silenced = self._hands.stop_ringing()
        if event.kind is ButtonKind.LONG:
            self._break_off()
        elif not silenced and not self.muted:
            self._break_off()
            self._woken = Detection("", BUTTON, 1.0, event.at)

    def _break_off(self) -> None:
        """End what is going on; a press of the button that nobody has noticed yet is dropped."""
        self._woken = None
        if self._turns is not None:
            self._turns.cancel()

    def _show_mute(self) -> None:
        if self.muted:
            self._bus.publish(StateChanged(self._gate.now, AgentState.MUTED))


def _being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

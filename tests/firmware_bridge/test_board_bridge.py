"""The agent's events and a board, joined: over a real pty, with the emulated board."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable

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
from firmware_bridge import Bridge, open_bridge
from firmware_bridge.emulated import EmulatedBoard
from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.settings import Settings

RED = [(72, 0, 0)] * 12


class Desk:
    """An agent's event bus, and a board plugged in."""

    def __init__(self, board: EmulatedBoard) -> None:
        self.board = board
        self.events = EventBus()
        self.heard: list[Event] = []
        self.events.subscribe(self.heard.append)
        self.bridge: Bridge = open_bridge(Settings(kind="serial", port=board.port), self.events,
                                          lambda: 1.5)

    def all(self, kind: type[Event]) -> list[Event]:
        return [e for e in self.heard if isinstance(e, kind)]

    def state(self, state: AgentState) -> None:
        self.events.publish(StateChanged(0.0, state))

    async def until(self, true: Callable[[], bool], seconds: float = 4.0) -> None:
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end, (self.heard, self.board.display)
            await asyncio.sleep(0.005)

    async def shown(self, display: int) -> None:
        await self.until(lambda: self.board.display == display)


def at_desk(act: Callable[[Desk], Awaitable[None]], cuts_supply: bool = True,
            plugged: bool = True) -> Desk:
    async def work(desk: Desk) -> None:
        await desk.bridge.start()
        if plugged:
            await desk.until(lambda: desk.bridge.status.connected)
        await act(desk)
        await desk.bridge.stop()

    with EmulatedBoard(cuts_supply=cuts_supply) as board:
        if not plugged:
            board.unplug()
        desk = Desk(board)
        asyncio.run(work(desk))
        return desk


def test_every_state_of_the_agent_reaches_the_lights() -> None:
    async def act(desk: Desk) -> None:
        for state, display in [(AgentState.WAKE, 1), (AgentState.LISTENING, 2),
                               (AgentState.THINKING, 3), (AgentState.SPEAKING, 4),
                               (AgentState.FOLLOW_UP, 5), (AgentState.MUTED, 6),
                               (AgentState.ERROR, 7), (AgentState.IDLE, 0)]:
            desk.state(state)
            await desk.shown(display)

    assert at_desk(act).all(Fault) == []


def test_a_state_published_from_another_thread_reaches_the_lights() -> None:
    async def act(desk: Desk) -> None:
        thread = threading.Thread(target=desk.state, args=(AgentState.THINKING,))
        thread.start()
        await desk.shown(wire.THINKING)
        thread.join()

    at_desk(act)


def test_level_volume_and_update_are_shown() -> None:
    async def act(desk: Desk) -> None:
        desk.state(AgentState.LISTENING)
        desk.bridge.level(2.0, 450.0)
        await desk.until(lambda: desk.board.pixels[3] == (0, 72, 72))
        desk.bridge.volume(0.5)
        await desk.shown(wire.VOLUME)
        desk.bridge.updating(True)
        await desk.shown(wire.UPDATING)
        desk.bridge.updating(False)
        await desk.shown(wire.LISTENING)

    at_desk(act)


def test_presses_are_published_in_order() -> None:
    async def act(desk: Desk) -> None:
        desk.board.key("l")
        await desk.until(lambda: len(desk.all(ButtonPressed)) == 2)
        await asyncio.sleep(0.5)
        desk.board.key("d")
        await desk.until(lambda: len(desk.all(ButtonPressed)) == 4)

    assert at_desk(act).all(ButtonPressed) == [
        ButtonPressed(1.5, kind) for kind in (ButtonKind.PRESS, ButtonKind.LONG,
                                              ButtonKind.PRESS, ButtonKind.DOUBLE)]


def test_the_agents_answer_to_a_press_is_shown() -> None:
    async def act(desk: Desk) -> None:
        desk.events.subscribe(lambda e: desk.state(AgentState.LISTENING)
                              if isinstance(e, ButtonPressed) else None)
        desk.board.key("b")
        await desk.shown(wire.LISTENING)

    at_desk(act)


def test_the_mute_switch_is_published_and_red_whatever_the_agent_does() -> None:
    async def act(desk: Desk) -> None:
        desk.board.key("m")
        await desk.until(lambda: desk.bridge.status.muted)
        desk.state(AgentState.SPEAKING)
        await asyncio.sleep(0.1)
        assert desk.board.pixels == RED
        desk.board.key("m")
        await desk.shown(wire.SPEAKING)
        await desk.until(lambda: not desk.bridge.status.muted)

    assert at_desk(act).all(MuteChanged) == [MuteChanged(1.5, True, hardware=True),
                                             MuteChanged(1.5, False, hardware=True)]


def test_listening_while_muted_is_a_fault_and_red() -> None:
    async def act(desk: Desk) -> None:
        desk.board.key("m")
        await desk.until(lambda: desk.bridge.status.muted)
        desk.state(AgentState.LISTENING)
        await desk.until(lambda: bool(desk.all(Fault)))
        assert desk.board.pixels == RED

    assert len(at_desk(act).all(Fault)) == 1


def test_muted_by_software_is_shown_above_every_state_until_unmuted() -> None:
    async def act(desk: Desk) -> None:
        desk.state(AgentState.LISTENING)
        desk.events.publish(MuteChanged(0.0, True))
        await desk.shown(wire.MUTED)
        desk.state(AgentState.SPEAKING)
        await asyncio.sleep(0.1)
        assert desk.board.display == wire.MUTED
        desk.events.publish(MuteChanged(0.0, False))
        await desk.shown(wire.SPEAKING)

    at_desk(act)


def test_a_switch_on_a_usb_microphone_mutes_by_software() -> None:
    async def act(desk: Desk) -> None:
        desk.board.key("m")
        await desk.until(lambda: bool(desk.all(MuteChanged)))
        await desk.shown(wire.MUTED)
        assert not desk.bridge.status.cuts_supply

    assert at_desk(act, cuts_supply=False).all(MuteChanged) == [MuteChanged(1.5, True)]


def test_an_unplugged_board_is_reported_once_and_comes_back_with_the_present_state() -> None:
    async def act(desk: Desk) -> None:
        desk.state(AgentState.LISTENING)
        await desk.shown(wire.LISTENING)
        desk.board.unplug()
        await desk.until(lambda: bool(desk.all(Fault)))
        for state in (AgentState.THINKING, AgentState.SPEAKING):  # the turn goes on
            desk.state(state)
            await asyncio.sleep(0.3)
        assert not desk.bridge.status.connected
        desk.board.plug()
        await desk.shown(wire.SPEAKING)
        assert desk.bridge.status.connected
        desk.board.unplug()
        await desk.until(lambda: len(desk.all(Fault)) == 2)

    assert len(at_desk(act).all(Fault)) == 2


def test_a_board_plugged_in_later_is_found() -> None:
    async def act(desk: Desk) -> None:
        await desk.until(lambda: bool(desk.all(Fault)))
        await asyncio.sleep(0.6)
        desk.board.plug()
        await desk.until(lambda: desk.bridge.status.connected)

    assert len(at_desk(act, plugged=False).all(Fault)) == 1


def test_mute_holds_while_the_board_is_away() -> None:
    async def act(desk: Desk) -> None:
        desk.board.key("m")
        await desk.until(lambda: desk.bridge.status.muted)
        desk.board.unplug()
        await asyncio.sleep(0.3)
        assert desk.bridge.status.muted
        desk.board.plug()
        await desk.until(lambda: desk.bridge.status.connected)
        await asyncio.sleep(0.1)

    assert len(at_desk(act).all(MuteChanged)) == 1


def test_an_agent_whose_loop_hangs_is_shown_as_lost() -> None:
    async def act(desk: Desk) -> None:
        desk.state(AgentState.LISTENING)
        await desk.shown(wire.LISTENING)
        time.sleep(2.4)
        assert desk.board.display == wire.HOST_LOST
        await desk.shown(wire.LISTENING)

    at_desk(act)


def test_stopping_leaves_the_board_dark() -> None:
    async def act(desk: Desk) -> None:
        desk.state(AgentState.LISTENING)
        await desk.shown(wire.LISTENING)

    desk = at_desk(act)
    assert desk.board.display == wire.OFF
    assert desk.all(Fault) == []


def test_no_board_needs_no_board() -> None:
    async def act() -> None:
        bridge = open_bridge(Settings(), EventBus(), lambda: 0.0)
        await bridge.start()
        bridge.level(0.5)
        bridge.volume(0.5)
        bridge.updating(True)
        assert not bridge.status.connected
        await bridge.stop()

    asyncio.run(act())


def test_a_port_that_cannot_be_opened_is_reported_once() -> None:
    async def act() -> list[Event]:
        events, heard = EventBus(), []
        events.subscribe(heard.append)
        bridge = open_bridge(Settings(kind="serial", port="/dev/null"), events, lambda: 0.0)
        await bridge.start()
        await asyncio.sleep(0.7)
        await bridge.stop()
        return heard

    (fault,) = asyncio.run(act())
    assert isinstance(fault, Fault)
    assert "/dev/null" in fault.message

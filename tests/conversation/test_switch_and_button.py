"""The mute switch and the button, with the real agent and engines in an emulated room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.conversation.carrying_out import Hands
from agent.dialogue.handlers import Outcome
from agent.dialogue.turns import Reply
from agent.events import (
    AgentState,
    ButtonKind,
    ButtonPressed,
    DialogueClosed,
    Event,
    EventBus,
    MuteChanged,
    PlaceCall,
    ReplyStarted,
    StateChanged,
    Understood,
    WakeHeard,
)
from agent.worker import Workload
from firmware_bridge.emulated import EmulatedBoard
from firmware_bridge.settings import Settings as BridgeSettings
from tests.conversation.playing import Consumers, Play

PRESS, LONG, DOUBLE = ButtonKind.PRESS, ButtonKind.LONG, ButtonKind.DOUBLE
Script = Callable[[Play], Iterator[None]]


@pytest.fixture
def hold(consumers: Consumers, tmp_path: Path) -> Callable[[Script], Play]:
    def run(script: Script) -> Play:
        play = Play(consumers, tmp_path)
        asyncio.run(play.hold(script(play)))
        return play

    return run


def mute(play: Play, muted: bool, *, hardware: bool) -> None:
    play.soon(MuteChanged(play.room.now, muted, hardware))


def press(play: Play, kind: ButtonKind = PRESS) -> None:
    play.soon(ButtonPressed(play.room.now, kind))


def is_in(play: Play, state: AgentState) -> Callable[[], bool]:
    return lambda: play.states(0)[-1:] == [state]


def test_switch_and_program_both_have_to_unmute(hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        calls = play.consumers.calls
        yield from play.pause(0.2)
        for hardware in (True, False):
            mute(play, True, hardware=hardware)
            yield from play.pause(0.1)
        mute(play, False, hardware=True)
        yield from play.pause(0.1)
        before = len(calls)
        yield from play.pause(0.3)
        assert len(calls) == before, "the program still mutes"
        assert play.states(0)[-1] is AgentState.MUTED
        mute(play, False, hardware=False)
        yield from play.pause(0.3)
        assert len(calls) > before
        assert play.states(0)[-1] is AgentState.IDLE

    hold(script)


def test_the_lights_stay_at_muted_whatever_else_is_published(
        hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        mute(play, True, hardware=False)
        yield from play.pause(0.1)
        play.soon(StateChanged(play.room.now, AgentState.LISTENING))
        yield from play.pause(0.1)
        assert play.states(0)[-2:] == [AgentState.LISTENING, AgentState.MUTED]

    hold(script)


def test_a_press_that_nobody_noticed_before_the_mute_is_dropped(
        hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        yield from play.pause(0.2)
        press(play)
        mute(play, True, hardware=True)
        press(play)
        yield from play.pause(0.2)
        press(play)
        yield from play.pause(0.2)
        mute(play, False, hardware=True)
        yield from play.pause(1.0)

    play = hold(script)
    assert not play.all(WakeHeard)
    assert play.states(0)[-1] is AgentState.IDLE


def test_a_timer_rings_while_muted_and_the_button_stops_it(
        hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        yield from play.pause(0.5)
        play.say("timer")
        yield from play.until(lambda: bool(play.all(ReplyStarted)))
        yield from play.until(is_in(play, AgentState.IDLE))
        mute(play, True, hardware=True)
        yield from play.pause(0.2)
        assert play.room.speaker.pending == 0
        yield from play.until(lambda: play.room.speaker.pending > 0, within=12.0)
        yield from play.pause(3.0)
        assert play.room.speaker.pending > 0, "it goes on"
        press(play)
        yield from play.pause(3.0)
        assert play.room.speaker.pending == 0

    play = hold(script)
    assert len(play.all(WakeHeard)) == 1
    assert play.states(0)[-1] is AgentState.MUTED


def test_a_press_over_a_ringing_timer_only_stops_it(hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        yield from play.pause(0.5)
        play.say("timer")
        yield from play.until(lambda: bool(play.all(ReplyStarted)))
        yield from play.until(is_in(play, AgentState.IDLE))
        yield from play.until(lambda: play.room.speaker.pending > 0, within=12.0)
        press(play)
        yield from play.pause(2.0)
        assert play.room.speaker.pending == 0
        press(play)
        yield from play.pause(0.5)

    play = hold(script)
    assert [heard.engine for heard in play.all(WakeHeard)][1:] == ["button"], "the second press"


@pytest.mark.parametrize("state", [AgentState.IDLE, AgentState.LISTENING, AgentState.THINKING,
                                   AgentState.SPEAKING, AgentState.FOLLOW_UP])
def test_a_press_opens_the_microphone_at_any_time(hold: Callable[[Script], Play],
                                                  state: AgentState) -> None:
    pressed = 0

    def script(play: Play) -> Iterator[None]:
        def follow(event: Event) -> None:
            nonlocal pressed
            if isinstance(event, StateChanged) and event.state is state and not pressed:
                pressed = len(play.events)
                press(play)

        play.bus.subscribe(follow)
        yield from play.pause(0.2)
        play.say("call-meg")
        yield from play.until(lambda: pressed > 0)
        yield from play.until(lambda: any(heard.engine == "button"
                                          for heard in play.all(WakeHeard)))
        yield from play.pause(0.1)

    play = hold(script)
    assert AgentState.LISTENING in play.states(pressed)
    assert len(play.all(DialogueClosed)) == len(play.all(WakeHeard))
    if state is AgentState.THINKING:
        assert not play.all(Understood), "what was being recognised is not acted upon"


def test_a_long_press_ends_everything(hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        yield from play.pause(0.2)
        play.say("call-meg")
        yield from play.until(is_in(play, AgentState.FOLLOW_UP))
        press(play)
        yield from play.until(is_in(play, AgentState.LISTENING))
        yield from play.pause(0.8)
        press(play, LONG)
        yield from play.pause(0.2)
        assert play.states(0)[-1] is AgentState.IDLE
        play.say("bauer")
        yield from play.pause(3.0)

    play = hold(script)
    assert play.states(0)[-1] is AgentState.IDLE
    assert len(play.all(Understood)) == 1
    assert len(play.all(WakeHeard)) == len(play.all(DialogueClosed)) == 2


def test_a_double_press_does_no_more_than_its_first(hold: Callable[[Script], Play]) -> None:
    def script(play: Play) -> Iterator[None]:
        yield from play.pause(0.2)
        press(play)
        yield from play.until(is_in(play, AgentState.LISTENING))
        press(play, DOUBLE)
        yield from play.pause(0.5)
        assert play.states(0)[-1] is AgentState.LISTENING

    assert len(hold(script).all(WakeHeard)) == 1


def test_a_board_that_is_muted_from_the_start_is_never_listened_past(
        consumers: Consumers, tmp_path: Path) -> None:
    def script(play: Play) -> Iterator[None]:
        play.say("call-meg")
        yield from play.until(lambda: not play.room.talking)

    with EmulatedBoard() as board:
        board.key("m")
        play = Play(consumers, tmp_path)
        play.config = replace(play.config, bridge=BridgeSettings(kind="serial", port=board.port))
        asyncio.run(play.hold(script(play)))
    assert consumers.calls == []
    assert play.all(MuteChanged) == [MuteChanged(0.0, True, hardware=True)]
    assert set(play.states(0)) == {AgentState.MUTED}


def test_what_was_begun_is_carried_out_though_the_turn_is_broken_off() -> None:
    done: list[Any] = []

    class Slow:
        def __init__(self) -> None:
            self.begun, self.go = asyncio.Event(), asyncio.Event()

        def tick(self) -> None:
            return

        def stop_ringing(self) -> bool:
            return False

        async def handle(self, directive: Any) -> Outcome:
            self.begun.set()
            await self.go.wait()
            done.append(directive)
            return Outcome()

    async def work() -> None:
        slow, call = Slow(), PlaceCall("Meg")
        hands = Hands(slow, None, EventBus(), Workload(), lambda: 0.0)  # type: ignore[arg-type]
        turn = asyncio.create_task(
            hands.carry_out(Reply((call,), "call", "call Meg", True), None))  # type: ignore[arg-type]
        await slow.begun.wait()
        turn.cancel()
        with pytest.raises(asyncio.CancelledError):
            await turn
        slow.go.set()
        await asyncio.sleep(0.01)
        assert done == [call]

    asyncio.run(work())

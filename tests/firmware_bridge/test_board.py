"""The firmware's decisions, with the hardware and the clock in the test's hand."""

from __future__ import annotations

import pytest

from firmware_bridge import messages
from firmware_bridge.codec import Decoder, Frame, encode
from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.board import Board
from firmware_bridge.firmware.voiceboard.lights import BRIGHT
from firmware_bridge.messages import (
    BoardBeat,
    BoardFault,
    Bye,
    Command,
    Message,
    Mute,
    Result,
    SetState,
    State,
    Welcome,
)

ALL_RED = [(BRIGHT, 0, 0)] * 12
SESSION = 0x1234


class Bench:
    """A board on the bench: a host's frames go in, its messages come out."""

    def __init__(self, **how: bool) -> None:
        self.board = Board(12, **{"has_switch": True, "cuts_supply": True, **how})
        self.ms = 0
        self.button = False
        self.muted = how.get("muted", False)
        self.heard: list[Message] = []
        self.acknowledge = True
        self._decoder = Decoder()
        self._seq = 0

    def step(self, ms: int = 1, *frames: Frame) -> list[Message]:
        self.ms += ms
        return self._send(b"".join(map(encode, frames)))

    def _send(self, data: bytes) -> list[Message]:
        replies = self._decoder.feed(self.board.step(self.ms, data, self.button, self.muted))
        found = [m for m in map(messages.parse, replies) if m is not None]
        if self.acknowledge:
            acks = [messages.acknowledge(f) for f in replies if 0x50 <= f.type < 0x60]
            if acks:
                found += self._send(b"".join(map(encode, acks)))
        self.heard += found
        return found

    def run(self, ms: int, beat: bool = True) -> list[Message]:
        start = len(self.heard)
        for number in range(ms):
            self.step(1, *([messages.beat(SESSION)] if beat and number % 250 == 0 else []))
        return self.heard[start:]

    def join(self) -> Bench:
        self._seq = 0
        self.step(1, messages.hello(SESSION))
        return self

    def command(self, command: Command) -> Result | None:
        self._seq += 1
        replies = self.step(1, command.frame(self._seq))
        results = [m.result for m in replies if isinstance(m, messages.Acknowledged)]
        self.step()
        return results[0] if results else None


@pytest.mark.parametrize("state", [s for s in State if s is not State.VOLUME])
def test_a_commanded_state_is_shown(state: State) -> None:
    bench = Bench().join()
    assert bench.command(SetState(state)) is Result.DONE
    assert bench.board.display == state


@pytest.mark.parametrize("state", list(State))
def test_no_command_undoes_the_mute_switch(state: State) -> None:
    bench = Bench().join()
    bench.muted = True
    bench.step()
    bench.command(SetState(state, 50, 90))
    for _ in range(50):
        bench.run(37)
        assert bench.board.display == wire.MUTED_BY_SWITCH
        assert bench.board.pixels(bench.ms) == ALL_RED


def test_mute_is_red_at_the_first_reading_and_told_at_once() -> None:
    bench = Bench().join()
    bench.command(SetState(State.LISTENING))
    bench.muted = True
    replies = bench.step()
    assert bench.board.pixels(bench.ms) == ALL_RED
    assert Mute(True) in replies


def test_the_state_returns_when_the_switch_opens() -> None:
    bench = Bench(muted=True).join()
    bench.command(SetState(State.SPEAKING))
    bench.muted = False
    assert Mute(False) in bench.run(60)
    assert bench.board.display == State.SPEAKING


def test_a_host_that_listens_while_muted_is_told_once() -> None:
    bench = Bench(muted=True).join()
    bench.command(SetState(State.LISTENING))
    bench.command(SetState(State.LISTENING, 40))
    bench.run(300)
    faults = [m for m in bench.heard if isinstance(m, BoardFault)]
    assert faults == [BoardFault(messages.FaultCode.LISTENING_WHILE_MUTED, State.LISTENING)]


def test_a_host_that_stops_listening_when_muted_is_not_reproached() -> None:
    bench = Bench().join()
    bench.command(SetState(State.LISTENING))
    bench.muted = True
    bench.run(150)
    bench.command(SetState(State.MUTED))
    bench.run(500)
    assert [m for m in bench.heard if isinstance(m, BoardFault)] == []


def test_a_switch_that_cuts_nothing_shows_muted_by_software() -> None:
    bench = Bench(cuts_supply=False).join()
    bench.muted = True
    bench.step()
    assert bench.board.display == State.MUTED
    lit = bench.board.pixels(bench.ms)
    assert lit != ALL_RED
    assert (BRIGHT, 0, 0) in lit


def test_the_board_shows_an_error_two_seconds_after_the_last_heartbeat() -> None:
    bench = Bench().join()
    bench.command(SetState(State.LISTENING))
    bench.run(1000)
    last = bench.ms - 249  # heartbeats come every 250 ms
    while bench.board.display == State.LISTENING:
        bench.step()
    assert bench.board.display == wire.HOST_LOST
    assert 2000 <= bench.ms - last <= 2510


def test_commands_are_no_heartbeat() -> None:
    bench = Bench().join()
    for _ in range(250):
        bench.step(8)
        bench.command(SetState(State.LISTENING, 10))
    assert bench.board.display == wire.HOST_LOST


def test_a_heartbeat_brings_the_state_back() -> None:
    bench = Bench().join()
    bench.command(SetState(State.THINKING))
    bench.run(3000, beat=False)
    assert bench.board.display == wire.HOST_LOST
    bench.run(10)
    assert bench.board.display == State.THINKING


def test_a_heartbeat_of_another_session_is_answered_with_ours() -> None:
    bench = Bench().join()
    (beat,) = bench.step(1, messages.beat(0x4321))
    assert beat == BoardBeat(SESSION, False, State.IDLE)


def test_a_board_that_restarted_says_that_it_has_no_session() -> None:
    bench = Bench()
    bench.step()
    assert bench.step(1, SetState(State.IDLE).frame(7)) == [BoardBeat(0, False, wire.WAITING)]


def test_after_a_goodbye_the_board_is_dark_and_no_error() -> None:
    bench = Bench().join()
    bench.command(SetState(State.LISTENING))
    assert bench.command(Bye()) is Result.DONE
    bench.run(5000, beat=False)
    assert bench.board.display == wire.OFF
    assert bench.board.pixels(bench.ms) == [(0, 0, 0)] * 12


def test_a_repeated_command_is_acknowledged_again_and_not_carried_out_again() -> None:
    bench = Bench().join()
    bench.command(SetState(State.VOLUME, 30))
    frame = SetState(State.VOLUME, 30).frame(1)
    bench.run(1400)
    (ack,) = [m for m in bench.step(1, frame) if isinstance(m, messages.Acknowledged)]
    assert ack.result is Result.DONE
    bench.run(200)
    assert bench.board.display == State.IDLE


def test_a_command_out_of_order_is_refused() -> None:
    bench = Bench().join()
    bench.command(SetState(State.WAKE))
    (ack,) = bench.step(1, SetState(State.IDLE).frame(9))
    assert ack == messages.Acknowledged(0x10, Result.OUT_OF_ORDER)
    assert bench.board.display == State.WAKE


@pytest.mark.parametrize("body", ["", "00", "0affffff", "00650000", "00ff0168", "09ffffff",
                                  "00ffffff00"])
def test_a_state_that_makes_no_sense_is_refused(body: str) -> None:
    bench = Bench().join()
    (ack,) = bench.step(1, Frame(0x10, 1, bytes.fromhex(body)))
    assert ack == messages.Acknowledged(0x10, Result.BAD_BODY)
    assert bench.board.display == State.IDLE


def test_an_unknown_command_is_refused() -> None:
    bench = Bench().join()
    (ack,) = bench.step(1, Frame(0x1f, 1))
    assert ack == messages.Acknowledged(0x1f, Result.UNKNOWN_TYPE)


@pytest.mark.parametrize(("lowest", "highest", "agreed"), [(1, 1, 1), (1, 9, 1), (2, 9, 0),
                                                           (0, 0, 0)])
def test_the_highest_common_version_is_chosen(lowest: int, highest: int, agreed: int) -> None:
    bench = Bench()
    replies = bench.step(1, Frame(1, 1, bytes((lowest, highest, 0x12, 0x34))))
    (welcome,) = [m for m in replies if isinstance(m, Welcome)]
    assert (welcome.version, welcome.versions) == (agreed, (1, 1))
    assert (bench.board.link.session == SESSION) is bool(agreed)


def test_a_volume_is_shown_for_a_moment() -> None:
    bench = Bench().join()
    bench.command(SetState(State.SPEAKING))
    bench.command(SetState(State.VOLUME, 50))
    assert sum(any(c) for c in bench.board.pixels(bench.ms)) == 6
    bench.run(1600)
    assert bench.board.display == State.SPEAKING


def test_an_event_is_repeated_until_it_is_acknowledged() -> None:
    bench = Bench().join()
    bench.acknowledge = False
    bench.button = True
    sent = [m for m in bench.run(200) if isinstance(m, messages.Button)]
    assert len(sent) == 5
    bench.acknowledge = True
    bench.run(45)
    assert not [m for m in bench.run(200) if isinstance(m, messages.Button)]


def test_a_press_that_cannot_be_told_within_a_second_is_forgotten() -> None:
    bench = Bench().join()
    bench.acknowledge = False
    bench.button = True
    bench.run(300)
    bench.button = False
    bench.run(800)
    bench.acknowledge = True
    assert not [m for m in bench.run(500) if isinstance(m, messages.Button)]


def test_a_press_while_no_host_is_there_is_forgotten() -> None:
    bench = Bench().join()
    bench.run(3000, beat=False)
    bench.button = True
    bench.run(100, beat=False)
    bench.button = False
    assert not [m for m in bench.run(500) if isinstance(m, messages.Button)]


def test_every_session_begins_with_the_switch() -> None:
    assert Mute(True) in Bench(muted=True).join().heard
    assert Mute(False) in Bench().join().heard


def test_a_board_that_had_to_restart_says_so() -> None:
    bench = Bench(restarted=True).join()
    bench.run(10)
    assert BoardFault(messages.FaultCode.RESTARTED, 0) in bench.heard

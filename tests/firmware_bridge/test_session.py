"""The host's end of the line, with the clock in the test's hand."""

from __future__ import annotations

import random

from firmware_bridge import messages
from firmware_bridge.codec import Decoder, Frame, encode
from firmware_bridge.messages import BoardEvent, Button, Mute, SetState, State, Type
from firmware_bridge.session import (
    LOST_SECONDS,
    Done,
    Incompatible,
    Joined,
    Lost,
    Report,
    Session,
)


class Host:
    """A session, and what it says and reports."""

    def __init__(self, seed: int = 1) -> None:
        self.reports: list[Report] = []
        self.wanted: list[messages.Command] = []
        self.now = 0.0
        self.session = Session(self.reports.append, self._next, random.Random(seed))
        self._decoder = Decoder()

    def _next(self) -> messages.Command | None:
        return self.wanted.pop(0) if self.wanted else None

    def hear(self, *frames: Frame) -> list[Frame]:
        self.session.receive(b"".join(map(encode, frames)), self.now)
        return self.tick(0.0)

    def tick(self, seconds: float) -> list[Frame]:
        self.now += seconds
        self.session.tick(self.now)
        return self._decoder.feed(self.session.take())

    def number(self) -> bytes:
        (hello,) = [f for f in self.tick(0.06) if f.type == Type.HELLO]
        return hello.body[2:]

    def join(self) -> Host:
        self._number = self.number()
        self.hear(self.welcome())
        assert self.session.joined
        return self

    def welcome(self, version: int = 1) -> Frame:
        return Frame(Type.WELCOME, 0, bytes((version, 1, 1)) + self._number
                     + bytes((12, 3, 1, 0)))

    def beat(self, muted: bool = False) -> Frame:
        return Frame(Type.BOARD_BEAT, 0, self._number + bytes((muted, 0)))


def test_hello_is_repeated_until_a_board_answers() -> None:
    host = Host()
    hellos = [f for _ in range(10) for f in host.tick(0.051) if f.type == Type.HELLO]
    assert len(hellos) == 10
    host.join()
    assert [type(r) for r in host.reports] == [Joined]


def test_no_hello_holds_a_control_c() -> None:
    for seed in range(500):
        session = Session(lambda report: None, lambda: None, random.Random(seed))
        session.tick(0.0)
        assert b"\x03" not in session.take()


def test_a_welcome_for_another_session_is_not_ours() -> None:
    host = Host()
    host._number = b"\x00\x00"
    host.hear(host.welcome())
    assert not host.session.joined


def test_firmware_without_a_common_version_is_reported_once() -> None:
    host = Host()
    host._number = host.number()
    for _ in range(5):
        host.hear(host.welcome(version=0))
        host.tick(1.1)
    assert [type(r) for r in host.reports] == [Incompatible]


def test_a_command_is_repeated_until_acknowledged_with_the_same_number() -> None:
    host = Host().join()
    host.wanted = [SetState(State.WAKE), SetState(State.IDLE)]
    sent = [f for _ in range(5) for f in host.tick(0.045) if f.type == Type.STATE]
    assert sent == [SetState(State.WAKE).frame(1)] * 5
    replies = host.hear(Frame(Type.BOARD_ACK, 1, bytes((Type.STATE, 0))))
    assert host.reports[-1] == Done(SetState(State.WAKE), messages.Result.DONE)
    assert SetState(State.IDLE).frame(2) in replies


def test_an_acknowledgement_of_something_else_counts_for_nothing() -> None:
    host = Host().join()
    host.wanted = [SetState(State.WAKE)]
    host.tick(0.01)
    for seq, kind in [(2, Type.STATE), (1, Type.BYE)]:
        host.hear(Frame(Type.BOARD_ACK, seq, bytes((kind, 0))))
    assert not [r for r in host.reports if isinstance(r, Done)]


def test_an_event_that_comes_twice_is_reported_once_and_acknowledged_twice() -> None:
    host = Host().join()
    press = Frame(Type.BUTTON, 1, b"\x01")
    acks = [f for f in host.hear(press, press) if f.type == Type.HOST_ACK]
    assert acks == [Frame(Type.HOST_ACK, 1, bytes((Type.BUTTON, 0)))] * 2
    assert host.reports.count(Button(1)) == 1


def test_a_silent_board_is_lost_once_and_joined_again() -> None:
    host = Host().join()
    for _ in range(100):
        host.tick(0.05)
    assert [type(r) for r in host.reports] == [Joined, Lost]
    host.join()
    assert [type(r) for r in host.reports] == [Joined, Lost, Joined]


def test_heartbeats_keep_a_board() -> None:
    host = Host().join()
    for _ in range(40):
        host.tick(LOST_SECONDS / 3)
        host.hear(host.beat())
    assert not [r for r in host.reports if isinstance(r, Lost)]


def test_a_board_that_restarted_is_joined_anew() -> None:
    host = Host().join()
    replies = host.hear(Frame(Type.BOARD_BEAT, 0, b"\x00\x00\x00\x12"))
    assert host.reports[-1] == Lost()
    assert [f.type for f in replies] == [Type.HELLO]


def test_mute_is_learnt_from_the_heartbeat_when_the_event_was_lost() -> None:
    host = Host().join()
    host.hear(host.beat(muted=True))
    host.hear(host.beat(muted=True))
    events: list[BoardEvent] = [r for r in host.reports if isinstance(r, Mute)]
    assert events == [Mute(True)]
    assert host.session.muted


def test_what_a_board_may_not_send_is_ignored() -> None:
    host = Host().join()
    before = list(host.reports)
    host.hear(SetState(State.ERROR).frame(1), Frame(0x7f, 1, b"x"), Frame(Type.MUTE, 1, b"\x07"))
    assert host.reports == before


def test_the_hosts_heartbeat_comes_every_quarter_second() -> None:
    host = Host().join()
    beats = 0
    for _ in range(1000):
        frames = host.tick(0.005)
        host.hear(host.beat())
        beats += sum(f.type == Type.HOST_BEAT for f in frames)
    assert 19 <= beats <= 21

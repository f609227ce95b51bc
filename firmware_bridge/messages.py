"""The messages that frames carry, as typed values; the host's side.

See ``docs/firmware-protocol.md``. ``parse`` accepts only what that page allows: a frame that came
through undamaged but makes no sense is refused too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import TypeAlias

from firmware_bridge.codec import Frame

VERSIONS = (1, 1)
"""Lowest and highest protocol version spoken here."""

NO_LEVEL = 255
NO_DIRECTION = 0xFFFF


class Type(IntEnum):
    """Message types; below 0x40 from the host, from 0x40 from the board."""

    HELLO = 0x01
    HOST_BEAT = 0x02
    STATE = 0x10
    BYE = 0x11
    HOST_ACK = 0x20
    WELCOME = 0x41
    BOARD_BEAT = 0x42
    BUTTON = 0x50
    MUTE = 0x51
    FAULT = 0x52
    BOARD_ACK = 0x60


class Result(IntEnum):
    """What became of a command."""

    DONE = 0
    UNKNOWN_TYPE = 1
    BAD_BODY = 2
    OUT_OF_ORDER = 3


class State(IntEnum):
    """What the board can be told to show."""

    IDLE = 0
    WAKE = 1
    LISTENING = 2
    THINKING = 3
    SPEAKING = 4
    FOLLOW_UP = 5
    MUTED = 6
    ERROR = 7
    UPDATING = 8
    VOLUME = 9


class Capability(IntFlag):
    """What a board has."""

    SWITCH = 1
    """A mute switch."""
    CUTS_SUPPLY = 2
    """The switch breaks the microphone's supply."""


class FaultCode(IntEnum):
    """What a board reports as wrong."""

    LISTENING_WHILE_MUTED = 1
    RESTARTED = 2


@dataclass(frozen=True, slots=True)
class SetState:
    """Command: show a state."""

    state: State
    level: int | None = None
    """0 to 100: loudness heard or spoken; the volume for ``State.VOLUME``."""
    direction: int | None = None
    """Where the voice comes from, 0 to 359 degrees clockwise from the first LED."""

    def frame(self, seq: int) -> Frame:
        """This command as a frame.

        Raises:
            ValueError: The level or the direction is out of range.
        """
        level = NO_LEVEL if self.level is None else self.level
        direction = NO_DIRECTION if self.direction is None else self.direction
        if not (0 <= level <= 100 or self.level is None):
            raise ValueError(f"level {level} is not between 0 and 100")
        if not (0 <= direction < 360 or self.direction is None):
            raise ValueError(f"direction {direction} is not between 0 and 359")
        return Frame(Type.STATE, seq,
                     bytes((self.state, level)) + direction.to_bytes(2, "big"))


@dataclass(frozen=True, slots=True)
class Bye:
    """Command: the host leaves in good order."""

    def frame(self, seq: int) -> Frame:
        """This command as a frame."""
        return Frame(Type.BYE, seq)


Command: TypeAlias = SetState | Bye


@dataclass(frozen=True, slots=True)
class Welcome:
    """The board answers a hello."""

    version: int
    """The version both will speak; 0 when they have none in common."""
    versions: tuple[int, int]
    session: int
    leds: int
    capabilities: Capability
    firmware: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BoardBeat:
    """The board's heartbeat."""

    session: int
    muted: bool
    display: int
    """What the lights show: a ``State``, or 16 muted by switch, 17 host lost, 18 waiting, 19 off.
    """


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The board has dealt with a command."""

    type: int
    result: Result


@dataclass(frozen=True, slots=True)
class Button:
    """Event: the button was pressed."""

    PRESS = 1
    LONG = 2
    DOUBLE = 3

    kind: int


@dataclass(frozen=True, slots=True)
class Mute:
    """Event: the mute switch was moved."""

    muted: bool


@dataclass(frozen=True, slots=True)
class BoardFault:
    """Event: something is wrong."""

    code: int
    detail: int


BoardEvent: TypeAlias = Button | Mute | BoardFault
Message: TypeAlias = Welcome | BoardBeat | Acknowledged | BoardEvent


def hello(session: int) -> Frame:
    """The frame that opens a session.

    Its sequence is 1, because a zero there would make a byte 0x03 of every hello: see ``Session``.
    """
    return Frame(Type.HELLO, 1, bytes(VERSIONS) + session.to_bytes(2, "big"))


def beat(session: int) -> Frame:
    """The host's heartbeat."""
    return Frame(Type.HOST_BEAT, 0, session.to_bytes(2, "big"))


def acknowledge(event: Frame) -> Frame:
    """The host's acknowledgement of an event's frame."""
    return Frame(Type.HOST_ACK, event.seq, bytes((event.type, Result.DONE)))


_LENGTHS = {Type.WELCOME: 9, Type.BOARD_BEAT: 4, Type.BUTTON: 1, Type.MUTE: 1, Type.FAULT: 2,
            Type.BOARD_ACK: 2}


def parse(frame: Frame) -> Message | None:
    """What a board's frame says; None when it is nothing that a board may send."""
    body = frame.body
    if _LENGTHS.get(frame.type) != len(body):  # type: ignore[call-overload]
        return None
    match frame.type:
        case Type.WELCOME:
            return Welcome(body[0], (body[1], body[2]), int.from_bytes(body[3:5], "big"), body[5],
                           Capability(body[6] & 3), (body[7], body[8]))
        case Type.BOARD_BEAT:
            return BoardBeat(int.from_bytes(body[:2], "big"), bool(body[2] & 1), body[3])
        case Type.BOARD_ACK if body[1] <= max(Result):
            return Acknowledged(body[0], Result(body[1]))
        case Type.BUTTON if Button.PRESS <= body[0] <= Button.DOUBLE:
            return Button(body[0])
        case Type.MUTE if body[0] <= 1:
            return Mute(bool(body[0]))
        case Type.FAULT:
            return BoardFault(body[0], body[1])
    return None

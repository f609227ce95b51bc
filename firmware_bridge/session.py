"""The host's end of the line: joins, keeps alive, delivers commands, takes events.

Holds no port and no clock: bytes and the time come in, bytes go out. One command is under way at
a time; whoever owns the session is asked for the next one when the line is free, so that a
slow line skips outdated states instead of queueing them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from firmware_bridge import messages
from firmware_bridge.codec import Decoder, Frame, encode
from firmware_bridge.messages import BoardBeat, BoardEvent, Command, Welcome

HELLO_SECONDS = 0.05
BEAT_SECONDS = 0.25
RETRY_SECONDS = 0.04
LOST_SECONDS = 1.5
"""A board that has not been heard for so long, six heartbeats, is lost."""
_MAX_RETRIES = 50


@dataclass(frozen=True, slots=True)
class Joined:
    """A board answered; it knows nothing of what was commanded before."""

    welcome: Welcome


@dataclass(frozen=True, slots=True)
class Lost:
    """The board no longer answers; the session tries to join again by itself."""


@dataclass(frozen=True, slots=True)
class Incompatible:
    """The board's firmware speaks no version that is spoken here."""

    welcome: Welcome


@dataclass(frozen=True, slots=True)
class Done:
    """A command was acknowledged."""

    command: Command
    result: messages.Result


Report: TypeAlias = Joined | Lost | Incompatible | Done | BoardEvent


@dataclass(slots=True)
class _UnderWay:
    command: Command
    frame: Frame
    sent_at: float
    retries: int = 0


class Session:
    """Talks to one board over one open line.

    Args:
        report: Told what happens, in order, from within ``receive`` and ``tick``.
        next_command: Asked for a command whenever one can be sent; None when there is none.
        rng: Where session numbers come from.
    """

    def __init__(self, report: Callable[[Report], None],
                 next_command: Callable[[], Command | None],
                 rng: random.Random | None = None) -> None:
        self._report = report
        self._next_command = next_command
        self._rng = rng or random.SystemRandom()
        self._decoder = Decoder()
        self._out = bytearray()
        self._muted: bool | None = None
        self._incompatible = False
        self._session = 0
        self._beat_at = self._heard_at = float("-inf")
        self._begin()

    @property
    def joined(self) -> bool:
        """Whether a board has answered and is still there."""
        return self._joined

    @property
    def muted(self) -> bool:
        """Whether the board's switch is in its muted position, as far as is known."""
        return bool(self._muted)

    @property
    def damaged(self) -> int:
        """Frames that arrived damaged."""
        return self._decoder.damaged

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the line; ``now`` in seconds on any steady clock."""
        for frame in self._decoder.feed(data):
            message = messages.parse(frame)
            if isinstance(message, Welcome):
                self._welcomed(message, now)
            elif message is not None and self._joined:
                self._take(frame, message, now)

    def tick(self, now: float) -> float:
        """Do what is due; returns the time at which the next thing will be."""
        if self._joined and now - self._heard_at >= LOST_SECONDS:
            self._lose()
        if not self._joined:
            return self._say_hello(now)
        if now - self._beat_at >= BEAT_SECONDS:
            self._beat_at = now
            self._send(messages.beat(self._session))
        if self._under_way is None:
            self._start_command(now)
        else:
            self._retry(now)
        return self._next_due()

    def take(self) -> bytes:
        """The bytes to put on the line."""
        data = bytes(self._out)
        self._out.clear()
        return data

    def _begin(self) -> None:
        """Forget the board, and choose a number for the next session with one."""
        self._joined = False
        self._under_way: _UnderWay | None = None
        self._seq = 0
        self._last_event: int | None = None
        self._hello_at = self._beat_at = float("-inf")
        # A board that is about to start, or sits at MicroPython's prompt, must not take the
        # hello for a Ctrl-C; one number in 30 would.
        for _ in range(100):
            self._session = self._rng.randrange(1, 0x10000)
            if b"\x03" not in encode(messages.hello(self._session)):
                break

    def _lose(self) -> None:
        self._begin()
        self._report(Lost())

    def _say_hello(self, now: float) -> float:
        interval = 1.0 if self._incompatible else HELLO_SECONDS
        if now - self._hello_at >= interval:
            self._hello_at = now
            self._send(messages.hello(self._session))
        return self._hello_at + interval

    def _welcomed(self, welcome: Welcome, now: float) -> None:
        if self._joined or welcome.session != self._session:
            return
        if not messages.VERSIONS[0] <= welcome.version <= messages.VERSIONS[1]:
            if not self._incompatible:
                self._incompatible = True
                self._report(Incompatible(welcome))
            return
        self._incompatible = False
        self._joined = True
        self._heard_at = now
        self._report(Joined(welcome))

    def _take(self, frame: Frame, message: messages.Message, now: float) -> None:
        if isinstance(message, BoardBeat):
            self._take_beat(message, now)
            return
        self._heard_at = now
        if isinstance(message, messages.Acknowledged):
            self._acknowledged(frame.seq, message)
        elif not isinstance(message, Welcome):
            self._send(messages.acknowledge(frame))
            if frame.seq != self._last_event:
                self._last_event = frame.seq
                self._take_event(message)

    def _take_beat(self, beat: BoardBeat, now: float) -> None:
        if beat.session != self._session:
            self._lose()  # it restarted, or never heard of us
            return
        self._heard_at = now
        self._take_event(messages.Mute(beat.muted))

    def _take_event(self, event: BoardEvent) -> None:
        if isinstance(event, messages.Mute):
            if event.muted == self._muted:
                return
            self._muted = event.muted
        self._report(event)

    def _acknowledged(self, seq: int, ack: messages.Acknowledged) -> None:
        way = self._under_way
        if way is None or seq != way.frame.seq or ack.type != way.frame.type:
            return
        if ack.result is messages.Result.OUT_OF_ORDER:
            self._lose()
            return
        self._under_way = None
        self._report(Done(way.command, ack.result))

    def _start_command(self, now: float) -> None:
        command = self._next_command()
        if command is None:
            return
        self._seq = (self._seq + 1) % 256
        self._under_way = _UnderWay(command, command.frame(self._seq), now)
        self._send(self._under_way.frame)

    def _retry(self, now: float) -> None:
        way = self._under_way
        if way is None or now - way.sent_at < RETRY_SECONDS:
            return
        if way.retries >= _MAX_RETRIES:
            self._lose()
            return
        way.retries += 1
        way.sent_at = now
        self._send(way.frame)

    def _next_due(self) -> float:
        if not self._joined:
            return self._hello_at
        due = min(self._beat_at + BEAT_SECONDS, self._heard_at + LOST_SECONDS)
        if self._under_way is not None:
            due = min(due, self._under_way.sent_at + RETRY_SECONDS)
        return due

    def _send(self, frame: Frame) -> None:
        self._out += encode(frame)

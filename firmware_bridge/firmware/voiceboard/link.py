"""The board's end of the line: sessions, order, acknowledgements, retries, heartbeats.

See docs/firmware-protocol.md. Holds no hardware: bytes and the time come in, bytes go out.
"""

from . import wire
from .codec import Decoder, encode

BEAT_MS = 250
QUIET_BEAT_MS = 1000
LOST_MS = 2000
RETRY_MS = 40
STALE_MS = 1000
_QUEUE = 8


class Handler:
    """What the link tells its board."""

    def started(self, now: int) -> None:
        """A host began a session."""

    def execute(self, kind: int, body: bytes, now: int) -> int:
        """Carry out a command, each exactly once and in order; returns the result's number."""
        return wire.UNKNOWN_TYPE


class _Event:
    def __init__(self, kind: int, body: bytes, now: int) -> None:
        self.kind = kind
        self.body = body
        self.at = now
        self.frame = b""
        self.sent_at = 0


class Link:
    """Talks to one host at a time."""

    def __init__(self, handler: Handler, leds: int, capabilities: int) -> None:
        self.session = 0
        self.status = b"\x00\x00"
        self._handler = handler
        self._hardware = bytes((leds, capabilities)) + bytes(wire.FIRMWARE)
        self._decoder = Decoder()
        self._out = bytearray()
        self._heard_at = 0
        self._beat_at = -QUIET_BEAT_MS
        self._expected = 0
        self._last_ack = b""
        self._events: list[_Event] = []
        self._seq = 0

    def alive(self, now: int) -> bool:
        """Whether the host's heartbeat is there."""
        return self.session != 0 and now - self._heard_at < LOST_MS

    def receive(self, data: bytes, now: int) -> None:
        """Take bytes from the line."""
        for kind, seq, body in self._decoder.feed(data):
            if kind == wire.HELLO:
                self._hello(body, now)
            elif kind == wire.HOST_BEAT:
                self._host_beat(body, now)
            elif kind == wire.HOST_ACK:
                self._acknowledged(seq, body)
            elif kind < 0x40:
                self._command(kind, seq, body, now)

    def post(self, kind: int, body: bytes, now: int) -> None:
        """Send an event until the host acknowledges it, or it is stale."""
        if self.alive(now) and len(self._events) < _QUEUE:
            self._events.append(_Event(kind, body, now))

    def close(self) -> None:
        """The host said goodbye."""
        self.session = 0
        self._events = []

    def take(self, now: int) -> bytes:
        """Everything to put on the line now."""
        self._send_event(now)
        interval = BEAT_MS if self.alive(now) else QUIET_BEAT_MS
        if now - self._beat_at >= interval:
            self._beat(now)
        data = bytes(self._out)
        self._out = bytearray()
        return data

    def _hello(self, body: bytes, now: int) -> None:
        if len(body) != 4:
            return
        session = body[2] << 8 | body[3]
        version = min(body[1], wire.VERSION_MAX)
        if version < max(body[0], wire.VERSION_MIN) or session == 0:
            version = 0
        elif session != self.session:
            self.session = session
            self._expected = 1
            self._last_ack = b""
            self._seq = 0
            self._events = []
            self._heard_at = now
            self._handler.started(now)
        self._heard_at = now if version else self._heard_at
        self._out.extend(encode(
            wire.WELCOME, 0,
            bytes((version, wire.VERSION_MIN, wire.VERSION_MAX)) + body[2:] + self._hardware))

    def _host_beat(self, body: bytes, now: int) -> None:
        if len(body) == 2 and self.session and body == self._session_bytes():
            self._heard_at = now
        else:
            self._beat(now)  # tells the host that its session is not ours

    def _command(self, kind: int, seq: int, body: bytes, now: int) -> None:
        if not self.session:
            self._beat(now)
            return
        if seq == (self._expected - 1) & 255 and self._last_ack:
            self._out.extend(self._last_ack)  # our acknowledgement was lost
            return
        if seq != self._expected:
            self._out.extend(encode(wire.BOARD_ACK, seq, bytes((kind, wire.OUT_OF_ORDER))))
            return
        result = self._handler.execute(kind, body, now)
        self._last_ack = encode(wire.BOARD_ACK, seq, bytes((kind, result)))
        self._expected = (seq + 1) & 255
        self._out.extend(self._last_ack)

    def _acknowledged(self, seq: int, body: bytes) -> None:
        if (self._events and self._events[0].frame and seq == self._seq
                and len(body) == 2 and body[0] == self._events[0].kind):
            self._events.pop(0)

    def _send_event(self, now: int) -> None:
        # A press that comes through a second late would surprise: better lost. Mute is told
        # again in every heartbeat.
        while self._events and (now - self._events[0].at >= STALE_MS or not self.alive(now)):
            self._events.pop(0)
        if not self._events:
            return
        event = self._events[0]
        if not event.frame:
            self._seq = (self._seq + 1) & 255
            event.frame = encode(event.kind, self._seq, event.body)
        elif now - event.sent_at < RETRY_MS:
            return
        event.sent_at = now
        self._out.extend(event.frame)

    def _beat(self, now: int) -> None:
        self._beat_at = now
        self._out.extend(encode(wire.BOARD_BEAT, 0, self._session_bytes() + self.status))

    def _session_bytes(self) -> bytes:
        return bytes((self.session >> 8, self.session & 255))

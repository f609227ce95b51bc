"""What must hold for any bytes at all, on either side of the line; used by tests and fuzzer."""

from __future__ import annotations

import random
from collections.abc import Iterator

from firmware_bridge import codec as host_codec
from firmware_bridge import messages
from firmware_bridge.firmware.voiceboard import codec as board_codec
from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.board import Board
from firmware_bridge.firmware.voiceboard.lights import BRIGHT
from firmware_bridge.session import Session

RED = (BRIGHT, 0, 0)


def line_bytes(data: bytes) -> bytes:
    """Bytes for the line: as they are, or, after an odd first byte, built into frames.

    Random bytes hardly ever have a right checksum, so that most inputs would end there.
    """
    if not data or data[0] % 2 == 0:
        return data[1:]
    return b"".join(_frames(data[1:]))


def _frames(data: bytes) -> Iterator[bytes]:
    while len(data) >= 3:
        kind, seq, length = data[0], data[1], data[2] % (host_codec.MAX_BODY + 1)
        body, rest = data[3:3 + length], data[3 + length:]
        yield host_codec.encode(host_codec.Frame(kind, seq, body))
        data = rest
    yield data


def check_decoders(data: bytes) -> None:
    """Both decoders find the same frames, whatever the pieces the bytes come in."""
    received = line_bytes(data)
    host, board = host_codec.Decoder(), board_codec.Decoder()
    frames = host.feed(received)
    assert [(f.type, f.seq, f.body) for f in frames] == board.feed(received)
    assert host.damaged == board.damaged
    pieces, again = host_codec.Decoder(), []
    cut = random.Random(len(received))
    rest = received
    while rest:
        size = cut.randrange(1, 9)
        again += pieces.feed(rest[:size])
        rest = rest[size:]
    assert again == frames
    for frame in frames:
        coded = host_codec.encode(frame)
        assert coded == board_codec.encode(frame.type, frame.seq, frame.body)
        assert host_codec.Decoder().feed(coded) == [frame]
        messages.parse(frame)


def check_host(data: bytes) -> None:
    """A session takes anything, and sends nothing but whole frames that a host may send."""
    check_decoders(data)
    reports: list[object] = []
    session = Session(reports.append, lambda: messages.SetState(messages.State.LISTENING),
                      random.Random(1))
    session.tick(0.0)
    (hello,) = host_codec.Decoder().feed(session.take())
    welcome = host_codec.Frame(messages.Type.WELCOME, 0,
                               bytes((1, 1, 1)) + hello.body[2:] + bytes((12, 3, 1, 0)))
    if data and data[0] & 2:
        session.receive(host_codec.encode(welcome), 0.0)
        assert session.joined
    received = line_bytes(data)
    now = 0.0
    for start in range(0, len(received), 7):
        now += 0.015
        session.receive(received[start:start + 7], now)
        assert session.tick(now) > now - 10 or not session.joined
        sent = session.take()
        decoder = host_codec.Decoder()
        assert all(f.type < 0x40 for f in decoder.feed(sent))
        assert decoder.damaged == 0


def check_board(data: bytes) -> None:
    """A board takes anything, answers in whole frames, and is red whenever it is muted."""
    check_decoders(data)
    muting = random.Random(len(data))
    board = Board(12, has_switch=True, cuts_supply=True)
    if data and data[0] & 2:
        board.step(0, board_codec.encode(wire.HELLO, 1, b"\x01\x01\x12\x34"), False, False)
        assert board.link.session == 0x1234
    received = line_bytes(data)
    now = 0
    for start in range(0, max(1, len(received)), 5):
        now += muting.choice((1, 3, 40, 400))
        muted = muting.random() < 0.3
        sent = board.step(now, received[start:start + 5], muting.random() < 0.5, muted)
        decoder = host_codec.Decoder()
        for frame in decoder.feed(sent):
            assert messages.parse(frame) is not None
        assert decoder.damaged == 0
        pixels = board.pixels(now)
        assert len(pixels) == 12
        assert all(0 <= c <= BRIGHT for pixel in pixels for c in pixel)
        if muted:
            assert board.display == wire.MUTED_BY_SWITCH
            assert pixels == [RED] * 12

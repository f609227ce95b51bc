"""Frames on the line, the host's side: zero-delimited COBS around a CRC-16.

The format is in ``docs/firmware-protocol.md``. The firmware has its own implementation; the two
share test vectors and no code. COBS is Cheshire and Baker's Consistent Overhead Byte Stuffing
(1999); the CRC is CRC-16/IBM-3740, which ``binascii.crc_hqx`` computes when started at 0xFFFF.
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass

MAX_BODY = 32
"""Bytes a frame's body may have."""

_OVERHEAD = 5
_MAX_CODED = MAX_BODY + _OVERHEAD + 1


class DamagedFrameError(ValueError):
    """Bytes between two delimiters that are no whole, undamaged frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message on the line."""

    type: int
    seq: int
    body: bytes = b""


def encode(frame: Frame) -> bytes:
    """The frame's bytes for the line, with a delimiter before and after.

    The one before costs a byte, and saves the frame when what came before it was noise.

    Raises:
        ValueError: The body is too long, or a number is no byte.
    """
    if len(frame.body) > MAX_BODY:
        raise ValueError(f"a body of {len(frame.body)} bytes; at most {MAX_BODY} fit")
    payload = bytes((len(frame.body), frame.type, frame.seq)) + frame.body
    payload += binascii.crc_hqx(payload, 0xFFFF).to_bytes(2, "big")
    # Every run of non-zero bytes is preceded by its length plus one; the zeros go.
    coded = b"".join(bytes((len(run) + 1,)) + run for run in payload.split(b"\0"))
    return b"\0" + coded + b"\0"


def decode(coded: bytes) -> Frame:
    """The frame in the bytes between two delimiters.

    Raises:
        DamagedFrameError: They are not exactly one undamaged frame.
    """
    if len(coded) > _MAX_CODED:
        raise DamagedFrameError("too long")
    payload = _unstuff(coded)
    if len(payload) < _OVERHEAD or payload[0] != len(payload) - _OVERHEAD:
        raise DamagedFrameError("wrong length")
    # A CRC over a message and its own CRC is zero.
    if binascii.crc_hqx(payload, 0xFFFF):
        raise DamagedFrameError("wrong checksum")
    return Frame(payload[1], payload[2], payload[3:-2])


def _unstuff(coded: bytes) -> bytes:
    runs = []
    rest = coded
    while rest:
        code = rest[0]
        if code > len(rest):
            raise DamagedFrameError("a run goes past the end")
        runs.append(rest[1:code])
        rest = rest[code:]
    return b"\0".join(runs)


class Decoder:
    """Finds the frames in a stream of bytes; whatever is not one is counted and dropped."""

    def __init__(self) -> None:
        self.damaged = 0
        """Damaged frames so far."""
        self._tail = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they come, in pieces of any size; returns the frames they complete."""
        *whole, tail = (self._tail + data).split(b"\0")
        # One byte over the limit is enough to know that the run is no frame.
        self._tail = tail[:_MAX_CODED + 1]
        frames = []
        for coded in filter(None, whole):
            try:
                frames.append(decode(coded))
            except DamagedFrameError:
                self.damaged += 1
        return frames

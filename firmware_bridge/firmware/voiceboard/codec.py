"""Frames on the line, the board's side: zero-delimited COBS around a CRC-16.

See docs/firmware-protocol.md. The host has its own implementation; the two share test vectors
and no code.
"""

MAX_BODY = 32
_HEADER = 3
_CRC = 2
_MAX_CODED = 1 + _HEADER + MAX_BODY + _CRC

# CRC-16/IBM-3740 (CCITT polynomial 0x1021, start 0xFFFF), four bits at a time: 32 bytes of table
# are cheaper on a microcontroller than 512, and faster than bit by bit.
_NIBBLES = (0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50A5, 0x60C6, 0x70E7,
            0x8108, 0x9129, 0xA14A, 0xB16B, 0xC18C, 0xD1AD, 0xE1CE, 0xF1EF)


def crc16(data: "bytes | bytearray") -> int:
    """CRC-16/IBM-3740 of ``data``."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc << 4 & 0xFFFF) ^ _NIBBLES[crc >> 12 ^ byte >> 4]
        crc = (crc << 4 & 0xFFFF) ^ _NIBBLES[crc >> 12 ^ byte & 15]
    return crc


def encode(kind: int, seq: int, body: bytes) -> bytes:
    """A frame ready for the line, with a zero before and after."""
    payload = bytearray((len(body), kind, seq))
    payload.extend(body)
    crc = crc16(payload)
    payload.append(crc >> 8)
    payload.append(crc & 255)
    out = bytearray(2)  # the zero before, and the first code byte
    code = 1
    for byte in payload:
        if byte:
            out.append(byte)
        else:
            out[code] = len(out) - code
            code = len(out)
            out.append(0)
    out[code] = len(out) - code
    out.append(0)
    return bytes(out)


class Decoder:
    """Finds whole, undamaged frames in whatever bytes come in; drops everything else."""

    def __init__(self) -> None:
        self.damaged = 0
        self._data = bytearray()
        self._too_long = False

    def feed(self, received: bytes) -> list[tuple[int, int, bytes]]:
        """Take bytes in pieces of any size; returns (type, sequence, body) of each frame."""
        frames = []
        for byte in received:
            if byte:
                if len(self._data) < _MAX_CODED:
                    self._data.append(byte)
                else:
                    self._too_long = True
                continue
            if self._data:
                frame = None if self._too_long else _decode(self._data)
                if frame is None:
                    self.damaged += 1
                else:
                    frames.append(frame)
            self._data = bytearray()
            self._too_long = False
        return frames


def _decode(coded: bytearray) -> "tuple[int, int, bytes] | None":
    payload = bytearray()
    code = 0
    while code < len(coded):
        end = code + coded[code]
        if end > len(coded):
            return None
        payload.extend(coded[code + 1:end])
        if end < len(coded):
            payload.append(0)
        code = end
    length = len(payload) - _HEADER - _CRC
    if length < 0 or payload[0] != length:
        return None
    crc = payload[-2] << 8 | payload[-1]
    if crc16(payload[:-2]) != crc:
        return None
    return payload[1], payload[2], bytes(payload[3:-2])

"""A document as parts that a table's items hold."""

from __future__ import annotations

import zlib

from agent.errors import AgentError
from agent.sync.household.sealer import replayed

PART_BYTES = 350_000
"""Sealed bytes of one record; DynamoDB takes items of up to 400 KB, names included."""
LARGEST_DOCUMENT = 900_000
"""Bytes of a document once it is compressed; four of them fit into a transaction of 4 MB."""
UNPACKED_LIMIT = 16 * 1024 * 1024


class DocumentTooLargeError(AgentError):
    """A document does not fit into the cloud table."""


def split(packed: bytes) -> list[bytes]:
    """The parts of a packed document."""
    size = PART_BYTES - 1024
    return [packed[n:n + size] for n in range(0, len(packed), size)]


def count_parts(packed: bytes) -> int:
    """How many records a packed document takes."""
    return len(split(packed))


def pack(name: str, text: bytes) -> bytes:
    """A document as it is sealed.

    Raises:
        DocumentTooLargeError: It does not fit.
    """
    packed = zlib.compress(text, 6)
    if len(packed) > LARGEST_DOCUMENT or len(text) > UNPACKED_LIMIT:
        raise DocumentTooLargeError(
            f"the {name} are too large for the household's other devices: "
            f"{len(packed) // 1024} KiB compressed",
            f"at most {LARGEST_DOCUMENT // 1024} KiB fit; split off what need not be shared")
    return packed


def unpack(packed: bytes) -> bytes:
    """The opposite of ``pack``.

    Raises:
        ReplayedError: It is no packed document.
    """
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, UNPACKED_LIMIT)
    except zlib.error:
        raise replayed() from None
    if not unpacker.eof:
        raise replayed()
    return text

"""Does a WAV file hold as much audio as its header announces?

libsndfile plays what is there without a word, so that a cut download would pass for a short
recording.
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_STREAMED = 0x7FFFF000
"""From this size on, a header was written by a program that could not go back to it (sox and
espeak-ng write this one, arecord 0x80000000, others 0xFFFFFFFF): it announces nothing."""

_SLACK = 1
"""Bytes of padding after an odd-sized chunk, which many programs leave out."""


def cut_off(path: Path) -> int | None:
    """Bytes of audio that a WAV's header announces, if the file ends before them; else None.

    None too for every other kind of file.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
            return None
        return _missing(file, path.stat().st_size)


def _missing(file: BinaryIO, size: int) -> int | None:
    while True:
        head = file.read(8)
        if len(head) < 8:
            return None
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"data":
            short = file.tell() + length > size + _SLACK
            return length if short and length < _STREAMED else None
        file.seek(length + length % 2, 1)

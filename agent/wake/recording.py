"""The wake word in recorded audio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection, WakeWord

TAIL = 0.6
"""Seconds of silence heard after a recording at least: a word at its very end is decided on only
when its score has fallen again."""


def detections(wake: WakeWord, audio: Iterable[Samples], pad: float = 0.0) -> Iterator[Detection]:
    """Detections in a recording, in order; ``at`` is on the recording's own clock.

    Args:
        wake: The detector; it is reset first.
        audio: Pieces of the recording, ``int16[samples]`` at 16 kHz.
        pad: Seconds of digital silence before and after it. A detection in the padding is given
            the time 0, if before.
    """
    wake.reset()
    for piece in _padded(audio, pad):
        found = wake.accept(piece)
        while found is not None:
            yield replace(found, at=max(0.0, found.at - pad))
            found = wake.accept(piece[:0])


def _padded(audio: Iterable[Samples], pad: float) -> Iterator[Samples]:
    yield _silence(pad)
    yield from audio
    yield _silence(max(pad, TAIL))


def _silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)

"""Cutting long audio into windows that the encoder takes, and telling silence from speech."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agent.asr.moonshine.model import WINDOW_SECONDS
from agent.events import SAMPLE_RATE, Samples

FRAME = SAMPLE_RATE // 50
"""Samples of the 20 ms frames that levels are measured on."""
MIN_SPEECH_SECONDS = 0.1
"""Anything shorter cannot hold a word."""
SILENCE = 8.0
"""Root mean square, on int16's scale (-72 dB), under which a frame is silent for certain."""

SWING = 1.6
"""How far (4 dB) some frames must stand out from the quietest tenth."""


def levels(samples: Samples) -> npt.NDArray[np.float32]:
    """Root mean square of each whole 20 ms frame, on int16's scale, offset removed."""
    count = len(samples) // FRAME
    frames = samples[:count * FRAME].astype(np.float32).reshape(count, FRAME)
    return np.asarray(frames.std(axis=1), np.float32)


def is_silent(samples: Samples) -> bool:
    """Whether the audio cannot hold a word: too short, too quiet, or a steady noise or tone.

    The level of speech swings by far more than ``SWING``, even in noise as loud as itself; the
    recogniser would hear "You" in a fan.
    """
    level = levels(samples)
    if not len(level):
        return True
    floor = max(SILENCE, SWING * float(np.percentile(level, 10)))
    return int((level >= floor).sum()) * FRAME < MIN_SPEECH_SECONDS * SAMPLE_RATE


def split(samples: Samples) -> list[Samples]:
    """Windows of at most ``WINDOW_SECONDS``, cut where it is quietest in their second half."""
    longest = int(WINDOW_SECONDS * SAMPLE_RATE)
    windows: list[Samples] = []
    while len(samples) > longest:
        cut = _quietest(samples[:longest])
        windows.append(samples[:cut])
        samples = samples[cut:]
    windows.append(samples)
    return windows


def _quietest(samples: Samples) -> int:
    """The middle of the quietest 0.3 s in the second half of ``samples``."""
    loudness = levels(samples) ** 2
    width = 15
    smooth = np.convolve(loudness, np.full(width, 1 / width), mode="valid")
    half = len(smooth) // 2
    return int((half + smooth[half:].argmin() + width // 2) * FRAME)

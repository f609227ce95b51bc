"""The agent's own sounds: soft tones at the wake word and at reopening, and a timer's ring.

Two partials with a rounded beginning and an exponential end, like a struck glass; between the
formants of most voices, so that speech over them is still understood.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agent.events import SAMPLE_RATE, Samples

_ATTACK = 0.008
"""Seconds in which a tone begins, so that it does not click."""


def wake_sound(level: float) -> Samples:
    """Rising: the wake word was heard. ``level`` is the peak in dB below full scale."""
    return _levelled(_in_turn((587.3, 880.0), 0.07), level)


def reopen_sound(level: float) -> Samples:
    """A single tone: the microphone is open for the answer."""
    return _levelled(_tone(880.0, 0.12), level)


def ring_sound(level: float) -> Samples:
    """One ring of a timer with the pause behind it, 6 dB over the other sounds."""
    ring = _in_turn((784.0, 987.8, 1174.7), 0.12)
    pause = np.zeros(round(0.9 * SAMPLE_RATE), np.float32)
    return _levelled(np.concatenate([ring, ring, pause]), min(-6.0, level + 6.0))


def _tone(pitch: float, seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = np.sin(2 * np.pi * pitch * time) + 0.3 * np.sin(4 * np.pi * pitch * time)
    begin = np.minimum(1.0, time / _ATTACK)
    return wave * begin * np.exp(-4.0 * time / seconds)


def _in_turn(pitches: Sequence[float], spacing: float) -> np.ndarray:
    """Tones that begin one after another and ring on together."""
    step = round(spacing * SAMPLE_RATE)
    tones = [_tone(pitch, 2.5 * spacing) for pitch in pitches]
    out = np.zeros(step * (len(tones) - 1) + len(tones[0]))
    for number, tone in enumerate(tones):
        out[number * step : number * step + len(tone)] += tone
    return out


def _levelled(wave: np.ndarray, level: float) -> Samples:
    peak = 32767 * 10 ** (level / 20)
    out: Samples = np.rint(wave * (peak / np.abs(wave).max())).astype(np.int16)
    return out

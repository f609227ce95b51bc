"""Noise mixed into recordings, the same way every time.

The mixing is that of Picovoice's speech-to-intent benchmark: levels are compared by the loudest
frame, not by the mean, so that pauses in the speech do not count.
"""

from __future__ import annotations

import random

import numpy as np
import numpy.typing as npt

from agent.audio.conversion import to_int16
from agent.errors import AgentError
from agent.events import Samples

FRAME = 2_048
"""Samples a frame of the level measurement."""

PEAK = 0.5
"""Peak of the mix, of full scale."""

_Floats = npt.NDArray[np.float64]


def mix(clip_id: str, speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """Speech with an excerpt of noise ``snr_db`` below it, scaled to a peak of 0.5.

    Args:
        clip_id: Seeds the choice of the excerpt: the same clip always gets the same noise.
        speech: ``int16[samples]``.
        noise: ``int16[samples]``; repeated where it is shorter than the speech.
        snr_db: Energy of the loudest frame of speech over that of the excerpt, dB.

    Raises:
        AgentError: The speech or the noise is empty or digital silence.
    """
    voice = speech.astype(np.float64)
    sound = excerpt(clip_id, noise, len(speech)).astype(np.float64)
    loud, background = peak_energy(voice), peak_energy(sound)
    if not loud or not background:
        raise AgentError(f"cannot mix noise into {clip_id}: "
                         f"{'the noise' if loud else 'the clip'} is silent or empty",
                         "give recordings that hold sound")
    both = voice + sound * np.sqrt(loud / background * 10.0 ** (-snr_db / 10.0))
    return to_int16((both * (PEAK / np.abs(both).max())).astype(np.float32))


def excerpt(clip_id: str, noise: Samples, length: int) -> Samples:
    """``length`` samples of the noise, from a place that ``clip_id`` decides."""
    if not len(noise):
        return noise
    if len(noise) < length:
        noise = np.tile(noise, -(-length // len(noise)))
    start = random.Random(clip_id).randrange(len(noise) - length + 1)
    return noise[start:start + length]


def peak_energy(audio: _Floats) -> float:
    """Energy of the loudest whole frame; of all of it where it is shorter than a frame."""
    if len(audio) < FRAME:
        return float((audio ** 2).sum())
    whole = audio[:len(audio) - len(audio) % FRAME].reshape(-1, FRAME)
    return float((whole ** 2).sum(axis=1).max())

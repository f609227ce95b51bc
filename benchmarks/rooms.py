"""Synthetic rooms: how a small loudspeaker sounds at a microphone across the table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.audio.conversion import to_float, to_int16
from agent.events import SAMPLE_RATE, Samples

_Floats = npt.NDArray[np.float64]

_DEEPEST, _HIGHEST = 250.0, 6_000.0
"""Hz: band of a small loudspeaker."""


@dataclass(frozen=True, slots=True)
class Room:
    """A loudspeaker, a microphone and the walls between them."""

    reverberation: float = 0.4
    """Seconds in which sound decays by 60 dB (RT60); 0: no walls."""
    direct: float = 3.0
    """Level of the direct sound over that of the reverberation, dB."""
    delay: float = 0.0
    """Seconds from the loudspeaker's signal to the microphone's."""
    level: float = -10.0
    """What arrives, relative to what is played, dB (RMS)."""
    distortion: float = 0.0
    """Drive of the loudspeaker into saturation: 0 none, 1 plainly audible at full level."""
    seed: int = 0
    """Makes this room's reflections and loudspeaker."""

    def response(self) -> _Floats:
        """Impulse response of unit energy, ``float64[samples]``, delay not included.

        The direct sound, then Gaussian noise that decays exponentially (Polack, 1988).
        """
        length = round(self.reverberation * SAMPLE_RATE)
        if not length:
            return np.ones(1)
        random = np.random.default_rng(self.seed)
        tail = random.standard_normal(length) * 10.0 ** (-3.0 * np.arange(length) / length)
        tail[:SAMPLE_RATE // 200] *= 0.2
        tail *= 10.0 ** (-self.direct / 20.0) / np.sqrt((tail ** 2).sum())
        tail[0] += 1.0
        unit: _Floats = tail / np.sqrt((tail ** 2).sum())
        return unit

    def heard(self, played: Samples) -> Samples:
        """What the microphone gets of ``int16[samples]``; same length, later part cut off."""
        sound = self._loudspeaker(to_float(played).astype(np.float64))
        late = round(self.delay * SAMPLE_RATE)
        echo = convolve(np.concatenate([np.zeros(late), sound])[:len(sound)], self.response())
        loud = np.sqrt((echo ** 2).mean()) if len(echo) else 0.0
        if loud:
            target = np.sqrt((to_float(played) ** 2).mean()) * 10.0 ** (self.level / 20.0)
            echo *= target / loud
        return to_int16(echo.astype(np.float32))

    def _loudspeaker(self, sound: _Floats) -> _Floats:
        """A small cone's band, an uneven response, and saturation."""
        if not len(sound):
            return sound
        hertz = np.fft.rfftfreq(len(sound), 1.0 / SAMPLE_RATE)
        uneven = np.random.default_rng(self.seed + 1).standard_normal(12) * 3.0
        gain = 10.0 ** (np.interp(hertz, np.linspace(0, SAMPLE_RATE / 2, 12), uneven) / 20.0)
        gain /= np.sqrt(1.0 + (_DEEPEST / np.maximum(hertz, 1.0)) ** 4)
        gain /= np.sqrt(1.0 + (hertz / _HIGHEST) ** 6)
        out: _Floats = np.fft.irfft(np.fft.rfft(sound) * gain, len(sound))
        peak = np.abs(out).max()
        if self.distortion and peak:
            out = np.tanh(out / peak * self.distortion) * peak / self.distortion
        return out


def convolve(sound: _Floats, response: _Floats) -> _Floats:
    """``sound`` through ``response``, as long as ``sound``."""
    if not len(sound):
        return sound
    size = 1 << (len(sound) + len(response) - 2).bit_length()
    both = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    out: _Floats = np.fft.irfft(both, size)[:len(sound)]
    return out

"""How what the loudspeaker plays reaches the microphone: delay, and strength per band and time.

The delay comes from the generalised cross-correlation with phase transform (Knapp and Carter,
1976). The rest is a model of power, not of waveform: in each frequency band the echo's power is
a sum of the played power of the last half second with non-negative weights, which covers
reverberation and survives a distorting loudspeaker and drifting clocks. The weights are fitted
by the multiplicative updates of non-negative least squares (Lee and Seung, 2001), every error
relative to the power heard, so that the quiet ends of words count as much as the loud middles.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agent.events import SAMPLE_RATE

Floats = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]

SIZE, HOP = 512, 256
"""Samples of an analysis frame, 32 ms, and of its advance."""

EARLIEST, LATEST = -0.05, 0.62
"""Seconds of delay that are looked for; negative: the device claims more delay than it has."""

CLEAR = 12.0
"""Height of the correlation's peak over its RMS from which there is an echo at all. Without
one the highest of ten thousand values reaches 4 to 9; with one, −20 dB in noise, 20 and more."""

_FIT = 3.0
"""Seconds of the reply that the model is fitted to, the last ones."""

_TAPS = 32
"""Frames that an echo lasts: half a second."""

_ROUNDS = 40
_FLOOR = 25.0
"""Percentile of a band's power over time that is taken for the room's noise."""

_EARLY = 96
"""Samples by which the reference is kept ahead of the delay found, so that none is missed."""

_WINDOW: Floats = np.sqrt(np.hanning(SIZE + 1)[:SIZE]).astype(np.float32)
_EDGES = np.concatenate([[0], np.unique(np.round(np.geomspace(3, 257, 28)).astype(int))[:-1]])
"""First bin of each band: about a third of an octave each."""
_BAND_OF_BIN = np.repeat(np.arange(len(_EDGES)), np.diff(np.append(_EDGES, SIZE // 2 + 1)))


@dataclass(frozen=True, slots=True)
class Delay:
    """How much later than reported the reply is heard."""

    seconds: float
    clarity: float
    """Height of the correlation's peak over its RMS."""

    @property
    def clear(self) -> bool:
        """The reply is heard at all."""
        return self.clarity >= CLEAR


@dataclass(frozen=True, slots=True)
class Prediction:
    """Power heard and power explained by the reply, ``float32[frames, bands]`` each."""

    spectra: Spectra = field(repr=False)
    heard: Floats = field(repr=False)
    echo: Floats = field(repr=False)
    noise: Floats = field(repr=False)
    """Power of the room's noise, ``float32[bands]``."""

    def without_echo(self, first: int, last: int, excess: float) -> Floats:
        """The sound of frames ``first`` to ``last`` with the echo taken out.

        Bands are weakened by the predicted power times ``excess``, at most down to the room's
        noise, so that holes in the noise do not sound like syllables.
        """
        heard = np.maximum(self.heard[first:last], 1e-20)
        least = np.minimum(1.0, self.noise / heard)
        gain = np.sqrt(np.maximum(least, 1.0 - excess * self.echo[first:last] / heard))
        return synthesise(self.spectra[first:last] * gain[:, _BAND_OF_BIN])


def spectra_of(audio: Floats) -> Spectra:
    """``complex64[frames, bins]`` of ``float32[samples]``."""
    frames = max(0, (len(audio) - SIZE) // HOP + 1)
    places = np.arange(SIZE)[None] + HOP * np.arange(frames)[:, None]
    out: Spectra = np.fft.rfft(audio[places] * _WINDOW, axis=1).astype(np.complex64)
    return out


def synthesise(spectra: Spectra) -> Floats:
    """``float32[samples]`` of ``complex64[frames, bins]``: the inverse of ``spectra_of``."""
    out = np.zeros((len(spectra) + 1) * HOP, np.float32)
    for place, frame in enumerate(np.fft.irfft(spectra, SIZE, axis=1) * _WINDOW):
        out[place * HOP:place * HOP + SIZE] += frame
    return out


def find_delay(microphone: Floats, reference: Floats) -> Delay:
    """Delay of the reply in the microphone's signal, from up to 3.5 s of both.

    Args:
        microphone: ``float32[samples]`` at 16 kHz.
        reference: What was played at the same times, same length.
    """
    longest = 1 << 16
    keep = longest - round(LATEST * SAMPLE_RATE)
    microphone, reference = microphone[-keep:], reference[-keep:]
    cross = np.fft.rfft(microphone, longest) * np.conj(np.fft.rfft(reference, longest))
    size = np.abs(cross)
    if not size.any():
        return Delay(0.0, 0.0)
    cross /= size + 1e-7 * size.max()
    hertz = np.fft.rfftfreq(longest, 1 / SAMPLE_RATE)
    cross[(hertz < 200) | (hertz > 5000)] = 0
    lags = np.arange(round(EARLIEST * SAMPLE_RATE), round(LATEST * SAMPLE_RATE))
    values = np.fft.irfft(cross, longest)[lags]
    best = int(np.argmax(values))
    return Delay(float(lags[best]) / SAMPLE_RATE,
                 float(values[best] / np.sqrt((values ** 2).mean() + 1e-30)))


def predict(microphone: Floats, reference: Floats, until: int) -> Prediction:
    """Fit the path over the reply and predict its echo everywhere.

    Args:
        microphone: ``float32[samples]`` at 16 kHz.
        reference: What was played, already shifted by the delay, same length.
        until: Sample at which the reply ended; the fit uses nothing after it.
    """
    spectra = spectra_of(microphone)
    heard, played = _bands(spectra), _bands(spectra_of(reference))
    noise: Floats = np.percentile(heard, _FLOOR, axis=0).astype(np.float32)
    last = max(1, until // HOP)
    fit = slice(max(0, last - round(_FIT * SAMPLE_RATE / HOP)), last)
    lagged = _lagged(played)
    weights = _fit(lagged[:, fit], np.maximum(heard[fit] - noise, 0).T, noise)
    echo: Floats = (lagged @ weights[:, :, None])[:, :, 0].T
    return Prediction(spectra, heard, echo, noise)


def shifted(reference: Floats, delay: Delay) -> Floats:
    """The reference moved to where the microphone hears it, a little early."""
    late = round(delay.seconds * SAMPLE_RATE) - _EARLY
    out = np.zeros_like(reference)
    if late >= 0:
        out[late:] = reference[:len(reference) - late]
    else:
        out[:late] = reference[-late:]
    return out


def _bands(spectra: Spectra) -> Floats:
    power = spectra.real ** 2 + spectra.imag ** 2
    out: Floats = np.add.reduceat(power, _EDGES, axis=1).astype(np.float32)
    return out


def _lagged(played: Floats) -> Floats:
    """``float32[bands, frames, taps]``: power played 0, 1, 2 … frames before."""
    frames, bands = played.shape
    out = np.zeros((bands, frames, _TAPS), np.float32)
    for tap in range(min(_TAPS, frames)):
        out[:, tap:, tap] = played[:frames - tap].T
    return out


def _fit(lagged: Floats, heard: Floats, noise: Floats) -> Floats:
    """Non-negative weights, ``float32[bands, taps]``."""
    weight = 1.0 / (heard + noise[:, None] + 0.01 * heard.mean(axis=1, keepdims=True) + 1e-20)
    weighted = lagged * weight[:, :, None]
    gram = lagged.transpose(0, 2, 1) @ weighted
    target = (weighted * heard[:, :, None]).sum(axis=1)
    scale = target.sum(axis=1) / (gram.sum(axis=(1, 2)) + 1e-20)
    fading = np.exp(-np.arange(_TAPS) / 4.0).astype(np.float32)
    weights = np.maximum(scale[:, None] * fading, 1e-12)
    for _ in range(_ROUNDS):
        weights *= target / ((gram @ weights[:, :, None])[:, :, 0] + 1e-20)
    out: Floats = weights.astype(np.float32)
    return out

"""Audio of any rate, channel count and level into the agent's form, streaming.

The result does not depend on how the audio is cut into blocks. Audio that is 16 kHz, mono,
16 bit already and without a DC shift comes out bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

Floats = npt.NDArray[np.float32]

LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000
"""Sample rates, in Hz, between which a file or device is believed."""

QUALITY = "HQ"
"""soxr's setting; its filter holds back 9–12 ms at 22.05, 44.1 and 48 kHz."""


def to_int16(audio: Floats) -> Samples:
    """Round ``float32[samples]`` in ±1 to int16; what is beyond is clipped, NaN becomes 0."""
    return _rounded(np.nan_to_num(audio, nan=0.0))


def _rounded(audio: Floats) -> Samples:
    scaled = np.rint(audio * np.float32(32768.0))
    np.minimum(np.maximum(scaled, -32768.0, out=scaled), 32767.0, out=scaled)
    clipped: Samples = scaled.astype(np.int16)
    return clipped


def to_float(samples: Samples) -> Floats:
    """``int16`` to ``float32`` in ±1."""
    return samples.astype(np.float32) / np.float32(32768.0)


class DcBlocker:
    """Takes out a constant offset where there is one, and touches nothing where there is none.

    The offset is followed over about a second. It is believed at once where it is more than
    sound has (``PLAIN`` of full scale), or where the sound begins with little else, as a
    recording does before anyone speaks. Below ``LEAST`` of full scale
    nothing is removed; from ``FULL`` on, all of it; in between, gradually, so that there is
    never a step.
    """

    HOP = 320
    LEAST, FULL, PLAIN = 0.01, 0.02, 0.1
    _FOLLOW, _WARY = 0.02, 3
    """Share of a hop's mean that is believed, and hops of doubt at the beginning."""

    def __init__(self) -> None:
        self._held: Floats = np.zeros(0, np.float32)
        self._hops = 0
        self._offset = 0.0
        self._removed = 0.0

    def accept(self, audio: Floats) -> Floats:
        """Take ``float32[samples]`` at 16 kHz; gives what is ready, whole hops of 20 ms."""
        audio = np.concatenate([self._held, audio])
        whole = len(audio) - len(audio) % self.HOP
        self._held = audio[whole:]
        if not whole:
            return np.zeros(0, np.float32)
        hops = audio[:whole].reshape(-1, self.HOP)
        means = hops.mean(axis=1).tolist()
        return np.concatenate([self._clean(*pair) for pair in zip(hops, means, strict=True)])

    def finish(self) -> Floats:
        """The rest, shorter than a hop."""
        rest, self._held = self._held, np.zeros(0, np.float32)
        return self._clean(rest, float(rest.mean())) if len(rest) else rest

    def _clean(self, hop: Floats, mean: float) -> Floats:
        sure = not self._hops and abs(mean) > min(self.PLAIN, 2.0 * float(hop.std()))
        follow = 1.0 if sure else max(self._FOLLOW, 1.0 / (self._hops + self._WARY))
        self._hops += 1
        self._offset += follow * len(hop) / self.HOP * (mean - self._offset)
        share = (abs(self._offset) - self.LEAST) / (self.FULL - self.LEAST)
        target = self._offset * min(1.0, max(0.0, share))
        before, self._removed = (target if sure else self._removed), target
        if before == 0.0 and target == 0.0:
            return hop
        return hop - np.linspace(before, target, len(hop), dtype=np.float32)


class Converter:
    """Streams audio of one rate and channel count into 16 kHz mono int16.

    Args:
        rate: Samples a second of the audio that will be given.
        channels: Its channels; they are averaged.

    Raises:
        AgentError: The rate or channel count is not believable.
    """

    def __init__(self, rate: int, channels: int = 1) -> None:
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise AgentError(f"a sample rate of {rate} Hz is not supported",
                             f"use {LOWEST_RATE} to {HIGHEST_RATE} Hz")
        if channels < 1:
            raise AgentError(f"{channels} channels are not supported", "use one or more")
        self.rate, self.channels = rate, channels
        self._resampler: Any = None
        if rate != SAMPLE_RATE:
            import soxr

            self._resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1, "float32", QUALITY)
        self._blocker = DcBlocker()

    def accept(self, block: Floats) -> Samples:
        """Take ``float32[frames, channels]`` (or ``[frames]``) in ±1; gives what is ready."""
        mixed = np.nan_to_num(self._mix(block), nan=0.0, posinf=1.0, neginf=-1.0)
        return _rounded(self._blocker.accept(self._resample(mixed, last=False)))

    def accept_pcm(self, block: Samples) -> Samples:
        """The same for ``int16[frames * channels]``, interleaved, which is always a number."""
        mixed = self._mix(to_float(block))
        return _rounded(self._blocker.accept(self._resample(mixed, last=False)))

    def finish(self) -> Samples:
        """What is left when the audio has ended."""
        rest = self._resample(np.zeros(0, np.float32), last=True)
        return _rounded(np.concatenate([self._blocker.accept(rest), self._blocker.finish()]))

    def _mix(self, block: Floats) -> Floats:
        mono = block.reshape(-1, self.channels)
        mixed: Floats = mono[:, 0] if self.channels == 1 else mono.mean(axis=1, dtype=np.float32)
        return mixed

    def _resample(self, audio: Floats, last: bool) -> Floats:
        if self._resampler is None:
            return audio
        out: Floats = self._resampler.resample_chunk(audio, last=last)
        return out

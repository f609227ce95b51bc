"""Reading the WAV stream of a synthesiser and bringing it to the agent's rate."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import soxr

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples


@dataclass(frozen=True, slots=True)
class WaveFormat:
    """What a WAV header says."""

    rate: int
    channels: int
    bits: int


class WaveDecoder:
    """Turns the bytes of a 16-bit WAV file, in any pieces, into ``int16[samples]`` at 16 kHz.

    The sizes in the header are not believed: a program that writes to a pipe cannot know them.

    Args:
        engine: Name for error messages.
        raw: Format of a headerless stream; None when a header is expected.
        volume: Factor from 0 to 1.
    """

    def __init__(self, engine: str, raw: WaveFormat | None = None, volume: float = 1.0) -> None:
        self._engine = engine
        self._held = b""
        self._volume = volume
        self._resampler: soxr.ResampleStream | None = None
        self._format = raw
        if raw is not None:
            self._open(raw)

    def feed(self, data: bytes, *, last: bool = False) -> Samples:
        """Audio of the next bytes; with ``last`` what the resampler still holds as well."""
        self._held += data
        if self._format is None and not self._read_header():
            return np.zeros(0, np.int16)
        assert self._format is not None
        width = 2 * self._format.channels
        usable = len(self._held) - len(self._held) % width
        samples = np.frombuffer(self._held[:usable], np.int16)
        self._held = self._held[usable:]
        if self._format.channels > 1:
            samples = samples.reshape(-1, self._format.channels).mean(axis=1).astype(np.int16)
        return self._convert(samples, last)

    def _convert(self, samples: Samples, last: bool) -> Samples:
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples, last=last)
        if self._volume < 1.0:
            samples = (samples * np.float32(self._volume)).astype(np.int16)
        return samples

    def _read_header(self) -> bool:
        """Parse the header if all of it is there; leaves the audio in ``_held``."""
        data = self._held
        if len(data) >= 4 and data[:4] != b"RIFF":
            raise AgentError(f"{self._engine} did not produce WAV audio")
        found: WaveFormat | None = None
        at = 12
        while len(data) >= at + 8:
            name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
            if name == b"data" and found is not None:
                self._format, self._held = found, data[at + 8 :]
                self._open(found)
                return True
            if len(data) < at + 8 + size:
                return False
            if name == b"fmt ":
                _, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", data, at + 8)
                found = WaveFormat(rate, channels, bits)
            at += 8 + size + size % 2
        return False

    def _open(self, form: WaveFormat) -> None:
        if form.bits != 16 or form.channels < 1 or form.rate < 4000:
            raise AgentError(f"{self._engine} produced audio of an unknown kind: {form}")
        if form.rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(form.rate, SAMPLE_RATE, 1, dtype="int16")

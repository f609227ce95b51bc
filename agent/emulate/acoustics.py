"""What a room does to sound: level, delay and reverberation of the agent's own voice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.events import SAMPLE_RATE, Samples


@dataclass(frozen=True)
class Leak:
    """How the loudspeaker reaches the microphone."""

    level: float
    """Decibels against what was played; -10 is a loudspeaker beside the microphone."""
    delay: float = 0.02
    """Seconds from the loudspeaker to the microphone, beyond the delay that the device reports."""
    reverberation: float = 0.3
    """Seconds in which the room's reverberation falls by 60 dB (RT60); 0 is an open field."""
    seed: int = 1


def impulse_response(leak: Leak) -> npt.NDArray[np.float32]:
    """``float32[taps]``: direct sound, then exponentially decaying noise of a tenth of its energy.

    The decay of a diffuse field is exponential with 60 dB in RT60 seconds (Sabine).
    """
    length = max(1, round((leak.delay + leak.reverberation) * SAMPLE_RATE) + 1)
    response = np.zeros(length, np.float32)
    start = round(leak.delay * SAMPLE_RATE)
    if leak.reverberation > 0:
        tail = np.random.default_rng(leak.seed).standard_normal(length - start)
        decay = 10 ** (-3 * np.arange(length - start) / (leak.reverberation * SAMPLE_RATE))
        diffuse = tail * decay
        diffuse *= np.sqrt(0.1 / np.square(diffuse).sum())
        response[start:] = diffuse
    response[start] += 1.0
    response *= 10 ** (leak.level / 20)
    return response


class EchoPath:
    """Convolves what is played, frame by frame, into what the microphone hears of it."""

    def __init__(self, leak: Leak) -> None:
        self._response = impulse_response(leak)
        self._carried = np.zeros(len(self._response), np.float32)

    def next(self, played: Samples) -> npt.NDArray[np.float32]:
        """``float32[samples]`` reaching the microphone while ``played`` leaves the loudspeaker."""
        size = len(played)
        total = np.zeros(size + len(self._response) - 1, np.float32)
        if played.any():
            total += _convolve(played.astype(np.float32), self._response)
        keep = min(len(self._carried), len(total))
        total[:keep] += self._carried[:keep]
        self._carried = total[size:]
        return total[:size]


def _convolve(signal: npt.NDArray[np.float32],
              response: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    length = len(signal) + len(response) - 1
    size = 1 << (length - 1).bit_length()
    spectrum = np.fft.rfft(signal, size) * np.fft.rfft(response, size)
    return np.fft.irfft(spectrum, size)[:length].astype(np.float32)

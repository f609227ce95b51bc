"""Brings speech to one level while it streams: the recogniser is deaf to quiet microphones.

With the Korean model, names that are heard at full level are all lost 20 dB below it. The level
of an utterance is known only once it has begun, so the audio is held back until speech stands
out from the noise and for 0.3 s more; noise before it is not raised, which would look like
speech.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from agent.events import SAMPLE_RATE, Samples

BLOCK = SAMPLE_RATE // 10
"""Samples of the pieces that come out, whatever went in, so that results repeat."""
_TARGET = 0.7 * 32_767
_MOST_GAIN = 40.0
_ONSET = 5.0
"""How far (14 dB) a block's peak must stand out from the quietest one to be speech."""
_HELD = 8
"""Most blocks held back while nothing stands out."""
_AFTER_ONSET = 3
"""Blocks waited for after the first that stands out, to know how loud the speech is."""


class Leveller:
    """Takes pieces of any size, gives levelled blocks; one utterance each."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.int16)
        self._held: deque[Samples] = deque()
        self._quietest = np.inf
        self._peak = 0.0
        self._since_onset = 0
        self._ready = False

    def accept(self, samples: Samples) -> list[Samples]:
        """The blocks that are ready after ``int16[samples]`` more."""
        self._rest = np.concatenate([self._rest, samples])
        out: list[Samples] = []
        while len(self._rest) >= BLOCK:
            out += self._take(self._rest[:BLOCK])
            self._rest = self._rest[BLOCK:]
        return out

    def pause(self) -> list[Samples]:
        """The whole blocks held back: the speaker paused, so the speech has been heard."""
        return self._release()

    def flush(self) -> list[Samples]:
        """All that is held back; the last block may be shorter."""
        if len(self._rest):
            self._see(self._rest)
            self._held.append(self._rest)
            self._rest = self._rest[:0]
        return self._release()

    def _take(self, block: Samples) -> list[Samples]:
        self._see(block)
        self._held.append(block)
        if self._ready:
            return self._release()
        if self._peak >= _ONSET * max(self._quietest, 1.0):
            self._since_onset += 1
            self._ready = self._since_onset > _AFTER_ONSET
            return self._release() if self._ready else []
        return [self._held.popleft()] if len(self._held) > _HELD else []

    def _see(self, block: Samples) -> None:
        centred = block.astype(np.float32)
        centred -= centred.mean()
        peak = float(np.abs(centred).max())
        self._peak = max(self._peak, peak)
        self._quietest = min(self._quietest, peak)

    def _release(self) -> list[Samples]:
        gain = min(_MOST_GAIN, _TARGET / max(self._peak, 1.0))
        blocks = [_scaled(block, gain) for block in self._held]
        self._held.clear()
        return blocks


def _scaled(block: Samples, gain: float) -> Samples:
    return np.asarray(np.clip(np.rint(block * gain), -32_768, 32_767), np.int16)

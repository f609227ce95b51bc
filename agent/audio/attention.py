"""Whether what the microphone hears may matter, or can wait to be looked at with what follows.

Most of what listening costs is waking up: the processor's caches are cold by then. In a room where
nothing stirs several blocks are therefore handed on at once, and at the first that is louder, all.
"""

from __future__ import annotations

from agent.events import Samples

LOUDER = 2.0
"""Ratio to the quietest of late (6 dB) from which sound may be speech."""
RISE = 1.12
"""Ratio a second (1 dB) by which what counts as quiet grows in lasting noise."""
LINGER = 3.0
"""Seconds for which everything matters after the last louder sound."""
FAINT = 16.0
"""Span of sample values (-66 dB) under which nothing is louder than anything."""


class Attention:
    """Follows the level of a stream of blocks.

    Args:
        seconds: Length of a block.
    """

    def __init__(self, seconds: float) -> None:
        self._rise = RISE ** seconds
        self._linger = round(LINGER / seconds)
        self._quiet = float("inf")
        self._left = self._linger

    def wanted(self, pcm: Samples) -> bool:
        """Whether this block, ``int16[samples]``, may matter now."""
        if not len(pcm):
            return True
        span = float(pcm.max()) - float(pcm.min())
        self._quiet = max(FAINT, min(self._quiet * self._rise, span))
        self._left = self._linger if span > LOUDER * self._quiet else self._left - 1
        return self._left > 0

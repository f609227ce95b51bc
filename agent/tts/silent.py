"""Silence of the length that speech would have, for tests and for screens without a speaker."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import numpy as np

from agent.events import SAMPLE_RATE, Samples
from agent.tts.text import pieces

SECONDS_A_CHARACTER = 0.065
"""Mean of flite's slt voice over the agent's own replies."""


class Silent:
    """Takes as long as speech would, without a sound."""

    name = "silent"

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate

    async def speak(self, text: str) -> AsyncGenerator[Samples, None]:
        """Zeros, a sentence at a time."""
        for piece in pieces(text):
            seconds = len(piece) * SECONDS_A_CHARACTER / self._rate
            yield np.zeros(round(seconds * SAMPLE_RATE), np.int16)

"""Settings of the wake word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.settings import setting

Engine = Literal["micro", "openwakeword", "phrase"]


@dataclass(frozen=True)
class Settings:
    """Which word wakes the agent, and how readily."""

    word: str = setting(
        "alexa", "the wake word, as people say it; the phrase engine takes any words")
    engine: Engine = setting(
        "micro", "what listens for it: micro (microWakeWord), openwakeword (non-commercial "
        "weights, fetched separately), or phrase (any words, by the recogniser)")
    sensitivity: float = setting(
        0.5, "0 to 1: higher misses fewer wake words and wakes by mistake more often; 0.5 is as "
        "measured", minimum=0.0, maximum=1.0)
    refractory: float = setting(
        1.0, "seconds after a detection in which there is no other", minimum=0.0, maximum=60.0)
    confirm: bool = setting(
        True, "whether the recogniser is asked when the engine is unsure; without it the engine's "
        "own threshold decides")

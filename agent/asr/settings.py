"""Settings of speech recognition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.settings import setting

EngineChoice = Literal["auto", "vosk", "moonshine"]


@dataclass(frozen=True)
class Settings:
    """How speech is recognised."""

    engine: EngineChoice = setting(
        "auto", "recogniser: vosk, moonshine, or auto (vosk where its English model is installed)")
    threads: int = setting(
        1, "processor threads of one Moonshine decode; Vosk always uses one a decoder",
        minimum=1, maximum=8)
    beam: int = setting(
        1, "Moonshine: hypotheses kept while decoding; 1 is greedy, the fastest",
        minimum=1, maximum=16)
    alternatives: int = setting(
        5, "Vosk: hypotheses returned for an utterance", minimum=1, maximum=50)
    vosk_model: str = setting(
        "vosk-en", "Vosk: catalogue name of the model")
    moonshine_model: str = setting(
        "moonshine-tiny-en", "Moonshine: catalogue name of the model")

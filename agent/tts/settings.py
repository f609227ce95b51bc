"""Settings of speech out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """How replies are spoken (table ``[tts]``)."""

    engine: Literal["auto", "flite", "espeak", "piper", "silent"] = setting(
        "auto", "speech synthesiser; auto takes flite where it is installed, else espeak-ng"
    )
    voice: str = setting(
        "", "voice: slt, rms, awb, kal for flite; a name such as en-us for espeak-ng; the path of "
        "an .onnx voice for Piper; empty takes the engine's usual one"
    )
    rate: float = setting(1.0, "speed of speech, 1 is normal", minimum=0.5, maximum=2.0)
    volume: float = setting(1.0, "loudness of replies, 0 to 1", minimum=0.0, maximum=1.0)

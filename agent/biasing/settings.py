"""Settings of contextual recognition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """How much context may do."""

    enabled: bool = setting(True, "whether recognition uses what the agent knows")
    budget_ms: int = setting(
        400, "most milliseconds that context may add after the end of speech; 0 means no limit",
        minimum=0, maximum=60_000)
    beam: int = setting(
        6, "hypotheses kept while decoding what the context allows", minimum=1, maximum=32)
    candidates: int = setting(
        24, "phrases that sound like what was heard and are scored under the audio", minimum=1,
        maximum=200)
    thresholds: Path = setting(
        Path(), "thresholds that `voice-agent calibrate` wrote; empty means those shipped")

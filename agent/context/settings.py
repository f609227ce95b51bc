"""Settings of the context window."""

from __future__ import annotations

from dataclasses import dataclass

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """What context is made of (table ``[context]``)."""

    enabled: bool = setting(True, "whether answers are recognised with the context of their "
                                  "question; otherwise every answer is recognised plainly")
    phrases: int = setting(300, "most names that the recogniser is made ready for in one turn",
                           minimum=10, maximum=2_000)
    rounds: int = setting(3, "rounds of a dialogue that are looked back on", minimum=1, maximum=10)
    without: tuple[str, ...] = setting((), "names of signals that are left out")
    device_type: str = setting("smart speaker", "what the agent runs on, in a word or two")
    preferences: tuple[str, ...] = setting((), "what you prefer, in a few words each: "
                                               "\"Italian food\", \"diesel\"")
    encode_ms: int = setting(400, "most milliseconds that encoding may take; after that the turn "
                                  "goes on without a vector", minimum=10, maximum=10_000)
    hurry: bool = setting(True, "do less where the time of the reply would not suffice")

"""All settings of the agent: one TOML file, typed, every key documented with its default.

The parts declare their own settings; here they are put together under the names of their tables.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from agent import settings as mechanism
from agent.asr.settings import Settings as AsrSettings
from agent.audio.settings import EndpointSettings
from agent.audio.settings import Settings as AudioSettings
from agent.biasing.settings import Settings as BiasSettings
from agent.context.settings import Settings as ContextSettings
from agent.dialogue.settings import CommandSettings
from agent.dialogue.settings import Settings as DialogueSettings
from agent.errors import AgentError
from agent.settings import setting
from agent.store.settings import Settings as StoreSettings
from agent.sync.settings import Settings as SyncSettings
from agent.tts.settings import Settings as TtsSettings
from agent.wake.settings import Settings as WakeSettings
from firmware_bridge.settings import Settings as BridgeSettings


@dataclass(frozen=True)
class LogSettings:
    """What is written about the agent's work (table ``[log]``)."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        "warning", "how much is logged to standard error")
    log_transcripts: bool = setting(
        False, "also log what was said and replied; otherwise no spoken text is ever logged")


@dataclass(frozen=True)
class Config:
    """The settings file."""

    audio: AudioSettings = field(default_factory=AudioSettings)
    endpoint: EndpointSettings = field(default_factory=EndpointSettings)
    wake: WakeSettings = field(default_factory=WakeSettings)
    asr: AsrSettings = field(default_factory=AsrSettings)
    bias: BiasSettings = field(default_factory=BiasSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    dialogue: DialogueSettings = field(default_factory=DialogueSettings)
    commands: CommandSettings = field(default_factory=CommandSettings)
    tts: TtsSettings = field(default_factory=TtsSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    sync: SyncSettings = field(default_factory=SyncSettings)
    bridge: BridgeSettings = field(default_factory=BridgeSettings)
    log: LogSettings = field(default_factory=LogSettings)


def default_path() -> Path:
    """Where the settings file is: ``$VOICE_AGENT_CONFIG``, else in the user's config folder."""
    named = os.environ.get("VOICE_AGENT_CONFIG")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    return Path(base).expanduser() / "voice-agent" / "config.toml"


def load(path: Path | None = None) -> Config:
    """Read the settings; the defaults where the usual file does not exist.

    Raises:
        AgentError: A named file is missing; a key is unknown or its value wrong (names the line).
    """
    found = path or default_path()
    if not found.exists():
        if path is not None or "VOICE_AGENT_CONFIG" in os.environ:
            raise AgentError(f"there is no settings file {found}",
                             "`voice-agent settings --write` makes one with all defaults")
        return Config()
    return mechanism.read(found, Config)

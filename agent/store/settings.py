"""Settings of the context store: where it is, how long things are kept, how large it may grow."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from agent.settings import setting


def state_directory() -> Path:
    """Where state belongs: systemd's ``$STATE_DIRECTORY``, else the XDG state folder."""
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "voice-agent"


@dataclass(frozen=True)
class Retention:
    """How long each kind of thing may be remembered, in seconds; fixed when it is written."""

    interaction_s: float = setting(
        86_400.0, "Seconds an interaction row (events, no spoken text) is kept.", minimum=1,
        maximum=31 * 86_400)
    said_s: float = setting(300.0, "Seconds what was said is kept.", minimum=1, maximum=86_400)
    reply_s: float = setting(300.0, "Seconds the agent's replies are kept.", minimum=1,
                             maximum=86_400)
    screen_s: float = setting(300.0, "Seconds a list that was shown is kept.", minimum=1,
                              maximum=86_400)
    places_s: float = setting(300.0, "Seconds places that were told are kept.", minimum=1,
                              maximum=86_400)
    consulted_s: float = setting(300.0, "Seconds what a skill consulted is kept.", minimum=1,
                                 maximum=86_400)
    other_s: float = setting(300.0, "Seconds any other kind of text is kept.", minimum=1,
                             maximum=86_400)
    carry_over: tuple[str, ...] = setting(
        ("screen", "places", "consulted"),
        "Kinds of text that outlive their dialogue and may help later turns.")
    epoch_s: float = setting(
        60.0, "Seconds one epoch key takes new interactions; the key outlives a text by no more.",
        minimum=1, maximum=3600)
    sweep_s: float = setting(30.0, "Seconds between two sweeps of what has expired.", minimum=1,
                             maximum=3600)

    def span_ms(self, kind: str) -> int:
        """Milliseconds a text of this kind is kept."""
        return round(1000 * float(getattr(self, f"{kind}_s", self.other_s)
                                  if kind in KINDS else self.other_s))

    @property
    def longest_ms(self) -> int:
        """Milliseconds the longest-lived kind of text is kept."""
        return max(self.span_ms(kind) for kind in (*KINDS, "other"))

    @property
    def interaction_ms(self) -> int:
        """Milliseconds an interaction row is kept."""
        return round(1000 * self.interaction_s)


KINDS = ("said", "reply", "screen", "places", "consulted")
"""Kinds of text with a span of their own; any other kind takes ``other_s``."""


@dataclass(frozen=True)
class Settings:
    """The context store."""

    enabled: bool = setting(True, "Keep context at all; without it every turn is plain.")
    directory: Path = field(
        default_factory=state_directory,
        metadata={"doc": "Folder of the store, its key file and its sentinel."})
    key_file: str = setting(
        "root.key", "Root key file, in the folder or absolute; unused with a systemd credential.")
    durable: bool = setting(
        True, "Wait for the disk at every write (synchronous=FULL); false may lose the last "
        "seconds in a power cut, but never damages the store.")
    quota_mib: int = setting(64, "Largest size of the database in MiB.", minimum=1, maximum=4096)
    outbox: bool = setting(
        False, "Keep deletions as tombstones and index what a cloud table has not seen yet.")
    retention: Retention = field(default_factory=Retention)

    @property
    def database(self) -> Path:
        """The encrypted database."""
        return self.directory / "context.db"

    @property
    def key_path(self) -> Path:
        """The root key file."""
        return self.directory / self.key_file

"""Settings of sync: whether, where, with whose credentials, and how long a pull may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """Sync with the household's other devices through a cloud table (table ``[sync]``)."""

    enabled: bool = setting(
        False, "Keep sealed copies in a cloud table for the household's other devices.")
    region: str = setting(
        "", "Region of the tables, such as eu-central-1; empty takes the credentials' own.")
    endpoint: str = setting(
        "", "Address of the table service; empty for the region's own.")
    tables: str = setting(
        "voice-agent", "What the two tables' names begin with: <tables>-interaction and "
        "<tables>-item.")
    profile: str = setting(
        "", "Profile within the credentials; empty takes boto3's usual choice.")
    credentials: Path | None = setting(
        None, "This device's own credentials file; empty takes boto3's usual places.")
    pull_deadline_s: float = setting(
        0.8, "Seconds a woken device waits for what other devices have open.", minimum=0.05,
        maximum=10)
    connect_timeout_s: float = setting(
        3.0, "Seconds to wait for a connection.", minimum=0.1, maximum=60)
    read_timeout_s: float = setting(
        5.0, "Seconds to wait for an answer.", minimum=0.1, maximum=60)
    pull_window_s: float = setting(
        900.0, "Seconds a dialogue may have begun before a pull on waking; older ones come with "
        "the full pull after a start or an outage.", minimum=60, maximum=31 * 86_400)

    def table(self, name: str) -> str:
        """The full name of a table."""
        return f"{self.tables}-{name}"

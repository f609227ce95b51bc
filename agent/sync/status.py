"""How sync is doing, in words for a person; holds no text and no name of the household's.

The running agent keeps it in a file of a memory file system, where ``voice-agent sync status``
finds it; where there is none, beside the store.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.store.memoryfs import candidates, private_folder

log = logging.getLogger(__name__)

ASIDE_SHOWN = 20
FOLDER, BESIDE = "sync", "sync-status.json"


@dataclass(frozen=True, slots=True)
class Trouble:
    """One sort of trouble, named once for as long as it lasts."""

    kind: str
    what: str
    mend: str
    since: float
    """UTC seconds."""
    count: int
    """Attempts that ended in it."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A row that the cloud will not take; it is not sent again until it changes."""

    name: str
    """The beginning of the name that the cloud would see."""
    what: str


@dataclass
class Report:
    """What is shown; all counts are since the agent started."""

    state: str = "starting"
    """``starting``, ``idle``, ``sending``, ``waiting`` (for the next attempt) or ``off``."""
    updated: float = 0.0
    last_success: float = 0.0
    next_attempt: float = 0.0
    breaker_open: bool = False
    sent: int = 0
    """Interactions that the cloud took."""
    received: int = 0
    """Interactions that changed here by a pull."""
    requests: int = 0
    refused_altered: int = 0
    """Rows and texts in the cloud that were altered, moved or foreign."""
    refused_replayed: int = 0
    """Rows in the cloud that were older than one already seen."""
    unreadable: int = 0
    """Rows in the cloud under keys that this device has not (yet)."""
    waiting: int = 0
    """Interactions that are to be sent, as last counted."""
    troubles: list[Trouble] = field(default_factory=list)
    """What is wrong now."""
    mended: list[Trouble] = field(default_factory=list)
    """What was wrong last."""
    aside: list[SetAside] = field(default_factory=list)


class Status:
    """Keeps the report and its file.

    Args:
        path: The file; None keeps it in memory only.
        now: UTC in seconds.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self._path = path
        self._now = now
        self._lock = threading.Lock()
        self._aside: dict[str, SetAside] = {}
        self.report = Report()

    def update(self, **changes: Any) -> None:
        """Set fields of the report and write it."""
        with self._lock:
            for name, value in changes.items():
                setattr(self.report, name, value)
            self._write()

    def add(self, **counts: int) -> None:
        """Add to counts; written with the next update."""
        with self._lock:
            for name, count in counts.items():
                setattr(self.report, name, getattr(self.report, name) + count)

    def trouble(self, kind: str, error: AgentError) -> None:
        """Name a trouble; the same again only counts."""
        with self._lock:
            for index, known in enumerate(self.report.troubles):
                if known.kind == kind:
                    self.report.troubles[index] = Trouble(kind, error.what, error.mend,
                                                          known.since, known.count + 1)
                    break
            else:
                log.warning("sync: %s; %s", error.what, error.mend)
                self.report.troubles.append(Trouble(kind, error.what, error.mend, self._now(), 1))
            self._write()

    def well(self) -> None:
        """An attempt succeeded: what was wrong is over."""
        with self._lock:
            if self.report.troubles:
                log.warning("sync goes on: %s", "; ".join(t.kind for t in self.report.troubles))
                self.report.mended, self.report.troubles = self.report.troubles, []
            self.report.last_success = self._now()

    def set_aside(self, name: str, what: str) -> None:
        """A row will not be sent as it is."""
        with self._lock:
            self._aside[name] = SetAside(name[:16], what)
            self.report.aside = list(self._aside.values())[-ASIDE_SHOWN:]
            self._write()

    def taken_up(self, name: str | None) -> None:
        """A row that was set aside is sent after all; None for all of them."""
        with self._lock:
            known = len(self._aside)
            if name is None:
                self._aside.clear()
            else:
                self._aside.pop(name, None)
            if len(self._aside) < known:
                self.report.aside = list(self._aside.values())[-ASIDE_SHOWN:]

    def _write(self) -> None:
        self.report.updated = self._now()
        if self._path is None:
            return
        temporary = self._path.with_suffix(f".{os.getpid()}.new")
        with contextlib.suppress(OSError):
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW,
                             0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(asdict(self.report), file)
            temporary.rename(self._path)


def path_of(directory: Path, environ: Mapping[str, str] | None = None) -> Path:
    """Where the status of the agent with this store is written."""
    folder = private_folder(FOLDER, environ)
    return folder / _name(directory) if folder else directory / BESIDE


def find(directory: Path, environ: Mapping[str, str] | None = None) -> Report | None:
    """The newest report of an agent with this store; None where there is none.

    A service and a login do not see the same runtime folder, so every usual place is looked at.
    """
    bases = candidates(os.environ if environ is None else environ)
    places = [base / f"voice-agent-{os.geteuid()}" / FOLDER / _name(directory) for base in bases]
    found = [report for path in (*places, directory / BESIDE) if (report := read(path))]
    return max(found, key=lambda report: report.updated, default=None)


def _name(directory: Path) -> str:
    return "".join(c if c.isalnum() else "-" for c in str(directory.resolve()))[-100:] + ".json"


def read(path: Path) -> Report | None:
    """The report in a file; None where there is none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(Report)}
        report = Report(**{k: v for k, v in found.items() if k in known})
        report.troubles = [Trouble(**t) for t in found.get("troubles", ())]
        report.mended = [Trouble(**t) for t in found.get("mended", ())]
        report.aside = [SetAside(**a) for a in found.get("aside", ())]
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return report

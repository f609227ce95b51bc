"""Results kept by content: what has not changed is not computed again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from agent.context import Entry, Vectors
from agent.context.embedding import BATCH
from agent.context.hosting import Encoding
from agent.errors import AgentError


def default_folder() -> Path:
    """Where results are kept: in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "voice-agent" / "experiment"


def digest(*parts: object) -> str:
    """A name for content: the same parts give the same name, any change another."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Cache:
    """Rows and vectors in one folder.

    Args:
        folder: Made when it is not there; readable by its owner alone.

    Raises:
        AgentError: It cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._log = (folder / "rows.jsonl").open("a+", encoding="utf-8")
        except OSError as error:
            raise AgentError(f"cannot write to the cache {folder}: {error.strerror}",
                             "name another folder with --cache") from error
        self._log.seek(0)
        self._rows: dict[str, dict[str, Any]] = {}
        for line in self._log:
            try:
                row = json.loads(line)
                self._rows[row.pop("key")] = row
            except (ValueError, KeyError):
                continue  # cut short when a run was stopped
        self.computed = 0
        """Rows that had to be computed."""

    def row(self, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The row of that content; made and written where it is new."""
        if key not in self._rows:
            self.computed += 1
            self._rows[key] = make()
            self._log.write(json.dumps({"key": key, **self._rows[key]}) + "\n")
            self._log.flush()
        return self._rows[key]

    def vectors(self, version: str, entries: tuple[Entry, ...], encoder: Encoding) -> Vectors:
        """Vectors of entries, ``float32[entries, 384]``."""
        path = self._folder / f"vectors-{digest(version, [e.described for e in entries])}.npy"
        if path.exists():
            found: Vectors = np.load(path)
            return found
        found = np.concatenate([encoder.encode([e.described for e in entries[at:at + BATCH]])
                                for at in range(0, len(entries), BATCH)])
        np.save(path, found)
        return found

    def close(self) -> None:
        """Close the file of rows."""
        self._log.close()

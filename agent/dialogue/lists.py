"""Shopping and to-do lists, kept in one small file of the user's."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from agent.dialogue.text import canonical
from agent.errors import AgentError


class Lists:
    """Named lists of things.

    Args:
        path: Where they are kept, readable by the owner alone; None keeps them in memory only.

    Raises:
        AgentError: The file is there and cannot be understood; it is left as it is.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lists: dict[str, list[str]] = {}
        if path is not None and path.exists():
            self._lists = _read(path)

    def items(self, name: str) -> tuple[str, ...]:
        """What is on a list; empty when there is no such list."""
        return tuple(self._lists.get(canonical(name), ()))

    def add(self, name: str, item: str) -> None:
        """Put ``item`` on a list, unless it is there already."""
        items = self._lists.setdefault(canonical(name), [])
        if canonical(item) not in map(canonical, items):
            items.append(item)
            self._save()

    def remove(self, name: str, item: str = "") -> bool:
        """Take ``item`` off a list, or everything; whether there was anything to take."""
        items = self._lists.get(canonical(name), [])
        left = [i for i in items if canonical(i) != canonical(item)] if item else []
        self._lists[canonical(name)] = left
        if len(left) < len(items):
            self._save()
        return len(left) < len(items)

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # mkstemp makes the file 0600; the rename leaves either the old lists or the new.
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".lists-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(self._lists, file, ensure_ascii=False, indent=1)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise AgentError(f"cannot write lists {self._path}: {error.strerror}",
                             "free some space, or set dialogue.lists to a writable file") from None


def _read(path: Path) -> dict[str, list[str]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AgentError(f"cannot read lists {path}: {type(error).__name__}",
                         "mend the JSON, or move the file away to begin anew") from None
    if not isinstance(data, dict) or not all(
            isinstance(items, list) and all(isinstance(i, str) for i in items)
            for items in data.values()):
        raise AgentError(f"lists {path}: must be an object of lists of texts",
                         "mend it, or move the file away to begin anew")
    return {canonical(name): items for name, items in data.items()}

"""Reads the small TOML files of devices and places into dataclasses, with errors that say where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from agent import settings
from agent.errors import AgentError

T = TypeVar("T")

_HELP = "see docs/catalogues.md for every key and an example"


@dataclass(frozen=True)
class _Entry(settings.Source):
    """The ``number``-th (from 0) ``[[table]]`` of a file: errors name its own lines."""

    table: str = ""
    number: int = 0

    def line_of(self, key: str) -> int | None:
        """Line, from 1, of ``key`` in this entry, or of the entry itself."""
        header = re.compile(rf"\s*\[\[\s*\"?{re.escape(self.table)}\"?\s*\]\]")
        leaf = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=")
        seen, start = -1, None
        for line_number, line in enumerate(self.text.splitlines(), 1):
            if line.lstrip().startswith("["):
                if start is not None:
                    break
                seen += bool(header.match(line))
                start = line_number if seen == self.number and header.match(line) else None
            elif start is not None and leaf.match(line):
                return line_number
        return start


class Tables:
    """A parsed TOML file of ``[[table]]`` entries and single keys.

    Args:
        path: The file.
        known: Names of the keys and tables that the file may have.
        text: Its content, where it is no file; ``path`` then only names it.

    Raises:
        AgentError: The file cannot be read, is no TOML, or has an unknown key.
    """

    def __init__(self, path: Path, known: tuple[str, ...], text: str | None = None) -> None:
        try:
            text = path.read_text(encoding="utf-8") if text is None else text
        except (OSError, UnicodeDecodeError) as error:
            raise AgentError(f"cannot read {path}: {error}",
                             _HELP) from error
        try:
            self._data: Mapping[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise AgentError(f"{path}: not valid TOML: {error}", _HELP) from error
        self._source = settings.Source(path, text)
        for name in self._data:
            if name not in known:
                raise self._source.error(name, "unknown", f"known here: {', '.join(known)}")

    def text(self, key: str) -> str:
        """A single text; empty when the file does not have it."""
        value = self._data.get(key, "")
        if not isinstance(value, str):
            raise self._source.error(key, "must be a text", _HELP)
        return value

    def entries(self, table: str, cls: type[T]) -> tuple[T, ...]:
        """Every ``[[table]]`` entry as ``cls``."""
        value = self._data.get(table, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._source.error(table, f"must be written as [[{table}]] entries", _HELP)
        return tuple(self._entry(table, number, item, cls) for number, item in enumerate(value))

    def _entry(self, table: str, number: int, item: Mapping[str, Any], cls: type[T]) -> T:
        source = _Entry(self._source.path, self._source.text, table, number)
        try:
            return settings.build(cls, item, source)
        except AgentError as error:
            raise AgentError(error.what, error.mend or _HELP) from None

    def error(self, table: str, number: int, key: str, problem: str, mend: str = "") -> AgentError:
        """An error about ``key`` of the ``number``-th entry of ``table``."""
        entry = _Entry(self._source.path, self._source.text, table, number)
        return entry.error(key, problem, mend)

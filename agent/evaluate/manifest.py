"""Reads a manifest of recordings: one JSON object a line, with the context beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.events import Expectation


@dataclass(frozen=True, slots=True)
class Said:
    """One thing said before the recording."""

    speaker: str
    """``user`` or ``agent``."""
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What the device knows when the recording begins."""

    previous: tuple[Said, ...] = field(default=(), repr=False)
    contacts: tuple[str, ...] = field(default=(), repr=False)
    devices: tuple[str, ...] = field(default=(), repr=False)
    places: tuple[str, ...] = field(default=(), repr=False)
    screen: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Line:
    """One recording."""

    id: str
    audio: Path
    text: str | None = field(default=None, repr=False)
    """What was said; None when the clip holds nothing that should be understood."""
    has_text: bool = False
    """Whether the manifest says what was said (or that nothing was)."""
    slots: Mapping[str, str] = field(default_factory=dict, repr=False)
    expects: Expectation | None = None
    set: str = ""
    """``in-context``, ``anti-context`` or empty."""
    context: Context = field(default_factory=Context)


def read(path: Path) -> tuple[Line, ...]:
    """Read a manifest.

    Raises:
        AgentError: It cannot be read, or a line is wrong; names the line.
    """
    text = _text(path)
    shared = path.parent / "context.json"
    context = Context()
    if shared.exists():
        context = _context(_object(_text(shared), str(shared)), str(shared))
    lines = []
    for number, row in enumerate(text.splitlines(), 1):
        if row.strip():
            where = f"{path}, line {number}"
            lines.append(_line(_object(row, where), where, path.parent, context))
    if not lines:
        raise AgentError(f"{path} lists no recordings", "give it one JSON object a line")
    seen: set[str] = set()
    for line in lines:
        if line.id in seen:
            raise AgentError(f"{path}: the id {line.id} comes twice", "give every line its own")
        seen.add(line.id)
    return tuple(lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"cannot read {path}: {error}") from error


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise AgentError(f"{where}: not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise AgentError(f"{where}: must be a JSON object")
    return value


def _line(row: dict[str, Any], where: str, folder: Path, shared: Context) -> Line:
    for key in ("id", "audio"):
        if not isinstance(row.get(key), str) or not row[key]:
            raise AgentError(f"{where}: `{key}` must be a text")
    text = row.get("text")
    if text is not None and not isinstance(text, str):
        raise AgentError(f"{where}: `text` must be a text or null")
    slots = row.get("slots", {})
    if not isinstance(slots, dict) or not all(isinstance(v, str) for v in slots.values()):
        raise AgentError(f"{where}: `slots` must map names to texts")
    own = row.get("context")
    if own is not None and not isinstance(own, dict):
        raise AgentError(f"{where}: `context` must be an object")
    return Line(row["id"], folder / row["audio"], text, "text" in row, slots,
                _expectation(row.get("expects"), where), str(row.get("set", "")),
                shared if own is None else _context(own, where))


def _expectation(value: Any, where: str) -> Expectation | None:
    if value is None:
        return None
    try:
        return Expectation(value)
    except ValueError:
        known = ", ".join(e.value for e in Expectation)
        raise AgentError(f"{where}: `expects` is {value!r}", f"use one of {known}") from None


def _context(table: dict[str, Any], where: str) -> Context:
    previous = table.get("previous", [])
    if not isinstance(previous, list) or not all(
            isinstance(p, dict) and isinstance(p.get("text"), str) for p in previous):
        raise AgentError(f"{where}: `previous` must be a list of speaker and text")
    lists = {}
    for key in ("contacts", "devices", "places", "screen"):
        values = table.get(key, [])
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise AgentError(f"{where}: `{key}` must be a list of texts")
        lists[key] = tuple(values)
    return Context(tuple(Said(str(p.get("speaker", "")), p["text"]) for p in previous), **lists)

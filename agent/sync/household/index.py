"""The household's index: who belongs to it, and which documents there are in which version.

It is one sealed record, so that a single read of it tells whether anything changed, and one
conditional write of it makes a change seen by all or by none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from agent.sync.household.membership import (
    MAX_MEMBERS,
    MalformedError,
    Member,
    member_from_json,
    member_to_json,
    parse,
)

MAX_DOCUMENTS = 8 * MAX_MEMBERS
MAX_PARTS = 3
MAX_COUNT = 1 << 53
_NAME = re.compile(r"[a-z][a-z-]{0,31}")
_OP = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One document of one device."""

    owner: str
    """The device whose document it is, and which alone writes it."""
    name: str
    """``contacts``, ``devices``, ``places``, …"""
    version: int
    """Higher than any version in the household before; with the owner, it decides who wrote
    last."""
    op: str
    """Names this write; the keys of the document's parts come from it."""
    parts: int
    """Records that hold it."""

    @property
    def id(self) -> tuple[str, str]:
        """Which document it is."""
        return self.owner, self.name

    @property
    def order(self) -> tuple[int, str]:
        """The last writer has the highest."""
        return self.version, self.owner


@dataclass(frozen=True, slots=True)
class Index:
    """All that can be had."""

    serial: int
    """Rises by one with each write; an older index is a replayed one."""
    members: tuple[Member, ...] = field(default=(), repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)

    def entry(self, owner: str, name: str) -> Entry | None:
        """One document's entry."""
        return next((e for e in self.entries if e.id == (owner, name)), None)

    def member(self, device: str) -> Member | None:
        """One device's entry of the roster."""
        return next((m for m in self.members if m.id == device), None)

    @property
    def next_version(self) -> int:
        """The version of a document that is written now."""
        return 1 + max((e.version for e in self.entries), default=0)

    def with_entries(self, new: Iterable[Entry], without: Iterable[tuple[str, str]] = ()) -> Index:
        """The same with some entries replaced and others gone."""
        added = {entry.id: entry for entry in new}
        gone = set(without) | set(added)
        kept = [entry for entry in self.entries if entry.id not in gone]
        return replace(self, entries=(*kept, *added.values()))


def encode(index: Index) -> bytes:
    """An index as bytes."""
    return json.dumps({
        "serial": index.serial, "members": [member_to_json(m) for m in index.members],
        "documents": [[e.owner, e.name, e.version, e.op, e.parts] for e in index.entries],
    }, ensure_ascii=False, separators=(",", ":")).encode()


def decode(data: bytes) -> Index:
    """The opposite of ``encode``.

    Raises:
        MalformedError: These bytes are no index.
    """
    table = parse(data)
    members, documents = table.get("members"), table.get("documents")
    if not isinstance(members, list) or len(members) > MAX_MEMBERS:
        raise MalformedError("members: must be a list of devices")
    if not isinstance(documents, list) or len(documents) > MAX_DOCUMENTS:
        raise MalformedError("documents: must be a list")
    return Index(_whole(table.get("serial"), MAX_COUNT),
                 tuple(member_from_json(m) for m in members),
                 tuple(_entry(d) for d in documents))


def _entry(data: Any) -> Entry:
    if not isinstance(data, list) or len(data) != 5:
        raise MalformedError("documents: an entry has five values")
    owner, name, version, op, parts = data
    for value, pattern in ((owner, _OP), (name, _NAME), (op, _OP)):
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise MalformedError("documents: an entry is malformed")
    return Entry(owner, name, _whole(version, MAX_COUNT), op, _whole(parts, MAX_PARTS + 1))


def _whole(value: Any, limit: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise MalformedError(f"must be a whole number below {limit}")
    return value

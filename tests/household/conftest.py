"""Households of several devices over tables in memory that keep the cloud's rules."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.sync.faults import CloudError, ConditionError, Kind, Reason
from agent.sync.household.file import HouseholdFile
from agent.sync.household.generations import Generations
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.membership import (
    Member,
    Membership,
    create,
    joined,
    new_id,
    new_private,
    public_of,
    with_members,
)
from agent.sync.household.ratchet import EPOCH_MS
from agent.sync.household.shelf import Shelf
from agent.sync.records import Action, Delete, Put, Record, Table

HOUR = 500_000
NOW = HOUR * EPOCH_MS + 1000
LIFE = Life(300_000, 24 * EPOCH_MS)


@dataclass
class MemoryTables:
    """A ``Backend``: conditions, all or none, tokens, and the service's sizes."""

    rows: dict[tuple[str, str], Record] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    before: Callable[[str], None] = lambda what: None
    """Called before each request, to interfere."""
    after: Callable[[str], None] = lambda what: None
    """Called after each request, before its answer; may lose that."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def transact(self, actions: Sequence[Action], token: str) -> None:
        self._begin("transact")
        assert 0 < len(actions) <= 100 and len(token) <= 36
        places = [(a.table, a.key) if isinstance(a, Delete) else (a.record.table, a.record.key)
                  for a in actions]
        assert len(set(places)) == len(places)
        sizes = [a.record.size for a in actions if isinstance(a, Put)]
        assert sum(sizes) <= 4_000_000 and max(sizes, default=0) <= 400_000
        with self.lock:
            if token not in self.tokens:
                self._carry_out(actions, places)
                self.tokens.add(token)
        self.after("transact")

    def _carry_out(self, actions, places) -> None:
        failed = {}
        for number, (action, place) in enumerate(zip(actions, places, strict=True)):
            if isinstance(action, Put):
                found = self.rows.get(place)
                fits = (found is None if action.replaces is None else
                        found is not None and found.op == action.replaces
                        and found.version <= action.record.version)
                if not fits:
                    failed[number] = Reason("ConditionalCheckFailed", found)
        if failed:
            raise ConditionError(failed)
        for action, place in zip(actions, places, strict=True):
            if isinstance(action, Put):
                self.rows[place] = action.record
            else:
                self.rows.pop(place, None)

    def query(self, table: Table, low: str = "", high: str = "",
              now: int = 0) -> Sequence[Record]:
        self._begin("query")
        return [r for (t, k), r in sorted(self.rows.items())
                if t == table and low <= k <= (high or "~~")]

    def get(self, table: Table, keys: Sequence[str]) -> Sequence[Record]:
        self._begin("get")
        assert keys
        with self.lock:
            return [self.rows[table, k] for k in keys if (table, k) in self.rows]

    def _begin(self, what: str) -> None:
        self.requests.append(what)
        self.before(what)

    def keys(self, kind: str) -> list[str]:
        return [key for _, key in self.rows if key.startswith(f"~{kind}")]

    @property
    def content(self) -> bytes:
        """All that the cloud sees."""
        return repr(self.rows).encode() + b"".join(
            blob for row in self.rows.values() for blob in row.blobs.values())


def unreachable(what: str) -> None:
    raise CloudError(Kind.UNREACHABLE, "the cloud table cannot be reached")


@dataclass
class Device:
    """One device of a household, with its cloud."""

    keyring: HouseholdKeyring
    shelf: Shelf
    generations: Generations

    @property
    def member(self) -> Member:
        return self.keyring.membership.me


@pytest.fixture
def cloud() -> MemoryTables:
    return MemoryTables()


@pytest.fixture
def devices(tmp_path: Path, cloud: MemoryTables) -> Callable[..., list[Device]]:
    """Makes a household of some devices that have been paired."""

    def make(*names: str, hour: int = HOUR) -> list[Device]:
        memberships = [create("Elm Street", names[0], hour)]
        for name in names[1:]:
            memberships[0], new = another(memberships[0], name)
            memberships.append(new)
        everybody = memberships[0].household.members
        return [_device(tmp_path / name, with_members(m, everybody), cloud)
                for name, m in zip(names, memberships, strict=True)]

    return make


def another(first: Membership, name: str) -> tuple[Membership, Membership]:
    """A household's first device, and a new one that it has let in."""
    private = new_private()
    me = Member(new_id(), name, public_of(private), 1)
    first = with_members(first, joined(first.household.members, (me,)))
    return first, Membership(first.household, me.id, private)


def _device(folder: Path, membership: Membership, cloud: MemoryTables) -> Device:
    folder.mkdir()
    file = HouseholdFile(folder, {})
    file.create(membership)
    keyring = HouseholdKeyring(file, KeptKeys(None, ""), LIFE)
    shelf = Shelf(cloud, keyring)
    return Device(keyring, shelf, Generations(shelf, keyring))

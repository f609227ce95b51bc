"""The household's documents in the cloud: an index, the parts of documents, the generations.

They are records of the item table whose keys begin with ``~``, which no other record's does:

``~i…``  the index, sealed under the household's document key of its generation
``~d…``  a part of a document, sealed under the same key, written once
``~g…``  the keys of a new generation, wrapped to each device that stays

Everything is bound to its place: household, generation, key and version.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agent.store.sealing import Field
from agent.sync import Backend
from agent.sync.faults import CloudError, ConditionError, Kind
from agent.sync.household.index import Entry, Index, decode, encode
from agent.sync.household.keyring import HouseholdKeyring
from agent.sync.household.membership import (
    Household,
    MalformedError,
    Member,
    Membership,
    joined,
    with_members,
)
from agent.sync.household.packing import count_parts, pack, split, unpack
from agent.sync.household.sealer import Sealer, replayed
from agent.sync.records import Action, Delete, Put, Record

TABLE: Final = "item"
INDEX_LABEL, PART_LABEL = b"voice-agent index 1", b"voice-agent document 1"
FORMER_HOURS = 24
"""How long a replaced private key is kept: a removal may have been under way just then."""
ACTIONS = 100
"""Actions of one transaction."""
RETRIES = 6
"""How often an index that others write at the same time is tried again."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The index as it was read."""

    index: Index
    op: str | None
    """Names the record that held it; None where there was none."""


class Shelf:
    """Reads and writes the household's documents; every call blocks.

    Args:
        backend: The cloud's tables.
        keyring: This device's household.
    """

    def __init__(self, backend: Backend, keyring: HouseholdKeyring) -> None:
        self._backend = backend
        self._keyring = keyring

    def look(self) -> tuple[Record | None, Record | None]:
        """The index's record and that of the next generation, in one request."""
        wanted = self.index_key, self.generation_key(self._keyring.generation + 1)
        found = {record.key: record for record in self._backend.get(TABLE, wanted)}
        return found.get(wanted[0]), found.get(wanted[1])

    def read(self, at_least: int = 0) -> Seen:
        """The index as it is now.

        Args:
            at_least: The highest serial that was ever seen.

        Raises:
            ReplayedError: It was altered, or is older than one that was seen.
            CloudError: The cloud did not answer.
        """
        found = self._backend.get(TABLE, [self.index_key])
        return self.seen(found[0] if found else None, at_least)

    def seen(self, record: Record | None, at_least: int = 0) -> Seen:
        """The index in a record, or an empty one where there is none yet.

        Raises:
            ReplayedError: It was altered, or is older than one that was seen.
        """
        index = Index(0) if record is None else self.open_index(record)
        if index.serial < at_least:
            raise replayed()
        return Seen(index, record.op if record else None)

    def open_index(self, record: Record) -> Index:
        """The index in a record.

        Raises:
            ReplayedError: It is not the one that belongs there.
        """
        sealer = Sealer.of(self._household)
        text = sealer.open(INDEX_LABEL, record.blobs.get("sealed", b""), record.key,
                           record.version, record.op)
        try:
            index = decode(text)
        except MalformedError:
            raise replayed() from None
        if index.serial != record.version:
            raise replayed()
        return index

    def fetch(self, entry: Entry) -> bytes:
        """A document's text.

        Raises:
            ReplayedError: A part is missing or is not what was written.
        """
        keys = [self.part_key(entry, n) for n in range(entry.parts)]
        found = {r.key: r for r in self._backend.get(TABLE, keys)} if keys else {}
        sealer = Sealer.of(self._household)
        packed = b"".join(sealer.open(PART_LABEL, _blob(found.get(key)), *_place(entry, n))
                          for n, key in enumerate(keys))
        return unpack(packed)

    def publish(self, texts: Mapping[str, bytes], gone: Iterable[str] = (),
                at_least: int = 0) -> Seen:
        """Write this device's documents and its entry of the roster.

        Args:
            texts: By name; each replaces the one of that name.
            gone: Names of documents that are no more.
            at_least: The highest serial that was ever seen.

        Returns:
            The index as it is now.

        Raises:
            DocumentTooLargeError: One does not fit; nothing was written.
            ReplayedError: The index was altered.
            CloudError: The cloud did not take it.
        """
        packed = {name: pack(name, text) for name, text in texts.items()}
        for _ in range(RETRIES):
            record, following = self.look()
            if following is not None:
                break
            seen = self.seen(record, at_least)
            me = self._keyring.device
            entries = self._entries(packed, me, seen.index.next_version)
            index = seen.index.with_entries(entries, [(me, name) for name in gone])
            index = replace(index, serial=index.serial + 1, members=self._roster(seen.index))
            parts = [put for entry in entries
                     for put in self.parts(entry, packed[entry.name], self._household)]
            dropped = [e for e in seen.index.entries if e not in index.entries]
            written = self.index_put(index, seen.op, self._household)
            if self.write([*parts, written, *self.drops(dropped)], written.record):
                self._published(index)
                return Seen(index, written.record.op)
        raise CloudError(Kind.CONFLICT, "others change the household at the same time",
                         "it is tried again later")

    def discard(self, drops: Sequence[Delete]) -> None:
        """Remove parts that no index names; what cannot be removed now only takes room."""
        with contextlib.suppress(CloudError):
            for start in range(0, len(drops), ACTIONS):
                self._backend.transact(drops[start:start + ACTIONS], secrets.token_hex(16))

    def learn(self, index: Index) -> None:
        """Take an index's members into this device's roster."""
        known = self._household.members
        if joined(known, index.members) != known:
            self._keyring.file.change(
                lambda m: with_members(m, joined(m.household.members, index.members)))

    def _roster(self, index: Index) -> tuple[Member, ...]:
        """Everybody, with this device's own key even where an index has another of that version."""
        mine = self._keyring.membership.me
        theirs = index.member(mine.id)
        if theirs and theirs.public != mine.public and theirs.version >= mine.version:
            mine = replace(mine, version=theirs.version + 1)
        return joined(joined(index.members, self._household.members), (mine,))

    def _published(self, index: Index) -> None:
        """The others can know this device's key now; the one before it goes in a day."""
        def step(membership: Membership) -> Membership:
            members = joined(membership.household.members, index.members)
            membership = with_members(membership, members)
            if membership.former_private and not membership.former_until:
                until = membership.household.chain.hour + FORMER_HOURS
                membership = replace(membership, former_until=until)
            return membership
        self._keyring.file.change(step)

    def _entries(self, packed: Mapping[str, bytes], me: str, version: int) -> list[Entry]:
        return [Entry(me, name, version, secrets.token_hex(16), count_parts(data))
                for name, data in sorted(packed.items())]

    def write(self, actions: Sequence[Action], written: Record) -> bool:
        """Carry out a transaction that writes ``written``; false where others were faster.

        Raises:
            CloudError: The cloud did not take it.
        """
        try:
            self._backend.transact(actions, written.op)
        except CloudError as error:
            # The answer to an earlier attempt may have been lost after the write.
            found = self._backend.get(TABLE, [written.key])
            if found and found[0].op == written.op:
                return True
            if isinstance(error, ConditionError):
                return False
            raise
        return True

    # --- records --------------------------------------------------------------------------------

    @property
    def index_key(self) -> str:
        """The index's key in the item table."""
        return "~i" + self._keyring.name("index", "")

    def part_key(self, entry: Entry, number: int) -> str:
        """The key of one part of a document."""
        return "~d" + self._keyring.name("document", f"{entry.op}.{number}")

    def generation_key(self, generation: int) -> str:
        """The key of a generation's wrapped keys."""
        return "~g" + self._keyring.name("generation", str(generation))

    def index_put(self, index: Index, replaces: str | None, household: Household) -> Put:
        """The write of an index, conditional on the one that was read."""
        op, key = secrets.token_hex(16), self.index_key
        sealed = Sealer.of(household).seal(INDEX_LABEL, encode(index), key, index.serial, op)
        return Put(Record(TABLE, key, index.serial, op, 0, blobs={"sealed": sealed}), replaces)

    def parts(self, entry: Entry, packed: bytes, household: Household) -> list[Put]:
        """The writes of a document's parts."""
        sealer = Sealer.of(household)
        return [Put(Record(TABLE, self.part_key(entry, n), entry.version, entry.op, 0, blobs={
            "sealed": sealer.seal(PART_LABEL, part, *_place(entry, n))}))
            for n, part in enumerate(split(packed))]

    def drops(self, entries: Iterable[Entry]) -> list[Delete]:
        """The removal of documents' parts."""
        return [Delete(TABLE, self.part_key(entry, n))
                for entry in entries for n in range(entry.parts)]

    @property
    def _household(self) -> Household:
        return self._keyring.membership.household


def _place(entry: Entry, number: int) -> tuple[Field, ...]:
    return entry.owner, entry.name, entry.version, entry.op, number, entry.parts


def _blob(record: Record | None) -> bytes:
    return record.blobs.get("sealed", b"") if record else b""

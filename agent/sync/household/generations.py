"""A new generation of keys: how a device is put out, and how the others follow.

The device that removes another makes a fresh chain and a fresh document key and wraps them to
each device that stays. One transaction writes these wrapped keys, under a name that can be taken
once, and the index sealed anew: either all of it happened, or nothing. The others find the next
generation's record beside the index, which they read anyhow.

A device that has followed makes itself a new key pair. So a private key that is found later on a
card opens only wrapped keys that were not yet taken, not those of generations in use.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from agent.errors import AgentError
from agent.store.sealing import KEY_BYTES
from agent.sync.faults import CloudError, Kind
from agent.sync.household.index import Entry, Index
from agent.sync.household.keyring import HouseholdKeyring
from agent.sync.household.membership import (
    MAX_MEMBERS,
    Household,
    MalformedError,
    Member,
    Membership,
    joined,
    member_from_json,
    member_to_json,
    new_private,
    parse,
    public_of,
    with_members,
)
from agent.sync.household.packing import count_parts, pack
from agent.sync.household.ratchet import Chain, hour_of
from agent.sync.household.sealer import ReplayedError, Sealer
from agent.sync.household.shelf import ACTIONS, FORMER_HOURS, TABLE, Shelf
from agent.sync.household.wrapping import WrapBrokenError, unwrap, wrap
from agent.sync.keys import GenerationError
from agent.sync.records import Action, Put, Record

GENERATIONS_AT_ONCE = 64
ROSTER_LABEL = b"voice-agent roster 1"


class RemovedError(GenerationError):
    """The household has gone on without this device."""


class NoSuchDeviceError(AgentError):
    """No device, or more than one, is meant."""


@dataclass(frozen=True, slots=True)
class _News:
    """What is wrapped for each device that stays."""

    chain: Chain = field(repr=False)
    document_key: bytes = field(repr=False)
    removed: str

    def encode(self) -> bytes:
        return json.dumps({"hour": self.chain.hour, "chain": self.chain.secret.hex(),
                           "document_key": self.document_key.hex(),
                           "removed": self.removed}).encode()

    @classmethod
    def decode(cls, data: bytes, generation: int) -> _News:
        table = parse(data)
        hour, removed = table.get("hour"), table.get("removed")
        try:
            chain, key = (bytes.fromhex(table[name]) for name in ("chain", "document_key"))
        except (KeyError, TypeError, ValueError):
            raise MalformedError("wrapped keys are malformed") from None
        if (not isinstance(hour, int) or not isinstance(removed, str)
                or {len(chain), len(key)} != {KEY_BYTES}):
            raise MalformedError("wrapped keys are malformed")
        return cls(Chain(generation, hour, chain), key, removed)


class Generations:
    """Follows removals and makes them; every call blocks.

    Args:
        shelf: The household's documents in the cloud.
        keyring: This device's household.
    """

    def __init__(self, shelf: Shelf, keyring: HouseholdKeyring) -> None:
        self._shelf = shelf
        self._keyring = keyring

    def follow(self) -> tuple[Record | None, int]:
        """Take every new generation there is.

        Returns:
            The index's record, and how many generations were taken.

        Raises:
            RemovedError: There is one that this device has no part in.
            CloudError: The cloud did not answer.
        """
        for taken in range(GENERATIONS_AT_ONCE):
            index, following = self._shelf.look()
            if following is None:
                return index, taken
            self._take(following)
        raise CloudError(Kind.UNKNOWN, "the household's keys change without end")

    def remove(self, device: Member, now_ms: int) -> Index:
        """Put a device out.

        Args:
            device: Which one; it need not be reachable.
            now_ms: UTC milliseconds.

        Returns:
            The new generation's index.

        Raises:
            NoSuchDeviceError: It is this device itself, or none of the household.
            CloudError: The cloud did not take it; nothing was changed.
        """
        record, _ = self.follow()
        seen = self._shelf.seen(record)
        before = self._keyring.membership
        members = joined(seen.index.members, before.household.members)
        if device.id == before.device:
            raise NoSuchDeviceError("a device cannot remove itself",
                                    "`voice-agent household leave` makes it forget the household")
        if device.id not in {m.id for m in members}:
            raise NoSuchDeviceError(f"{device.name} is no device of this household",
                                    "`voice-agent household show` lists them")
        news = _News(Chain.fresh(self._keyring.generation + 1, hour_of(now_ms)),
                     secrets.token_bytes(KEY_BYTES), device.id)
        after = _followed(before, news, members, published=True)
        stay = [m for m in members if m.id != device.id]
        entries = self._carry_over(seen.index, {m.id for m in stay}, after.household)
        index = Index(seen.index.serial + 1, after.household.members, tuple(entries))
        put = self._shelf.index_put(index, seen.op, after.household)
        drops = self._shelf.drops(seen.index.entries)
        actions: list[Action] = [self._wrapped(before, stay, news), put, *drops[:ACTIONS - 2]]
        if not self._shelf.write(actions, put.record):
            self._shelf.discard(self._shelf.drops(entries))
            raise CloudError(Kind.CONFLICT, "another device changed the household just now",
                             "look at `voice-agent household show`, then try again")
        self._keyring.renew(lambda m: _kept_up(m, after, news.removed))
        self._shelf.discard(drops[ACTIONS - 2:])
        return index

    # --- inside ---------------------------------------------------------------------------------

    def _carry_over(self, index: Index, owners: set[str], household: Household) -> list[Entry]:
        """Seal the documents of the devices that stay anew; their new parts are written."""
        carried = []
        for entry in index.entries:
            if entry.owner not in owners:
                continue
            packed = pack(entry.name, self._shelf.fetch(entry))
            new = replace(entry, op=secrets.token_hex(16), parts=count_parts(packed))
            parts = self._shelf.parts(new, packed, household)
            if parts:
                self._shelf.write(parts, parts[0].record)
            carried.append(new)
        return carried

    def _wrapped(self, before: Membership, stay: Sequence[Member], news: _News) -> Put:
        household, generation = before.household.id, news.chain.generation
        wraps = {self._tag(generation, member.id): b64encode(
            wrap(before.private, member.public, household, generation, news.encode())).decode()
            for member in stay}
        key = self._shelf.generation_key(generation)
        roster = json.dumps({"members": [member_to_json(m) for m in stay]}).encode()
        blobs = {"wraps": json.dumps(wraps).encode(),
                 "roster": Sealer.of(before.household).seal(ROSTER_LABEL, roster, key)}
        return Put(Record(TABLE, key, generation, secrets.token_hex(16), 0, blobs=blobs))

    def _tag(self, generation: int, device: str) -> str:
        return self._keyring.name("wrap", f"{generation}.{device}")

    def _take(self, record: Record) -> None:
        before = self._keyring.membership
        generation = before.household.chain.generation + 1
        news = self._opened(record, before, generation)
        if news is None or news.removed == before.device:
            raise RemovedError(
                "this device was removed from the household, or someone altered the cloud's table",
                "`voice-agent household leave`, then join again if it is to belong to it")
        self._keyring.renew(lambda m: m if m.household.chain.generation >= generation
                            else _followed(m, news, m.household.members))

    def _opened(self, record: Record, before: Membership, generation: int) -> _News | None:
        try:
            wraps = parse(record.blobs.get("wraps", b""))
            wrapped = b64decode(str(wraps.get(self._tag(generation, before.device), "")))
            senders = joined(before.household.members, self._roster(record, before.household))
        except (MalformedError, ReplayedError, ValueError):
            return None
        for private in filter(None, (before.private, before.former_private)):
            for sender in senders:
                try:
                    text = unwrap(private, sender.public, before.household.id, generation, wrapped)
                    return _News.decode(text, generation)
                except (WrapBrokenError, MalformedError):
                    continue
        return None

    def _roster(self, record: Record, household: Household) -> tuple[Member, ...]:
        """The roster as the remover knew it: its own key may be newer than is known here."""
        text = Sealer.of(household).open(ROSTER_LABEL, record.blobs.get("roster", b""), record.key)
        members = parse(text).get("members")
        if not isinstance(members, list) or len(members) > MAX_MEMBERS:
            raise MalformedError("members: must be a list of devices")
        return tuple(member_from_json(m) for m in members)


def _followed(before: Membership, news: _News, members: Iterable[Member],
              published: bool = False) -> Membership:
    """The membership in the new generation, with a new key pair of this device.

    A key pair that the others may not know yet is not replaced again.
    """
    after = before
    if not before.former_private or before.former_until:
        private = new_private()
        after = replace(before, private=private, former_private=before.private,
                        former_until=news.chain.hour + FORMER_HOURS if published else 0)
        members = tuple(members)
        version = max(m.version for m in members if m.id == before.device)
        me = replace(before.me, public=public_of(private), version=version + 1)
        members = joined(members, (me,))
    stay = tuple(m for m in members if m.id != news.removed)
    household = replace(before.household, chain=news.chain, document_key=news.document_key,
                        members=stay)
    return replace(after, household=household)


def _kept_up(now: Membership, after: Membership, removed: str) -> Membership:
    """What was made for ``after``, with what happened on disk meanwhile."""
    if now.household.chain.generation >= after.household.chain.generation:
        return now
    met = (m for m in now.household.members if m.id != removed)
    return with_members(after, joined(after.household.members, met))

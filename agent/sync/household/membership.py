"""What a device knows of its household: its own keys, the chain, and who else belongs to it."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent.store.sealing import KEY_BYTES
from agent.sync.household.ratchet import Chain

ID_BYTES = 16
MAX_NAME = 64
MAX_MEMBERS = 64
"""Devices of one household; each is a wrapped key in the document of a new generation."""
MAX_GENERATION = 1 << 20
MAX_HOUR = 1 << 32
_HEX_ID = re.compile(r"[0-9a-f]{32}")


class MalformedError(ValueError):
    """Bytes that are no membership, invitation or roster; the text says what is wrong."""


def new_id() -> str:
    """A random id of a household or a device: 32 hex characters."""
    return secrets.token_hex(ID_BYTES)


def new_private() -> bytes:
    """A new X25519 private key."""
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> bytes:
    """The public key of a private one."""
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def clean_name(text: str) -> str:
    """A name as it is kept: one line, no control characters, not empty.

    Raises:
        MalformedError: It is empty, too long or cannot be shown.
    """
    name = " ".join(text.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise MalformedError(f"a name is 1 to {MAX_NAME} printable characters")
    return name


@dataclass(frozen=True, slots=True)
class Member:
    """A device of the household, as the others know it."""

    id: str
    name: str = field(repr=False)
    public: bytes
    """Its X25519 public key, to which the keys of a new generation are wrapped."""
    version: int
    """Rises with each change of this entry; the highest one counts."""


@dataclass(frozen=True, slots=True)
class Household:
    """What all devices share."""

    id: str
    """The partition key that the cloud sees."""
    name: str = field(repr=False)
    name_key: bytes = field(repr=False)
    """Makes the names of cloud rows; the same for as long as the household lives."""
    document_key: bytes = field(repr=False)
    """Seals what must live long (catalogues, the roster), in the current generation."""
    chain: Chain = field(repr=False)
    members: tuple[Member, ...] = field(repr=False)

    def member(self, device: str) -> Member | None:
        """The entry of one device."""
        return next((m for m in self.members if m.id == device), None)


@dataclass(frozen=True, slots=True)
class Membership:
    """All that one device keeps."""

    household: Household
    device: str
    private: bytes = field(repr=False)
    former_private: bytes = field(default=b"", repr=False)
    """The key before this one, for a document that was under way when it was replaced."""
    former_until: int = 0
    """Hour in which that one is thrown away; 0 while the others may not know the new one."""

    @property
    def me(self) -> Member:
        """This device's own entry."""
        found = self.household.member(self.device)
        assert found is not None
        return found


def create(name: str, device_name: str, hour: int) -> Membership:
    """A new household with this device alone.

    Raises:
        MalformedError: A name is empty or too long.
    """
    device, private = new_id(), new_private()
    me = Member(device, clean_name(device_name), public_of(private), 1)
    household = Household(
        new_id(), clean_name(name), secrets.token_bytes(KEY_BYTES),
        secrets.token_bytes(KEY_BYTES), Chain.fresh(1, hour), (me,))
    return Membership(household, device, private)


def joined(members: Iterable[Member], new: Iterable[Member]) -> tuple[Member, ...]:
    """Two rosters as one: of each device the entry of the highest version.

    Equal versions are decided by their content, so that every order of arrival agrees.
    """
    best: dict[str, Member] = {}
    for member in (*members, *new):
        known = best.get(member.id)
        if known is None or _rank(member) > _rank(known):
            best[member.id] = member
    return tuple(best[key] for key in sorted(best))[:MAX_MEMBERS]


def _rank(member: Member) -> tuple[int, bytes, str]:
    return member.version, member.public, member.name


def with_members(membership: Membership, members: Iterable[Member]) -> Membership:
    """The same with another roster."""
    household = replace(membership.household, members=tuple(members))
    return replace(membership, household=household)


# --- as JSON ------------------------------------------------------------------------------------


def household_to_json(household: Household) -> dict[str, Any]:
    """A household as plain values; it holds every secret of it."""
    return {"id": household.id, "name": household.name, "name_key": household.name_key.hex(),
            "document_key": household.document_key.hex(),
            "generation": household.chain.generation, "hour": household.chain.hour,
            "chain": household.chain.secret.hex(),
            "members": [member_to_json(m) for m in household.members]}


def household_from_json(data: object) -> Household:
    """The opposite of ``household_to_json``.

    Raises:
        MalformedError: Something is missing or wrong.
    """
    table = _table(data)
    members = table.get("members")
    if not isinstance(members, list) or not 0 < len(members) <= MAX_MEMBERS:
        raise MalformedError("members: must be a list of devices")
    chain = Chain(_whole(table, "generation", MAX_GENERATION), _whole(table, "hour", MAX_HOUR),
                  _key(table, "chain"))
    return Household(_id(table, "id"), _name(table, "name"), _key(table, "name_key"),
                     _key(table, "document_key"), chain,
                     tuple(member_from_json(m) for m in members))


def member_to_json(member: Member) -> dict[str, Any]:
    """A member as plain values."""
    return {"id": member.id, "name": member.name, "public": member.public.hex(),
            "version": member.version}


def member_from_json(data: object) -> Member:
    """The opposite of ``member_to_json``.

    Raises:
        MalformedError: Something is missing or wrong.
    """
    table = _table(data)
    return Member(_id(table, "id"), _name(table, "name"), _key(table, "public"),
                  _whole(table, "version", 1 << 53))


def encode(membership: Membership) -> bytes:
    """A membership as bytes; they hold every secret of it."""
    table = {"household": household_to_json(membership.household), "device": membership.device,
             "private": membership.private.hex(),
             "former_private": membership.former_private.hex(),
             "former_until": membership.former_until}
    return json.dumps(table, ensure_ascii=False).encode()


def decode(data: bytes) -> Membership:
    """The opposite of ``encode``.

    Raises:
        MalformedError: These bytes are no membership.
    """
    table = parse(data)
    former = b"" if table.get("former_private") == "" else _key(table, "former_private")
    membership = Membership(household_from_json(table.get("household")), _id(table, "device"),
                            _key(table, "private"), former,
                            _whole(table, "former_until", MAX_HOUR))
    if membership.household.member(membership.device) is None:
        raise MalformedError("members: this device is not among them")
    return membership


def parse(data: bytes) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        MalformedError: These bytes are none.
    """
    try:
        return _table(json.loads(data))
    except (ValueError, RecursionError):
        raise MalformedError("not a JSON object") from None


def _table(data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise MalformedError("not a JSON object")
    return data


def _key(table: Mapping[str, Any], name: str) -> bytes:
    value = table.get(name)
    try:
        key = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise MalformedError(f"{name}: must be {KEY_BYTES} bytes in hex")
    return key


def _id(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not _HEX_ID.fullmatch(value):
        raise MalformedError(f"{name}: must be 32 hex characters")
    return value


def _name(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str):
        raise MalformedError(f"{name}: must be a text")
    return clean_name(value)


def _whole(table: Mapping[str, Any], name: str, limit: int) -> int:
    value = table.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        raise MalformedError(f"{name}: must be a whole number below {limit}")
    return value

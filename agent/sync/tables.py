"""The two cloud tables: names of their attributes, and records as DynamoDB writes them."""

from __future__ import annotations

from typing import Any, Final

from agent.sync.records import Record, Table

PARTITION: Final = "household"
"""Partition key (S): households share no partition and cannot disturb each other."""
SORT: Final = "name"
"""Sort key (S)."""
VERSION: Final = "version"
OP: Final = "op"
EXPIRES: Final = "expires"
"""Time to live (N, UTC seconds); absent where a record does not expire."""
DELETED: Final = "deleted"
TABLES: Final[tuple[Table, ...]] = ("interaction", "item")

_PLAIN = frozenset({PARTITION, SORT, VERSION, OP, EXPIRES, DELETED})

Attributes = dict[str, dict[str, Any]]


class MalformedRecordError(ValueError):
    """A row of the table is not as this agent writes them."""


def to_attributes(household: str, record: Record) -> Attributes:
    """A record as attribute values."""
    found: Attributes = {PARTITION: {"S": household}, SORT: {"S": record.key},
                         VERSION: {"N": str(record.version)}, OP: {"S": record.op}}
    if record.expires:
        found[EXPIRES] = {"N": str(record.expires)}
    if record.deleted:
        found[DELETED] = {"BOOL": True}
    for name, blob in record.blobs.items():
        if name in _PLAIN:
            raise ValueError(f"{name} is not a blob's name")
        found[name] = {"B": blob}
    return found


def to_record(table: Table, attributes: Attributes) -> Record:
    """A record of attribute values.

    Raises:
        MalformedRecordError: One is missing or of another type.
    """
    try:
        return Record(
            table=table, key=_text(attributes[SORT]["S"]),
            version=int(attributes[VERSION]["N"]), op=_text(attributes[OP]["S"]),
            expires=int(attributes[EXPIRES]["N"]) if EXPIRES in attributes else 0,
            deleted=bool(attributes.get(DELETED, {"BOOL": False})["BOOL"]),
            blobs={name: bytes(value["B"]) for name, value in attributes.items()
                   if name not in _PLAIN})
    except (KeyError, TypeError, ValueError):
        raise MalformedRecordError("a row of the cloud table is not one of ours") from None


def key_of(household: str, key: str) -> Attributes:
    """The primary key of a record."""
    return {PARTITION: {"S": household}, SORT: {"S": key}}


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value

"""Makes the tables of the template, at an endpoint of one's own or at AWS; what is there stays."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, TypeVar

from agent.errors import AgentError
from agent.sync.cloud.template import TableSpec, tables
from agent.sync.credentials import make_client
from agent.sync.diagnosis import named
from agent.sync.settings import Settings

T = TypeVar("T")

PATIENCE_S = 120.0
"""Seconds a new table may take."""
_PREFIX = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_ABSENT = frozenset({"ResourceNotFoundException"})
_UNSUPPORTED = frozenset({"UnknownOperationException", "ValidationException",
                          "AccessDeniedException"})


class TableMismatchError(AgentError):
    """A table of that name is there, and is not as it must be."""


def set_up(settings: Settings) -> Iterator[str]:
    """Make what is missing; says in a line each what was done or found.

    Args:
        settings: Where, and with whose credentials: they must be allowed to make tables.

    Raises:
        TableMismatchError: A table is there with other keys; it was left as it is.
        CloudError: The cloud would not.
    """
    if not _PREFIX.fullmatch(settings.tables):
        raise AgentError(f"sync.tables: {settings.tables!r} cannot begin a table's name",
                         "use letters, digits, '-', '_' and '.'")
    client = make_client(settings)
    for spec in tables(settings.tables):
        yield from _table(client, spec)


def _table(client: Any, spec: TableSpec) -> Iterator[str]:
    found = _described(client, spec)
    if found is None:
        _asked(client.create_table, **spec.creation)
        found = _active(client, spec)
        yield f"{spec.name}: made"
    else:
        found = _active(client, spec) if found["TableStatus"] != "ACTIVE" else found
        yield f"{spec.name}: there already"
    _check(found, spec)
    yield f"{spec.name}: {_expiry(client, spec)}"
    yield from _backups(client, spec)


def _described(client: Any, spec: TableSpec) -> Any:
    try:
        return client.describe_table(TableName=spec.name)["Table"]
    except Exception as error:
        if _code(error) in _ABSENT:
            return None
        raise named(error) from None


def _active(client: Any, spec: TableSpec) -> Any:
    until = time.monotonic() + PATIENCE_S
    while True:
        found = _described(client, spec)
        if found is not None and found["TableStatus"] == "ACTIVE":
            return found
        if time.monotonic() > until:
            raise AgentError(f"the table {spec.name} is not ready after {PATIENCE_S:.0f} seconds",
                             "run `voice-agent cloud setup` again")
        time.sleep(0.5)


def _check(found: Any, spec: TableSpec) -> None:
    keys = tuple((k["AttributeName"], k["KeyType"]) for k in found["KeySchema"])
    if keys != spec.keys:
        raise TableMismatchError(
            f"a table {spec.name} is there with other keys: "
            f"{', '.join(name for name, _ in keys)} instead of "
            f"{', '.join(name for name, _ in spec.keys)}",
            "choose another prefix with --tables and sync.tables, or delete that table")


def _expiry(client: Any, spec: TableSpec) -> str:
    found = _asked(client.describe_time_to_live, TableName=spec.name)["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        if found.get("AttributeName") != spec.expiry:
            raise TableMismatchError(
                f"the table {spec.name} lets rows expire by {found.get('AttributeName')}",
                f"turn its time to live off, then run this again to use {spec.expiry}")
        return f"rows expire by {spec.expiry}"
    _asked(client.update_time_to_live, TableName=spec.name, TimeToLiveSpecification={
        "AttributeName": spec.expiry, "Enabled": True})
    return f"rows expire by {spec.expiry} from now on"


def _backups(client: Any, spec: TableSpec) -> Iterator[str]:
    """A warning where backups keep what should be forgotten; they are left as they are."""
    try:
        found = client.describe_continuous_backups(TableName=spec.name)
    except Exception as error:
        if _code(error) in _UNSUPPORTED:
            return
        raise named(error) from None
    recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") == "ENABLED":
        yield (f"{spec.name}: WARNING: point-in-time recovery is on and keeps for weeks what "
               "should be forgotten; turn it off")


def _asked(call: Any, **arguments: Any) -> Any:
    try:
        return call(**arguments)
    except Exception as error:
        raise named(error) from None


def _code(error: Exception) -> str:
    response: Any = getattr(error, "response", None)
    return str(response["Error"].get("Code", "")) if isinstance(response, dict) else ""

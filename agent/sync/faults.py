"""What can go wrong between a device and a cloud table, by what must be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from agent.errors import AgentError
from agent.sync.records import Record


class Kind(StrEnum):
    """What sort of trouble it is; each is named once in the status."""

    UNREACHABLE = "unreachable"
    """No connection: network, name or service is away."""
    SLOW = "slow"
    """No answer in time; what was asked may have been done."""
    THROTTLED = "throttled"
    """The service asks for fewer requests."""
    SERVICE = "service"
    """The service failed (5xx)."""
    CREDENTIALS = "credentials"
    """Missing, unknown or wrong credentials."""
    EXPIRED = "expired"
    """The credentials have expired."""
    REFUSED = "refused"
    """The credentials do not allow it (403)."""
    REGION = "region"
    """The request was for another region."""
    CLOCK = "clock"
    """This device's clock is too far off for its signature to count."""
    TABLES = "tables"
    """The tables are not there, or are not as they must be."""
    HOUSEHOLD = "household"
    """This device is in no household, was removed from it, or its keys cannot be had."""
    STORE = "store"
    """The context store cannot be read or written."""
    INVALID = "invalid"
    """The service calls the request itself wrong; trying again cannot help."""
    CONFLICT = "conflict"
    """Another transaction was at the same records; trying again helps."""
    UNKNOWN = "unknown"
    """Something that is not foreseen here."""


PERSONAL = frozenset({Kind.CREDENTIALS, Kind.EXPIRED, Kind.REFUSED, Kind.REGION})
"""Other credentials would mend it; they are looked for before the next attempt."""


class CloudError(AgentError):
    """The cloud did not do what was asked, or did not say so.

    Args:
        kind: Decides what is done about it.
        what: What is wrong, without any content.
        mend: How to mend it.
    """

    def __init__(self, kind: Kind, what: str, mend: str = "") -> None:
        super().__init__(what, mend)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one action of a transaction did not hold."""

    code: str
    """``None`` where it did, ``ConditionalCheckFailed``, ``TransactionConflict``, …"""
    found: Record | None = field(default=None, repr=False)
    """What is there instead, where a condition failed."""


class ConditionError(CloudError):
    """A transaction in which at least one condition did not hold; nothing of it was done.

    Args:
        reasons: By position of the action; those that held are left out.
    """

    def __init__(self, reasons: Mapping[int, Reason]) -> None:
        super().__init__(Kind.CONFLICT, "the cloud table holds something else than expected")
        self.reasons = reasons

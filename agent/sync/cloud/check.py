"""Tries what a device does with the cloud, step by step, and names what is wrong."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Literal

from agent.sync.dynamodb import DynamoDb
from agent.sync.faults import CloudError, Kind
from agent.sync.household.keyring import HouseholdKeyring
from agent.sync.household.membership import new_id
from agent.sync.household.shelf import TABLE
from agent.sync.records import Delete, Put, Record, Table
from agent.sync.settings import Settings

TRUSTED_S = 300
"""How far a clock may be off before the service refuses what it signs."""
PROBE_S = 3600
"""Seconds after which a probe that could not be removed expires by itself."""
State = Literal["ok", "failed", "note"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step's outcome."""

    name: str
    state: State
    detail: str = ""
    mend: str = ""


class Checker:
    """Runs the steps.

    Args:
        settings: Where the tables are.
        keyring: This device's household.
        make: Makes the backend; tests replace it.
        wall: This device's clock, UTC seconds.
    """

    def __init__(self, settings: Settings, keyring: HouseholdKeyring,
                 make: Callable[..., DynamoDb] = DynamoDb,
                 wall: Callable[[], float] = time.time) -> None:
        self._settings, self._keyring, self._make, self._wall = settings, keyring, make, wall
        self._dates: list[str] = []

    def run(self) -> Iterator[Step]:
        """Each step as it is done; the first failure of what the others need is the last."""
        backend = self._make(self._settings, self._keyring.household, self._dates.append)
        tables: tuple[Table, ...] = ("interaction", "item")
        for table in tables:
            step = _tried(f"write, read and delete in {self._settings.table(table)}",
                          partial(_probe, backend, table, round(self._wall())))
            yield step
            if step.state == "failed":
                return
        yield self._clock()
        yield _tried("the household's documents", lambda: self._documents(backend))
        yield self._others()

    def _clock(self) -> Step:
        """Whether the service's clock agrees; if so, it settles a doubt about the household's."""
        if not self._dates:
            return Step("clock", "note", "the service does not tell the time")
        theirs = parsedate_to_datetime(self._dates[-1]).timestamp()
        off = self._wall() - theirs
        if abs(off) > TRUSTED_S:
            return Step("clock", "failed", f"this device's clock is off by {off:.0f} seconds",
                        "set it: `timedatectl set-ntp true`")
        self._keyring.confirm(round(theirs * 1000))
        return Step("clock", "ok", f"{abs(off):.0f} seconds apart")

    def _documents(self, backend: DynamoDb) -> str:
        keys = ["~i" + self._keyring.name("index", "")]
        return "there" if backend.get(TABLE, keys) else "none yet"

    def _others(self) -> Step:
        """Whether the credentials are kept to this household."""
        name = "other households' rows are closed to this device"
        stranger = self._make(self._settings, new_id(), self._dates.append)
        try:
            stranger.get(TABLE, ["~probe"])
        except CloudError as error:
            if error.kind is Kind.REFUSED:
                return Step(name, "ok")
            return Step(name, "failed", error.what, error.mend)
        if self._settings.endpoint:
            return Step(name, "note", "not limited; a service of one's own has no policies")
        return Step(name, "failed", "these credentials open every household's rows",
                    "attach the policy of `voice-agent cloud policy` and no wider one")


def _tried(name: str, step: Callable[[], str]) -> Step:
    try:
        return Step(name, "ok", step())
    except CloudError as error:
        return Step(name, "failed", error.what, error.mend)


def _probe(backend: DynamoDb, table: Table, now_s: int) -> str:
    key, blob = f"~p{secrets.token_hex(16)}", secrets.token_bytes(64)
    record = Record(table, key, 1, secrets.token_hex(16), now_s + PROBE_S, blobs={"probe": blob})
    began = time.monotonic()
    backend.transact([Put(record)], record.op)
    if backend.get(table, [key]) != [record]:
        raise CloudError(Kind.TABLES, "what was written does not come back as it was",
                         "look who else writes to the table")
    if record not in backend.query(table, "~p", "~q", now_s):
        raise CloudError(Kind.TABLES, "what was written is not found by its key",
                         "look whether the table is the one that `cloud setup` made")
    backend.transact([Delete(table, key)], secrets.token_hex(16))
    if backend.get(table, [key]):
        raise CloudError(Kind.TABLES, "what was deleted is still there", "try again")
    return f"{(time.monotonic() - began) * 1000 / 5:.0f} ms a request"

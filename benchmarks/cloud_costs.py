"""What sync costs at a table service: real sealed rows, counted in the service's units.

    .venv/bin/python benchmarks/cloud_costs.py [--json FILE]

Two dialogues are held in a real store, sealed under a real household's keys and pushed by the real
pusher to a table that counts as DynamoDB does: a written item costs one unit a KiB, twice that in
a transaction; a strongly consistent read one unit per 4 KiB. Units are measured, use and prices
are assumed (see ``Use`` and ``Price``).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path

from agent.dialogue.catalogue import Contact, PhoneNumber
from agent.dialogue.catalogue.sharing import vcards
from agent.store import ContextStore, NewItem, Settings, new_dialogue_id
from agent.sync import tables
from agent.sync.catalogues import HouseholdCatalogues
from agent.sync.clock import CloudClock
from agent.sync.household.file import HouseholdFile
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.membership import (
    Member,
    create,
    joined,
    new_id,
    new_private,
    public_of,
    with_members,
)
from agent.sync.household.ratchet import hour_of
from agent.sync.intake import Household
from agent.sync.ledger import Ledger
from agent.sync.pulling import Puller
from agent.sync.pushing import Pusher
from agent.sync.records import Action, Put, Record, Table
from agent.sync.status import Status

KIB = 1024
STORED_OVERHEAD = 100
"""Bytes the service adds to each stored item (developer guide, «Item sizes and formats»)."""
DAYS = 30


@dataclass(frozen=True)
class Use:
    """What one device is assumed to do in a day."""

    commands: int = 30
    """Turns without a question."""
    dialogues: int = 10
    """Turns with a question and its answer."""
    changes: float = 1 / 7
    """Changes of the household's catalogues."""
    looks: int = 24
    """Looks for new names without a turn: one an hour."""
    stored_days: float = 3.0
    """How long a row is there: its day, and what the service takes to remove it."""


@dataclass(frozen=True)
class Price:
    """US dollars, on demand, us-east-1, as read in public price lists in November 2026."""

    million_writes: float = 0.625
    million_reads: float = 0.125
    gb_month: float = 0.25
    gb_out: float = 0.09
    """Per GB to the internet, without the free first 100 GB a month."""


@dataclass
class Meter:
    """Units and bytes of one kind of work."""

    requests: int = 0
    writes: float = 0.0
    reads: float = 0.0
    bytes_out: int = 0


@dataclass
class CountingTables:
    """A ``Backend`` in memory that counts as the service does."""

    household: str
    rows: dict[tuple[str, str], Record] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    def size(self, record: Record | None) -> int:
        """An item's size by the service's rules."""
        if record is None:
            return 0
        total = 0
        for name, value in tables.to_attributes(self.household, record).items():
            (kind, content), = value.items()
            total += len(name) + {"S": lambda c: len(c.encode()), "B": len, "BOOL": lambda c: 1,
                                  "N": lambda c: ceil(len(c) / 2) + 1}[kind](content)
        return total

    def transact(self, actions: Sequence[Action], token: str) -> None:
        """Take everything; conditions hold here."""
        self.meter.requests += 1
        for action in actions:
            place = ((action.record.table, action.record.key) if isinstance(action, Put)
                     else (action.table, action.key))
            new = action.record if isinstance(action, Put) else None
            size = max(self.size(self.rows.get(place)), self.size(new), 1)
            self.meter.writes += 2 * ceil(size / KIB)
            if new:
                self.rows[place] = new
            else:
                self.rows.pop(place, None)

    def query(self, table: Table, low: str = "", high: str = "",
              now: int = 0) -> Sequence[Record]:
        """Everything between; a page is charged as a whole."""
        found = [r for (t, k), r in sorted(self.rows.items())
                 if t == table and low <= k <= (high or "~")]
        read = sum(map(self.size, found))
        self.meter.requests += 1
        self.meter.reads += max(1, ceil(read / (4 * KIB)))
        self.meter.bytes_out += read
        return found

    def get(self, table: Table, keys: Sequence[str]) -> Sequence[Record]:
        """Each item is charged by itself, also one that is not there."""
        found = [self.rows[table, k] for k in keys if (table, k) in self.rows]
        self.meter.requests += 1
        self.meter.reads += sum(max(1, ceil(self.size(self.rows.get((table, k))) / (4 * KIB)))
                                for k in keys)
        self.meter.bytes_out += sum(map(self.size, found))
        return found

    def counted(self) -> Meter:
        """What was counted since the last time."""
        counted, self.meter = self.meter, Meter()
        return counted


def two_devices(folder: Path) -> HouseholdKeyring:
    """A household of two, seen from the first."""
    clock = CloudClock()
    membership = create("Elm Street", "Kitchen", hour_of(clock.now_ms()))
    hall = Member(new_id(), "Hall", public_of(new_private()), 1)
    membership = with_members(membership, joined(membership.household.members, (hall,)))
    file = HouseholdFile(folder, {})
    file.create(membership)
    return HouseholdKeyring(file, KeptKeys(None, ""), Life(300_000, 86_400_000))


async def measure(folder: Path) -> tuple[dict[str, Meter], dict[str, int]]:
    """Hold the dialogues; units by kind of work, and sizes of rows."""
    keyring = two_devices(folder)
    async with await ContextStore.open(Settings(directory=folder, outbox=True)) as store:
        cloud = CountingTables(keyring.household)
        near = Household(store, cloud, keyring, CloudClock(), Ledger(), Status(None))
        pusher, puller = Pusher(near), Puller(near, 3600)

        async def push() -> None:
            await asyncio.to_thread(pusher.drain)

        meters: dict[str, Meter] = {}
        # A command: pushed while it is answered, and when its texts are deleted at the end.
        dialogue = new_dialogue_id()
        await store.append(dialogue, 0, "wake utterance intent:home speak", [
            NewItem("said", "turn on the kitchen light"),
            NewItem("reply", "The kitchen light is on.")])
        await push()
        sizes = _sizes(cloud)
        await store.close_turn(dialogue, 0)
        await push()
        meters["command"] = cloud.counted()

        dialogue = new_dialogue_id()
        await store.append(dialogue, 0, "wake utterance intent:call speak expect-speech", [
            NewItem("said", "call Meg"), NewItem("reply", "Meg Jones or Meg Bauer?"),
            NewItem("screen", json.dumps({"title": "Meg", "options": ["Meg Jones", "Meg Bauer"]}))])
        await push()
        await store.append(dialogue, 1, "utterance intent:call speak", [
            NewItem("said", "Bauer"), NewItem("reply", "Calling Meg Bauer, mobile.")])
        await push()
        await store.close_dialogue(dialogue)
        await push()
        meters["dialogue"] = cloud.counted()

        await asyncio.to_thread(puller.pull)
        meters["wake"] = cloud.counted()

        catalogues = HouseholdCatalogues(lambda: store)
        catalogues.offer({"contacts": vcards(_contacts(200))})
        now = near.clock.now_ms()
        await asyncio.to_thread(catalogues.exchange, cloud, keyring, now)
        meters["change of 200 contacts"] = cloud.counted()
        await asyncio.to_thread(catalogues.exchange, cloud, keyring, now + 120_000)
        meters["look for changes"] = cloud.counted()
        sizes |= _sizes(cloud)
    return meters, sizes


def _sizes(cloud: CountingTables) -> dict[str, int]:
    names = {"~i": "index of two devices", "~d": "document of 200 contacts"}
    found: dict[str, int] = {}
    for (table, key), record in cloud.rows.items():
        if key[:2] in names:
            found[names[key[:2]]] = cloud.size(record)
        elif table == "item":
            found["text"] = max(found.get("text", 0), cloud.size(record))
        else:
            found["interaction"] = max(found.get("interaction", 0), cloud.size(record))
    return found


def _contacts(count: int) -> list[Contact]:
    given = ("Meg", "Ole", "Anna", "Jakob", "Priya", "Wei", "Fatima", "Luis", "Ingrid", "Tom")
    family = ("Bauer", "Jones", "Lindqvist", "Okafor", "Sharma", "Zhang", "Haddad", "Garcia")
    return [Contact(f"{given[n % 10]} {family[n // 10 % 8]}{n // 80 or ''}", given[n % 10],
                    f"{family[n // 10 % 8]}{n // 80 or ''}", (),
                    (PhoneNumber(f"+1555{n * 7919 % 10**7:07d}", "mobile"),))
            for n in range(count)]


def month(meters: dict[str, Meter], sizes: dict[str, int], use: Use, price: Price,
          devices: int) -> dict[str, float]:
    """Dollars of a month for a number of devices, two a household."""
    wakes = use.commands + use.dialogues
    times = {"command": use.commands, "dialogue": use.dialogues, "wake": wakes,
             "look for changes": wakes + use.looks, "change of 200 contacts": use.changes}
    writes, reads, out = (DAYS * sum(times[name] * getattr(meters[name], unit) for name in times)
                          for unit in ("writes", "reads", "bytes_out"))
    rows = use.commands + 2 * use.dialogues
    stored = (rows * use.stored_days * (sizes["interaction"] + STORED_OVERHEAD)
              + sizes["document of 200 contacts"] + sizes["index of two devices"])
    costs = {"writes": devices * writes / 1e6 * price.million_writes,
             "reads": devices * reads / 1e6 * price.million_reads,
             "storage": devices * stored / 1e9 * price.gb_month,
             "transfer": devices * out / 1e9 * price.gb_out}
    return {**costs, "total": sum(costs.values()),
            "writes_per_s": devices * writes / DAYS / 86_400}


def main() -> int:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="also write the figures here")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        meters, sizes = asyncio.run(measure(Path(folder)))
    use, price = Use(), Price()
    print("item sizes, bytes")
    for name, size in sizes.items():
        print(f"  {name:28}{size:>8}")
    print(f"\n{'units':30}{'requests':>9}{'writes':>8}{'reads':>7}{'bytes out':>11}")
    for name, meter in meters.items():
        print(f"  {name:28}{meter.requests:>9}{meter.writes:>8.0f}{meter.reads:>7.0f}"
              f"{meter.bytes_out:>11}")
    print(f"\n{'dollars a month':16}" + "".join(f"{n:>12}" for n in (
        "writes", "reads", "storage", "transfer", "total", "writes/s")))
    months = {n: month(meters, sizes, use, price, n) for n in (1, 1_000, 1_000_000)}
    for devices, costs in months.items():
        print(f"{devices:>16,}" + "".join(f"{value:>12,.4f}" for value in costs.values()))
    if args.json:
        args.json.write_text(json.dumps({
            "sizes": sizes, "units": {n: asdict(m) for n, m in meters.items()},
            "use": asdict(use), "price": asdict(price), "months": months}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

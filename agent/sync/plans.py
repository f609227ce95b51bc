"""What one interaction's push consists of, and how several share a transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from agent.store.exchange import Departure
from agent.store.interactions import written
from agent.store.sealing import canonical
from agent.sync import wire
from agent.sync.clock import CloudClock
from agent.sync.keys import Keyring
from agent.sync.ledger import Ledger
from agent.sync.records import Action, Delete, Put

ACTIONS = 100
"""What one transaction takes."""
BYTES = 320 * 1024
"""What one transaction may weigh, though the service takes 4 MB: uplinks are slow, and a large
request is put together with the interpreter locked."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions that bring the cloud to one version of a row."""

    row_id: str
    version: int
    row: Put | None
    """None for texts that go ahead of a row with more of them than a transaction takes."""
    items: tuple[Put, ...]
    deletes: tuple[Delete, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Texts first, then the row, then deletions."""
        return (*self.items, *((self.row,) if self.row else ()), *self.deletes)

    @property
    def size(self) -> int:
        """About how many bytes it sends."""
        return sum(p.record.size for p in (*self.items, *((self.row,) if self.row else ())))


@dataclass
class Batch:
    """Plans that share a transaction."""

    plans: list[Plan] = field(default_factory=list)

    @property
    def actions(self) -> list[Action]:
        """All actions in order."""
        return [action for plan in self.plans for action in plan.actions]

    def owners(self) -> list[Plan]:
        """The plan of each action."""
        return [plan for plan in self.plans for _ in plan.actions]


def compose(departure: Departure, keyring: Keyring, clock: CloudClock, ledger: Ledger) -> Plan:
    """The push of a row as it is in the store now.

    Raises:
        EpochError: The household's keys cannot be had.
    """
    row, shift = departure.interaction, clock.shift(departure.now)
    shared = wire.CloudRow(replace(row, created_at=row.created_at + shift,
                                   expires_at=row.expires_at + shift), departure.key)
    record = wire.seal_row(keyring, shared, clock.now_ms())
    seen = ledger.seen(record.key)
    items = []
    for item in departure.items:
        name = wire.item_name(keyring, record.key, item.id)
        # A text that another device wrote came from the cloud.
        if (departure.key and written(row, item.seq, departure.device_id) > row.acked_version
                and name not in ledger.present):
            items.append(Put(wire.seal_item(keyring, record.key, item, departure.key, shift)))
    names = [wire.item_name(keyring, record.key, i) for i in row.removed_ids]
    known = bool(seen) or row.acked_version > 0
    deletes = tuple(Delete("item", n) for n in names if known and n not in ledger.gone)
    return Plan(row.id, row.version, Put(record, seen.op if seen else None), tuple(items),
                deletes[:ACTIONS // 2])


def split(plan: Plan) -> tuple[list[Plan], Plan]:
    """Texts that must go ahead, in plans of their own, and the rest with the row.

    A text without its row harms nobody: nothing refers to it, and it expires.
    """
    ahead, items = [], list(plan.items)
    while items and (len(items) + 1 + len(plan.deletes) > ACTIONS
                     or sum(p.record.size for p in items) > BYTES):
        some, size = [items.pop(0)], 0
        size = some[0].record.size
        while items and len(some) < ACTIONS and size + items[0].record.size <= BYTES:
            size += items[0].record.size
            some.append(items.pop(0))
        ahead.append(replace(plan, row=None, items=tuple(some), deletes=()))
    return ahead, replace(plan, items=tuple(items))


def batches(plans: Sequence[Plan]) -> Iterator[Batch]:
    """As few transactions as the limits allow, in order."""
    batch, actions, size = Batch(), 0, 0
    for plan in plans:
        count = len(plan.actions)
        if batch.plans and (actions + count > ACTIONS or size + plan.size > BYTES):
            yield batch
            batch, actions, size = Batch(), 0, 0
        batch.plans.append(plan)
        actions, size = actions + count, size + plan.size
    if batch.plans:
        yield batch


def token(actions: Sequence[Action]) -> str:
    """The client request token: a hash of all that is asked.

    An attempt that is made again with the same bytes has the same token and is carried out once;
    one with other bytes (a new epoch, another version) has another, and the conditions decide.
    """
    parts: list[str | int | bytes] = []
    for action in actions:
        if isinstance(action, Delete):
            parts += ["delete", action.table, action.key]
            continue
        record = action.record
        parts += ["put", record.table, record.key, record.version, record.op, record.expires,
                  int(record.deleted), action.replaces or ""]
        for name in sorted(record.blobs):
            parts += [name, record.blobs[name]]
    return hashlib.sha256(canonical(b"token", *parts)).hexdigest()[:36]

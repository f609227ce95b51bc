"""Rows from the cloud into the store: opened, checked, their texts fetched, merged."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

from agent.store import exchange
from agent.store.exchange import Absorbed, Arrival, ArrivedItem
from agent.store.records import Interaction
from agent.store.session import Session
from agent.sync import Backend, wire
from agent.sync.clock import CloudClock
from agent.sync.keys import EpochError, EpochGoneError, Keyring, OldGenerationError
from agent.sync.ledger import Ledger
from agent.sync.records import Record
from agent.sync.status import Status
from agent.sync.wire import CloudRow, RefusedError

T = TypeVar("T")

CHUNK = 12
"""Rows merged at once, so that a turn never waits long behind them."""
STORE_WAIT_S = 30.0


class StoreGate(Protocol):
    """The store, for a thread."""

    def submit(self, job: Callable[[Session], T]) -> Future[T]:
        """Run a job on the store's thread."""
        ...


def ask(store: StoreGate, job: Callable[[Session], T]) -> T:
    """Run a job on the store's thread and wait for it.

    Raises:
        StoreError: It could not be carried out.
        TimeoutError: The store does not answer.
    """
    return store.submit(job).result(timeout=STORE_WAIT_S)


@dataclass(frozen=True, slots=True)
class Household:
    """Everything that sync of one household needs; shared by its threads."""

    store: StoreGate
    backend: Backend
    keyring: Keyring
    clock: CloudClock
    ledger: Ledger
    status: Status


@dataclass(frozen=True, slots=True)
class _Opened:
    record: Record
    row: CloudRow


class Intake:
    """Takes rows of the cloud's interaction table into the store."""

    def __init__(self, household: Household) -> None:
        self._with = household

    def take(self, records: Sequence[Record], healing: bool = False) -> tuple[Interaction, ...]:
        """Merge rows; returns those that changed here.

        Args:
            records: Rows as the cloud has them.
            healing: What is refused is noted as seen, so that a push may write over it.

        Raises:
            CloudError: Texts could not be fetched.
            EpochError: The household's keys cannot be had.
            StoreError: Nothing more was merged.
        """
        changed: list[Interaction] = []
        for start in range(0, len(records), CHUNK):
            some = records[start:start + CHUNK]
            opened = self._not_replayed([o for o in (self._open(r, healing) for r in some) if o])
            arrivals = self._arrivals(opened)
            with self._with.ledger.lock:
                done = ask(self._with.store, partial(exchange.absorb, arrivals=arrivals))
                for found in opened:
                    self._with.ledger.note(found.record)
            changed += [a.interaction for a in done if a.changed and a.interaction]
            self._count(done)
        self._with.status.add(received=len(changed))
        return tuple(changed)

    def _open(self, record: Record, healing: bool) -> _Opened | None:
        keyring = self._with.keyring
        try:
            row = wire.open_row(keyring, record)
            # With its text key gone, its texts have expired; what the row says has not.
            with contextlib.suppress(EpochGoneError):
                row = replace(row, key=wire.open_key(keyring, record))
        except RefusedError:
            self._refuse(record, "refused_altered")
        except (EpochGoneError, OldGenerationError):
            # Nobody can open it any more, or only who was not rebooted since. A row may be
            # replaced; a tombstone never, for a deletion always wins.
            if record.deleted:
                self._with.ledger.blocked.add(record.key)
                return None
        except EpochError:
            # One such row must not stop the others; and what a household without this device
            # wrote is not for it to write over.
            self._refuse(record, "unreadable")
            self._with.ledger.blocked.add(record.key)
            return None
        else:
            self._with.ledger.blocked.discard(record.key)
            return _Opened(record, row)
        if healing:
            self._with.ledger.note(record)
        return None

    def _refuse(self, record: Record, count: str) -> None:
        """Count a row that is refused, once for as long as it stays as it is."""
        found = hashlib.sha256(repr((record, sorted(record.blobs.items()))).encode()).hexdigest()
        if found not in self._with.ledger.refused:
            self._with.ledger.refused.add(found)
            self._with.status.add(**{count: 1})

    def _not_replayed(self, opened: list[_Opened]) -> list[_Opened]:
        """Without rows that are older than what the cloud took before this process began."""
        fresh = [found.row.interaction.id for found in opened
                 if self._with.ledger.seen(found.record.key) is None]
        if not fresh:
            return opened
        acked = ask(self._with.store, lambda s: exchange.acknowledged(s, fresh))
        kept = [found for found in opened
                if found.record.version >= acked.get(found.row.interaction.id, 0)]
        self._with.status.add(refused_replayed=len(opened) - len(kept))
        return kept

    def _arrivals(self, opened: Sequence[_Opened]) -> list[Arrival]:
        now = self._with.clock.now_ms()
        texts = self._texts(opened, now)
        return [Arrival(found.row.interaction, found.row.key,
                        tuple(texts.get(found.row.interaction.id, ())),
                        now - found.row.interaction.created_at,
                        found.row.interaction.expires_at - now) for found in opened]

    def _texts(self, opened: Sequence[_Opened], now: int) -> dict[str, list[ArrivedItem]]:
        """The texts that are not here yet, by row."""
        ledger, keyring = self._with.ledger, self._with.keyring
        ids = [item for found in opened if found.row.key for item in found.row.interaction.item_ids]
        absent = set(ask(self._with.store, lambda s: exchange.absent(s, ids))) if ids else set()
        wanted: dict[str, _Opened] = {}
        for found in opened:
            for item in found.row.interaction.item_ids:
                name = wire.item_name(keyring, found.record.key, item)
                if found.row.key and item in absent and name not in ledger.missing:
                    wanted[name] = found
        arrived: dict[str, list[ArrivedItem]] = {}
        for record in self._with.backend.get("item", list(wanted)) if wanted else ():
            owner = wanted.pop(record.key, None)
            if owner is None:
                continue  # nobody asked for it
            try:
                text = wire.open_item(keyring, owner.row, record, now)
            except RefusedError:
                self._with.status.add(refused_altered=1)
                ledger.missing.add(record.key)
                continue
            ledger.present.add(record.key)
            if text.left_ms > 0:
                arrived.setdefault(owner.row.interaction.id, []).append(text)
        for name in wanted:
            ledger.missing.add(name)
        return arrived

    def _count(self, done: Sequence[Absorbed]) -> None:
        for absorbed in done:
            for item_id in absorbed.refused:
                row = wire.row_name(self._with.keyring, item_id.rpartition(".")[0])
                self._with.ledger.missing.add(wire.item_name(self._with.keyring, row, item_id))
            self._with.status.add(refused_altered=len(absorbed.refused))

"""Sending what the cloud has not got: coalesced, batched, each state taken exactly once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from agent.store import exchange, outbox
from agent.sync import plans
from agent.sync.diagnosis import fault
from agent.sync.faults import CloudError, ConditionError, Kind, Reason
from agent.sync.intake import Household, Intake, ask
from agent.sync.plans import Batch, Plan
from agent.sync.records import Record

ROWS = 25
"""Rows read from the store at once, so that a turn's own write never waits long behind them."""
PASSES = 8
"""Times a drain goes over the rows: a conflict is merged in one pass and sent in the next."""
PAUSE_S = 0.02
"""Between two batches: the store and the interpreter belong to whoever speaks first."""
HOLD_S = 20.0
"""How long a backlog waits for the end of a turn, between two batches."""
CONFLICTS = 24
"""Times another's state may be met for one row before it is set aside."""
TRIES = 6
"""Times one batch is sent again within a pass, each time without what was settled."""


class Pusher:
    """Drains the store's outbox.

    Args:
        household: Store, tables and keys.
        stopping: Asked between two requests.
        in_turn: Whether somebody is being listened to or answered now; a backlog waits meanwhile.
    """

    def __init__(self, household: Household, stopping: Callable[[], bool] = lambda: False,
                 in_turn: Callable[[], bool] = lambda: False) -> None:
        self._with = household
        self._stopping = stopping
        self._in_turn = in_turn
        self._intake = Intake(household)
        self._aside: dict[str, int] = {}
        self._met: Counter[str] = Counter()

    def drain(self) -> int:
        """Send every row with a version that the cloud has not acknowledged.

        Returns:
            How many interactions' states the cloud took.

        Raises:
            CloudError: It did not go through; what was acknowledged is noted.
            EpochError: The household's keys cannot be had.
            StoreError: The store cannot be read.
        """
        total = 0
        for _ in range(PASSES):
            sent, again = self._pass()
            total += sent
            if not again or self._stopping():
                return total
        raise fault(Kind.CONFLICT)

    def look_again(self) -> None:
        """Send what was set aside once more."""
        self._aside.clear()
        self._met.clear()
        self._with.status.taken_up(None)

    def _pass(self) -> tuple[int, bool]:
        """Go over all rows once; how many were sent, and whether some must be sent again."""
        sent, again, after = 0, False, ""
        while not self._stopping():
            made, after = self._next(after)
            if not after:
                break
            ready = []
            for plan in made:
                ahead, rest = plans.split(plan)
                if all(self._send(Batch([some]))[0] for some in ahead):
                    ready.append(rest)
            for batch in plans.batches(ready):
                settled, conflicts = self._send(batch)
                sent += settled
                again |= conflicts
                self._make_way()
        return sent, again

    def _make_way(self) -> None:
        """Pause between two batches; longer while there is a turn, but not for ever."""
        end = time.monotonic() + HOLD_S
        time.sleep(PAUSE_S)
        while self._in_turn() and time.monotonic() < end and not self._stopping():
            time.sleep(PAUSE_S)

    def _next(self, after: str) -> tuple[list[Plan], str]:
        near = self._with
        with near.ledger.lock:
            found = ask(near.store, lambda s: exchange.departures(s, ROWS, after))
            made = [plans.compose(d, near.keyring, near.clock, near.ledger) for d in found
                    if self._aside.get(d.interaction.id) != d.interaction.version]
        return made, found[-1].interaction.id if found else ""

    def _send(self, batch: Batch) -> tuple[int, bool]:
        """Send a batch; how many plans were settled, and whether some met another's state."""
        settled, conflicts = 0, False
        for _ in range(TRIES):
            if not batch.plans:
                return settled, conflicts
            try:
                self._with.backend.transact(batch.actions, plans.token(batch.actions))
            except ConditionError as error:
                kept, done, met = self._sort_out(batch, error.reasons)
                settled, conflicts, batch = settled + done, conflicts or met, Batch(kept)
            except CloudError as error:
                if error.kind is not Kind.INVALID:
                    raise
                return self._find_invalid(batch, error, settled, conflicts)
            else:
                return settled + self._settle(batch.plans), conflicts
        return settled, True

    def _find_invalid(self, batch: Batch, error: CloudError, settled: int,
                      conflicts: bool) -> tuple[int, bool]:
        """One of the batch cannot be taken: send halves, until it is alone and set aside."""
        if len(batch.plans) == 1:
            self._set_aside(batch.plans[0], error.what)
            return settled, conflicts
        middle = len(batch.plans) // 2
        for half in (batch.plans[:middle], batch.plans[middle:]):
            some, met = self._send(Batch(half))
            settled, conflicts = settled + some, conflicts or met
        return settled, conflicts

    def _sort_out(self, batch: Batch,
                  reasons: Mapping[int, Reason]) -> tuple[list[Plan], int, bool]:
        """After a condition did not hold: what to send again now, how many are settled already."""
        failed: dict[int, list[tuple[int, Reason]]] = {}
        position = 0
        for number, plan in enumerate(batch.plans):
            inside = range(position, position + len(plan.actions))
            failed[number] = [(i - position, reasons[i]) for i in inside if i in reasons]
            position += len(plan.actions)
        kept: list[Plan] = []
        done: list[Plan] = []
        met: list[tuple[Plan, Record]] = []
        for number, plan in enumerate(batch.plans):
            next_plan = self._judge(plan, failed[number], done, met)
            if next_plan:
                kept.append(next_plan)
        if met:
            self._intake.take([record for _, record in met], healing=True)
        for plan, record in met:
            if record.key in self._with.ledger.blocked:
                self._set_aside(plan, "another device deleted it, or wrote it under other keys")
        return kept, self._settle(done), bool(met)

    def _judge(self, plan: Plan, failed: Sequence[tuple[int, Reason]], done: list[Plan],
               met: list[tuple[Plan, Record]]) -> Plan | None:
        """What is left to send of a plan; None when it is settled, set aside or must be redone."""
        for index, reason in failed:
            if plan.row and index == len(plan.items) and reason.code == "ConditionalCheckFailed":
                return self._judge_row(plan, reason.found, done, met)
        there = set()
        for index, reason in failed:
            if reason.code != "ConditionalCheckFailed" or index >= len(plan.items):
                continue
            record = plan.items[index].record
            if reason.found is None or reason.found.op != record.op:
                self._set_aside(plan, "another text stands where one of its texts belongs")
                return None
            self._with.ledger.present.add(record.key)
            there.add(index)
        items = tuple(p for i, p in enumerate(plan.items) if i not in there)
        if not items and plan.row is None:
            done.append(plan)
            return None
        return replace(plan, items=items)

    def _judge_row(self, plan: Plan, found: Record | None, done: list[Plan],
                   met: list[tuple[Plan, Record]]) -> Plan | None:
        assert plan.row
        record = plan.row.record
        if found is None:
            self._with.ledger.forget(record.key)
            return replace(plan, row=replace(plan.row, replaces=None))
        if found.op == record.op:
            done.append(plan)  # the reply to an earlier attempt was lost
            return None
        seen = self._with.ledger.seen(record.key)
        if seen and found.version < seen.version:
            self._with.status.add(refused_replayed=1)
        self._met[plan.row_id] += 1
        if self._met[plan.row_id] > CONFLICTS:
            self._set_aside(plan, "what stands in its place can neither be read nor replaced")
            return None
        met.append((plan, found))
        return None

    def _settle(self, done: Sequence[Plan]) -> int:
        rows = [plan for plan in done if plan.row]
        if rows:
            ask(self._with.store, lambda s: outbox.acknowledge(
                s, [(plan.row_id, plan.version) for plan in rows]))
        for plan in done:
            for put in plan.items:
                self._with.ledger.present.add(put.record.key)
            for delete in plan.deletes:
                self._with.ledger.gone.add(delete.key)
            if plan.row:
                self._met.pop(plan.row_id, None)
                self._with.ledger.note(plan.row.record)
                if self._aside.pop(plan.row_id, None):
                    self._with.status.taken_up(plan.row.record.key)
        self._with.status.add(sent=len(rows))
        return len(done)

    def _set_aside(self, plan: Plan, why: str) -> None:
        self._aside[plan.row_id] = plan.version
        name = plan.row.record.key if plan.row else plan.items[0].record.key.partition("#")[0]
        self._with.status.set_aside(name, why)

"""What a row is in the cloud: bound to its place, the same bytes each time, refused when wrong."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store.records import Interaction
from agent.sync import plans, wire
from agent.sync.clock import CloudClock
from agent.sync.keys import EpochError, EpochGoneError, GenerationError, OldGenerationError
from agent.sync.ledger import Ledger
from agent.sync.records import Delete, Put, Record
from agent.sync.wire import CloudRow, RefusedError
from tests.sync.rings import Ring

NOW = 1_800_000_000_000
D = "6b49d200" + "ab" * 8
RING = Ring("kitchen", now=lambda: NOW)


def sample(**changes: Any) -> CloudRow:
    row = Interaction(f"{D}.0003", D, "kitchen", 3, ("wake", "intent:call"),
                      (f"{D}.0003.1a",), 4, 0, NOW - 1000, NOW + 60_000, False, None,
                      (f"{D}.0003.1b",))
    return CloudRow(dataclasses.replace(row, **changes), b"k" * 32)


def test_a_row_is_what_it_was() -> None:
    record = wire.seal_row(RING, sample(), NOW)
    opened = wire.open_row(RING, record)
    assert opened.interaction == sample().interaction
    assert wire.open_key(RING, record) == b"k" * 32
    assert record.expires == NOW // 1000 + 60


def test_an_attempt_that_is_made_again_sends_the_same_bytes() -> None:
    assert wire.seal_row(RING, sample(), NOW) == wire.seal_row(RING, sample(), NOW)
    once = [Put(wire.seal_row(RING, sample(), NOW)), Delete("item", "x")]
    assert plans.token(once) == plans.token(list(once))
    assert len(plans.token(once)) == 36
    for other in ([once[0]], [once[0], Delete("item", "y")],
                  [Put(once[0].record, replaces="z"), once[1]],  # type: ignore[union-attr]
                  [Put(wire.seal_row(RING, sample(version=5), NOW)), once[1]]):
        assert plans.token(other) != plans.token(once)


def test_equal_states_have_equal_names_whoever_seals_them() -> None:
    hall = Ring("hall", now=lambda: NOW)
    here = wire.seal_row(RING, sample(), NOW)
    there = wire.seal_row(hall, sample(created_at=NOW - 2000, expires_at=NOW + 61_000), NOW)
    assert here.op == there.op and here.key == there.key
    assert wire.seal_row(RING, sample(version=5), NOW).op != here.op
    assert wire.seal_row(RING, sample(events=("wake",)), NOW).op != here.op


def test_a_tombstone_outlives_its_row_and_says_nothing() -> None:
    record = wire.seal_row(RING, sample(deleted=True, events=(), item_ids=()), NOW)
    assert record.deleted and record.expires == NOW // 1000 + 60 + wire.TOMBSTONE_S
    assert set(record.blobs) == {"row"}


def test_texts_go_before_rows_do() -> None:
    """The key of the words is thrown away long before the row's own."""
    record = wire.seal_row(RING, sample(), NOW)
    later = Ring("hall", now=lambda: NOW + 1_200_000)
    assert wire.open_row(later, record).interaction.events == ("wake", "intent:call")
    with pytest.raises(EpochGoneError):
        wire.open_key(later, record)


def test_generations_do_not_mix() -> None:
    record = wire.seal_row(RING, sample(), NOW)
    newer = Ring("kitchen", now=lambda: NOW)
    newer.generation = 2
    with pytest.raises(OldGenerationError):
        wire.open_row(newer, record)
    with pytest.raises(GenerationError):
        wire.open_row(RING, wire.seal_row(newer, sample(), NOW))


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_changed_bit_goes_unseen(data: st.DataObject) -> None:
    record = wire.seal_row(RING, sample(), NOW)
    name = data.draw(st.sampled_from(sorted(record.blobs)))
    blob = bytearray(record.blobs[name])
    blob[data.draw(st.integers(0, len(blob) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed = dataclasses.replace(record, blobs={**record.blobs, name: bytes(blob)})
    with pytest.raises((RefusedError, EpochError)):
        wire.open_row(RING, changed)
        wire.open_key(RING, changed)


@given(st.binary(max_size=80), st.binary(max_size=80), st.text(max_size=20), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_refused(row: bytes, key: bytes, name: str, version: int) -> None:
    record = Record("interaction", name, version, "op", 0, blobs={"row": row, "key": key})
    with pytest.raises((RefusedError, EpochError)):
        wire.open_row(RING, record)
    with pytest.raises((RefusedError, EpochError)):
        wire.open_key(RING, record)
    item = Record("item", name, version, "op", 0, blobs={"about": row, "text": key})
    with pytest.raises(RefusedError):
        wire.open_item(RING, sample(), item, NOW)


def test_rows_of_one_time_stand_together_and_sort_by_it() -> None:
    at = [wire.row_name(RING, f"{seconds:08x}{'ab' * 8}.0000")
          for seconds in (1_700_000_000, 1_700_000_100, 1_700_009_000, 1_800_000_000)]
    assert at == sorted(at, key=lambda name: name[:6])
    assert at[2] > wire.window(1_700_008_000) > at[1][:6]
    assert wire.row_name(RING, "my-own-dialogue.0000").startswith("ffffff.")


def test_the_shift_to_utc_stays_while_clocks_barely_differ() -> None:
    wall = [NOW]
    clock = CloudClock(lambda: wall[0])
    first = clock.shift(NOW - 3_600_000)
    assert first == 3_600_000
    for drift in (1, 700, 1900):
        wall[0] = NOW + drift
        assert clock.shift(NOW - 3_600_000) == first
    wall[0] = NOW + 90_000
    assert clock.shift(NOW - 3_600_000) == first + 90_000


def test_plans_share_transactions_within_the_limits() -> None:
    def plan(number: int, texts: int, size: int) -> plans.Plan:
        return plans.Plan(str(number), 1, Put(Record("interaction", f"r{number}", 1, "o", 0)),
                          tuple(Put(Record("item", f"i{number}.{k}", 1, "o", 0,
                                           blobs={"text": b"x" * size})) for k in range(texts)))
    some = [plan(n, texts, size) for n, (texts, size) in enumerate(
        [(2, 100)] * 70 + [(99, 10)] + [(10, 90_000)] * 3 + [(180, 9000)])]
    ready, ahead = [], []
    for one in some:
        first, rest = plans.split(one)
        ahead += first
        ready.append(rest)
    made = list(plans.batches(ready)) + [plans.Batch([p]) for p in ahead]
    for batch in made:
        assert 0 < len(batch.actions) <= plans.ACTIONS
        assert sum(p.size for p in batch.plans) <= plans.BYTES
        keys = [a.record.key for a in batch.actions if isinstance(a, Put)]
        assert len(keys) == len(set(keys))
    assert sum(len(b.actions) for b in made) == sum(len(p.actions) for p in some)
    assert all(p.row is None for p in ahead) and all(p.row for p in ready)
    assert Ledger().seen("x") is None

"""Whatever happens to the store, the turn goes on, and people are told once."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from agent.store import BestEffortStore, NewItem, interactions
from agent.store.connection import PAGE_SIZE
from agent.store.lock import StoreLock


def a_turn(place: Any, told: list[str], deadline_s: float = 5.0,
           between: Any = None) -> tuple[Any, ...]:
    """One turn with its follow-up window, through the best-effort store."""

    async def scenario() -> tuple[Any, ...]:
        store = BestEffortStore(place.settings, told.append, place.surroundings, deadline_s)
        row = await store.append("d1", 0, "utterance", [NewItem("said", "call Meg")])
        if between:
            between(store)
        row = await store.append("d1", 0, "speak expect-speech", [NewItem("reply", "which?")])
        texts = await store.open_items(row) if row else ()
        carried = await store.carry_over()
        await store.close_turn("d1", 0)
        await store.close()
        return row, texts, carried
    return asyncio.run(scenario())


def test_a_healthy_store_keeps_the_turn(place: Any) -> None:
    told: list[str] = []
    row, texts, _ = a_turn(place, told)
    assert row.expects_speech and [t.text for t in texts] == ["call Meg", "which?"]
    assert told == []


def test_calls_that_nobody_awaits_are_written_in_order(place: Any) -> None:
    async def scenario() -> None:
        store = BestEffortStore(place.settings, print, place.surroundings)
        for n in range(50):
            store.append("d1", 0, "utterance", [NewItem("said", str(n))])
        await store.close()
    asyncio.run(scenario())
    with place.open() as session:
        texts = [i.text for i in interactions.open_rounds(session, "d1", 1)]
        assert texts == [str(n) for n in range(50)]


def break_key(place: Any) -> None:
    place.settings.key_path.write_text(f"voice-agent root key 1\ncurrent {'44' * 32}\n")


def lose_key(place: Any) -> None:
    place.settings.key_path.unlink()


def widen_key(place: Any) -> None:
    place.settings.key_path.chmod(0o644)


def damage(place: Any) -> None:
    data = bytearray(place.path.read_bytes())
    data[100] ^= 1
    place.path.write_bytes(bytes(data))


def replace(place: Any) -> None:
    place.path.write_bytes(b"SQLite format 3\0" + bytes(PAGE_SIZE))


@pytest.mark.parametrize("trouble", [break_key, lose_key, widen_key, damage, replace])
def test_a_store_that_does_not_open_is_left_alone_and_reported_once(place: Any,
                                                                    trouble: Any) -> None:
    with place.open():
        pass
    trouble(place)
    before, told = place.files(), list[str]()
    assert a_turn(place, told) == (None, (), ())
    assert place.files() == before
    assert len(told) == 1 and told[0].startswith("going on without context: ")


def test_a_store_that_is_switched_off_says_nothing(place: Any) -> None:
    told: list[str] = []
    off = place.with_settings(enabled=False)
    assert a_turn(off, told) == (None, (), ())
    assert told == [] and not off.path.exists()


def test_a_store_in_other_hands_is_reported(place: Any) -> None:
    with place.open():
        pass
    lock, told = StoreLock(place.settings.directory), list[str]()
    lock.take()
    assert a_turn(place, told)[0] is None
    assert len(told) == 1 and "another process" in told[0]
    lock.release()


def test_a_stuck_store_delays_no_turn_beyond_its_deadline(place: Any) -> None:
    told, stuck = list[str](), threading.Event()

    def jam(store: BestEffortStore) -> None:
        assert store.store
        store.store.run(lambda _session: stuck.wait(3))
    started = time.monotonic()
    row, texts, carried = a_turn(place, told, deadline_s=0.2, between=jam)
    waited = time.monotonic() - started
    stuck.set()
    assert (row, texts, carried) == (None, (), ())
    assert told == ["the context store is too slow; some context is not kept"]
    assert waited < 6


def test_the_loop_is_never_blocked_while_the_store_works(place: Any) -> None:
    async def scenario() -> float:
        store = BestEffortStore(place.settings, print, place.surroundings)
        worst, last = 0.0, time.perf_counter()
        calls = []
        for n in range(200):
            calls.append(store.append("d1", n % 50, "utterance", [NewItem("said", "x" * 5000)]))
            await asyncio.sleep(0)
            now = time.perf_counter()
            worst, last = max(worst, now - last), now
        await asyncio.gather(*calls)
        await store.close()
        return worst
    assert asyncio.run(scenario()) < 0.25


def test_more_calls_than_may_wait_are_dropped_not_piled_up(place: Any) -> None:
    told, stuck = list[str](), threading.Event()

    async def scenario() -> list[Any]:
        store = BestEffortStore(place.settings, told.append, place.surroundings, 2.0)
        await store.start()
        assert store.store
        store.store.run(lambda _session: stuck.wait(1))
        calls = [store.append("d1", n % 1000, "wake") for n in range(400)]
        dropped = sum(call.done() for call in calls)
        stuck.set()
        rows = await asyncio.gather(*calls)
        assert dropped == 400 - 256
        await store.close()
        return rows
    rows = asyncio.run(scenario())
    assert sum(row is None for row in rows) >= 144
    assert told == ["the context store is too slow; some context is not kept"]


def test_a_malformed_call_breaks_nothing_and_shows_no_text(place: Any, caplog: Any) -> None:
    told: list[str] = []

    async def scenario() -> None:
        store = BestEffortStore(place.settings, told.append, place.surroundings)
        assert await store.append("d1", 0, "call Meg Bauer!") is None
        assert await store.append("d1", 0, "wake") is not None
        await store.close()
    asyncio.run(scenario())
    assert len(told) == 1 and "Bauer" not in told[0] + caplog.text

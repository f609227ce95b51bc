"""Vectors of the catalogue: computed once, kept encrypted, updated on change."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from agent.context import Entry
from agent.context.embedding import CATALOGUE, pack, unpack
from agent.context.library import Library, key_of

MANY = tuple(Entry(f"Name {n}", "contact", "friend") for n in range(300))


def run(scenario: Any) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 30))


async def opened(bench: Any, entries: Any) -> list[str]:
    """What had to be encoded to know these entries."""
    bench.encoder.encoded.clear()
    await bench.open(entries)
    return list(bench.encoder.encoded)


def test_a_second_start_computes_nothing_and_a_change_only_what_changed(bench: Any) -> None:
    async def scenario() -> None:
        assert len(await opened(bench, MANY)) == 300
        first = bench.expecting._known.library.vectors
        await bench.close()
        assert await opened(bench, MANY) == []
        assert (bench.expecting._known.library.vectors * first).sum(axis=1).min() > 0.999
        await bench.close()
        changed = (*MANY[2:], Entry("Name 1", "contact", "plumber"), Entry("New", "place"))
        assert sorted(await opened(bench, changed)) == ["New", "plumber: Name 1"]
        kept = await bench.store.store.catalogue(CATALOGUE)
        assert {e.key for e in kept} == {key_of(e, "test") for e in changed}
        await bench.close()
    run(scenario())


def test_kept_vectors_are_encrypted(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open(MANY)
        vector = pack(bench.expecting._known.library.vectors[0])
        key = key_of(MANY[0], "test").encode()
        await bench.close()
        for path in bench.store_settings.directory.iterdir():
            data = path.read_bytes()
            assert vector[4:100] not in data and key not in data
    run(scenario())


def test_without_a_store_vectors_are_in_memory_alone(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open(())
        bench.store.store._engine.stop()
        await bench.expecting.know(bench.expecting._known.sayable.bias, MANY)
        await bench.expecting.learnt()
        assert bench.expecting._known.library.vectors is not None
        assert "vectors are not kept" in str([getattr(e, "message", "") for e in bench.events])
        await bench.close()
    run(scenario())


def test_packing_loses_next_to_nothing() -> None:
    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    assert len(pack(vector)) == 388
    assert float(unpack(pack(vector)) @ vector) > 0.999
    assert not unpack(pack(np.zeros(384, np.float32))).any()


@pytest.mark.parametrize("other", [Entry("Meg", "place", "x"), Entry("Meg", "contact", "y"),
                                   Entry("Mag", "contact", "x")])
def test_any_change_gives_another_key(other: Entry) -> None:
    entry = Entry("Meg", "contact", "x")
    assert key_of(entry, "a") != key_of(other, "a")
    assert key_of(entry, "a") != key_of(entry, "b")


def test_an_entry_given_twice_counts_once() -> None:
    assert len(Library.of((*MANY, *MANY))) == 300

"""Catalogues of several devices: shared through the cloud, kept in the encrypted store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from agent.store import ContextStore, Settings
from agent.sync.catalogues import Exchange, HouseholdCatalogues
from agent.sync.faults import CloudError, Kind
from agent.sync.household.generations import RemovedError
from agent.sync.household.membership import create
from agent.sync.household.ratchet import EPOCH_MS
from agent.sync.household.shelf import ReplayedError

NOW = 500_000 * EPOCH_MS + 1000
CANARY = "Wilhelmina Canary-Featherstonehaugh"


async def nowhere():
    return None


def catalogues(device, cloud, opened=nowhere) -> HouseholdCatalogues:
    return HouseholdCatalogues(Exchange(cloud, device.keyring), opened)


def test_what_changes_on_one_device_reaches_the_others_once(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        one, two = catalogues(kitchen, cloud), catalogues(hall, cloud)
        assert not await one.exchange({"contacts": CANARY})
        assert await two.exchange({"places": "Cafe"})
        assert two.documents() == {"contacts": (CANARY,)}
        assert two.changed() and not two.changed()
        assert await one.exchange({"contacts": CANARY})
        assert one.documents() == {"places": ("Cafe",)}
        assert not await two.exchange({"places": "Cafe"})
        await one.exchange({"contacts": "new"})
        assert await two.exchange({})  # and its places are no more
        assert two.documents() == {"contacts": ("new",)}
        assert await one.exchange({"contacts": "new"})
        assert one.documents() == {}

    asyncio.run(steps())
    assert CANARY.encode() not in cloud.content


def test_a_look_that_finds_nothing_new_is_one_request_and_no_write(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        one, two = catalogues(kitchen, cloud), catalogues(hall, cloud)
        for _ in range(2):
            await one.exchange({"contacts": CANARY})
            await two.exchange({})
        cloud.requests.clear()
        await one.exchange({"contacts": CANARY})
        await two.exchange({})
        assert cloud.requests == ["get", "get"]

    asyncio.run(steps())


def test_only_new_documents_are_fetched(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        one, two = catalogues(kitchen, cloud), catalogues(hall, cloud)
        await one.exchange({"contacts": "a", "places": "b", "devices": "c"})
        await two.exchange({})
        await one.exchange({"contacts": "a", "places": "new", "devices": "c"})
        cloud.requests.clear()
        await two.exchange({})
        assert cloud.requests.count("get") == 2  # the index, and the one new part
        assert two.documents() == {"contacts": ("a",), "places": ("new",), "devices": ("c",)}

    asyncio.run(steps())


def test_the_last_who_wrote_comes_first(devices, cloud):
    kitchen, hall, attic = devices("Kitchen", "Hall", "Attic")

    async def steps():
        one, two, three = (catalogues(d, cloud) for d in (kitchen, hall, attic))
        await one.exchange({"contacts": "kitchen"})
        await two.exchange({"contacts": "hall"})
        await three.exchange({})
        assert three.documents() == {"contacts": ("hall", "kitchen")}
        await one.exchange({"contacts": "kitchen again"})
        await three.exchange({})
        assert three.documents() == {"contacts": ("kitchen again", "hall")}

    asyncio.run(steps())


def test_the_store_has_them_without_a_network_and_no_file_shows_them(devices, cloud, tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")
    settings = Settings(directory=tmp_path / "store")

    async def first():
        await catalogues(kitchen, cloud).exchange({"contacts": CANARY, "places": "Cafe"})
        async with await ContextStore.open(settings) as store:
            async def opened():
                return store
            two = catalogues(hall, cloud, opened)
            await two.exchange({})
            # And again after a restart, with one gone.
            await catalogues(kitchen, cloud).exchange({"contacts": CANARY})
            await catalogues(hall, cloud, opened).exchange({})

    async def second():
        def fail(what):
            raise CloudError(Kind.UNREACHABLE, "the cloud table cannot be reached")
        cloud.before = fail
        async with await ContextStore.open(settings) as store:
            async def opened():
                return store
            two = catalogues(hall, cloud, opened)
            await two.load()
            assert two.changed()
            assert two.documents() == {"contacts": (CANARY,)}
            with pytest.raises(CloudError):
                await two.exchange({})
            assert two.documents() == {"contacts": (CANARY,)}
            cloud.before = lambda what: None
            cloud.requests.clear()
            assert not await two.exchange({})
            assert cloud.requests == ["get"]

    asyncio.run(first())
    asyncio.run(second())
    held = b"".join(p.read_bytes() for p in Path(tmp_path).rglob("*") if p.is_file())
    assert CANARY.encode() not in held


def test_a_replayed_index_is_refused_after_a_restart_too(devices, cloud, tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        async with await ContextStore.open(Settings(directory=tmp_path / "store")) as store:
            async def opened():
                return store
            one = catalogues(kitchen, cloud)
            await one.exchange({"contacts": "old"})
            yesterday = dict(cloud.rows)
            await one.exchange({"contacts": "new"})
            await catalogues(hall, cloud, opened).exchange({})
            cloud.rows = yesterday
            again = catalogues(hall, cloud, opened)
            with pytest.raises(ReplayedError):
                await again.exchange({})
            assert again.documents() == {"contacts": ("new",)}

    asyncio.run(steps())


def test_after_a_removal_its_documents_are_gone_and_the_others_stay(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")

    async def steps():
        one, two, three = (catalogues(d, cloud) for d in (kitchen, hall, lost))
        await one.exchange({"contacts": "kitchen"})
        await three.exchange({"contacts": "lost"})
        await two.exchange({"contacts": "hall"})
        kitchen.generations.remove(lost.member, NOW)
        assert await two.exchange({"contacts": "hall"})
        assert two.documents() == {"contacts": ("kitchen",)}
        await one.exchange({"contacts": "kitchen"})
        assert one.documents() == {"contacts": ("hall",)}
        with pytest.raises(RemovedError):
            await three.exchange({"contacts": "lost, still trying"})
        # The new keys of both are known to each other, without a word from anybody.
        assert await two.exchange({"contacts": "hall"}) is False
        for mine, other in ((kitchen, hall), (hall, kitchen)):
            seen = mine.shelf.read().index.member(other.keyring.device)
            assert seen == other.member

    asyncio.run(steps())


def test_documents_of_a_household_that_was_left_are_not_mixed_with_the_next(devices, cloud,
                                                                           tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        async with await ContextStore.open(Settings(directory=tmp_path / "store")) as store:
            async def opened():
                return store
            await catalogues(kitchen, cloud).exchange({"contacts": "first"})
            await catalogues(hall, cloud, opened).exchange({})
            hall.keyring.forget()
            hall.keyring.file.create(create("Other", "Hall", 500_000))
            again = catalogues(hall, cloud, opened)
            await again.exchange({"places": "x"})
            assert again.documents() == {}

    asyncio.run(steps())

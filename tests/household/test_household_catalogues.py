"""Catalogues of several devices: shared through the cloud, kept in the encrypted store."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from agent.store import ContextStore, Settings
from agent.sync.catalogues import LOOK_EVERY_MS, HouseholdCatalogues
from agent.sync.faults import CloudError, Kind
from agent.sync.household.generations import RemovedError
from agent.sync.household.membership import create
from agent.sync.household.ratchet import EPOCH_MS
from agent.sync.household.sealer import ReplayedError

NOW = 500_000 * EPOCH_MS + 1000
CANARY = "Wilhelmina Canary-Featherstonehaugh"


class Shared:
    """One device's documents, as its sync thread and its agent see them."""

    def __init__(self, device, cloud, store=None) -> None:
        self.device, self.cloud = device, cloud
        self.catalogues = HouseholdCatalogues(lambda: store)
        self.now = NOW

    def exchange(self, own: dict[str, str]) -> bool:
        """One look, a while after the last; whether anything changed."""
        self.now += LOOK_EVERY_MS
        self.catalogues.offer(own)
        self.catalogues.exchange(self.cloud, self.device.keyring, self.now)
        return self.catalogues.changed()

    def documents(self) -> dict[str, tuple[str, ...]]:
        return dict(self.catalogues.documents())


def test_what_changes_on_one_device_reaches_the_others_once(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    one, two = Shared(kitchen, cloud), Shared(hall, cloud)
    assert not one.exchange({"contacts": CANARY})
    assert two.exchange({"places": "Cafe"})
    assert two.documents() == {"contacts": (CANARY,)}
    assert one.exchange({"contacts": CANARY})
    assert one.documents() == {"places": ("Cafe",)}
    assert not two.exchange({"places": "Cafe"})
    one.exchange({"contacts": "new"})
    assert two.exchange({})  # and its places are no more
    assert two.documents() == {"contacts": ("new",)}
    assert one.exchange({"contacts": "new"})
    assert one.documents() == {}

    assert CANARY.encode() not in cloud.content


def test_a_look_that_finds_nothing_new_is_one_request_and_no_write(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    one, two = Shared(kitchen, cloud), Shared(hall, cloud)
    for _ in range(2):
        one.exchange({"contacts": CANARY})
        two.exchange({})
    cloud.requests.clear()
    one.exchange({"contacts": CANARY})
    two.exchange({})
    assert cloud.requests == ["get", "get"]


def test_only_new_documents_are_fetched(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    one, two = Shared(kitchen, cloud), Shared(hall, cloud)
    one.exchange({"contacts": "a", "places": "b", "devices": "c"})
    two.exchange({})
    one.exchange({"contacts": "a", "places": "new", "devices": "c"})
    cloud.requests.clear()
    two.exchange({})
    assert cloud.requests.count("get") == 2  # the index, and the one new part
    assert two.documents() == {"contacts": ("a",), "places": ("new",), "devices": ("c",)}


def test_the_last_who_wrote_comes_first(devices, cloud):
    kitchen, hall, attic = devices("Kitchen", "Hall", "Attic")
    one, two, three = (Shared(d, cloud) for d in (kitchen, hall, attic))
    one.exchange({"contacts": "kitchen"})
    two.exchange({"contacts": "hall"})
    three.exchange({})
    assert three.documents() == {"contacts": ("hall", "kitchen")}
    one.exchange({"contacts": "kitchen again"})
    three.exchange({})
    assert three.documents() == {"contacts": ("kitchen again", "hall")}


def test_the_store_has_them_without_a_network_and_no_file_shows_them(devices, cloud, tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")
    settings = Settings(directory=tmp_path / "store")

    async def first():
        Shared(kitchen, cloud).exchange({"contacts": CANARY, "places": "Cafe"})
        async with await ContextStore.open(settings) as store:
            two = Shared(hall, cloud, store)
            two.exchange({})
            # And again after a restart, with one gone.
            Shared(kitchen, cloud).exchange({"contacts": CANARY})
            Shared(hall, cloud, store).exchange({})

    async def second():
        def fail(what):
            raise CloudError(Kind.UNREACHABLE, "the cloud table cannot be reached")
        cloud.before = fail
        async with await ContextStore.open(settings) as store:
            two = Shared(hall, cloud, store)
            two.catalogues.load()
            assert two.catalogues.changed()
            assert two.documents() == {"contacts": (CANARY,)}
            with pytest.raises(CloudError):
                two.exchange({})
            assert two.documents() == {"contacts": (CANARY,)}
            cloud.before = lambda what: None
            cloud.requests.clear()
            assert not two.exchange({})
            assert cloud.requests == ["get"]

    asyncio.run(first())
    asyncio.run(second())
    held = b"".join(p.read_bytes() for p in Path(tmp_path).rglob("*") if p.is_file())
    assert CANARY.encode() not in held


def test_a_replayed_index_is_refused_after_a_restart_too(devices, cloud, tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        async with await ContextStore.open(Settings(directory=tmp_path / "store")) as store:
            one = Shared(kitchen, cloud)
            one.exchange({"contacts": "old"})
            yesterday = dict(cloud.rows)
            one.exchange({"contacts": "new"})
            Shared(hall, cloud, store).exchange({})
            cloud.rows = yesterday
            again = Shared(hall, cloud, store)
            with pytest.raises(ReplayedError):
                again.exchange({})
            assert again.documents() == {"contacts": ("new",)}

    asyncio.run(steps())


def test_after_a_removal_its_documents_are_gone_and_the_others_stay(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    one, two, three = (Shared(d, cloud) for d in (kitchen, hall, lost))
    one.exchange({"contacts": "kitchen"})
    three.exchange({"contacts": "lost"})
    two.exchange({"contacts": "hall"})
    kitchen.generations.remove(lost.member, NOW)
    assert two.exchange({"contacts": "hall"})
    assert two.documents() == {"contacts": ("kitchen",)}
    one.exchange({"contacts": "kitchen"})
    assert one.documents() == {"contacts": ("hall",)}
    with pytest.raises(RemovedError):
        three.exchange({"contacts": "lost, still trying"})
    # The new keys of both are known to each other, without a word from anybody.
    assert two.exchange({"contacts": "hall"}) is False
    for mine, other in ((kitchen, hall), (hall, kitchen)):
        seen = mine.shelf.read().index.member(other.keyring.device)
        assert seen == other.member


def test_documents_of_a_household_that_was_left_are_not_mixed_with_the_next(devices, cloud,
                                                                           tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        async with await ContextStore.open(Settings(directory=tmp_path / "store")) as store:
            Shared(kitchen, cloud).exchange({"contacts": "first"})
            Shared(hall, cloud, store).exchange({})
            hall.keyring.forget()
            hall.keyring.file.create(create("Other", "Hall", 500_000))
            again = Shared(hall, cloud, store)
            again.exchange({"places": "x"})
            assert again.documents() == {}

    asyncio.run(steps())


def test_the_cloud_is_not_asked_at_every_turn(devices, cloud):
    (kitchen,) = devices("Kitchen")
    shared = HouseholdCatalogues(lambda: None)
    shared.exchange(cloud, kitchen.keyring, NOW)
    assert cloud.requests == []  # nobody has said yet what this device's own are
    assert shared.offer({"contacts": "a"})
    for turn in range(50):
        shared.exchange(cloud, kitchen.keyring, NOW + 1000 * turn)
        assert not shared.offer({"contacts": "a"})
    asked = cloud.requests.count("get")
    assert cloud.requests.count("transact") == 1
    assert shared.offer({"contacts": "b"})
    shared.exchange(cloud, kitchen.keyring, NOW + 50_000)
    assert cloud.requests.count("transact") == 2
    assert asked <= 3
    shared.exchange(cloud, kitchen.keyring, NOW - 10 * LOOK_EVERY_MS)  # a clock set back
    assert cloud.requests[-1] == "get"


def test_what_is_too_large_does_not_keep_the_rest_back(devices, cloud, caplog):
    kitchen, hall = devices("Kitchen", "Hall")
    large = os.urandom(1_000_000).hex()
    Shared(kitchen, cloud).exchange({"contacts": large, "places": "Cafe"})
    two = Shared(hall, cloud)
    two.exchange({})
    assert two.documents() == {"places": ("Cafe",)}
    assert "contacts are too large" in caplog.text


def test_a_device_that_left_drops_what_the_others_shared(devices, cloud, tmp_path):
    kitchen, hall = devices("Kitchen", "Hall")

    async def steps():
        async with await ContextStore.open(Settings(directory=tmp_path / "store")) as store:
            Shared(kitchen, cloud).exchange({"contacts": CANARY})
            two = Shared(hall, cloud, store)
            two.exchange({})
            hall.keyring.forget()
            two.catalogues.drop()
            assert two.catalogues.changed() and two.documents() == {}
            assert [e.key for e in await store.catalogue("household")] == ["state"]

    asyncio.run(steps())

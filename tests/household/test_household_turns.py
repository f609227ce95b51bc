"""Turns under a household's real keys: shared, expired, and after a device was removed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from agent.store import ContextStore, NewItem, Settings, new_dialogue_id
from agent.sync.clock import CloudClock
from agent.sync.household.ratchet import EPOCH_MS, hour_of
from agent.sync.intake import Household
from agent.sync.ledger import Ledger
from agent.sync.pulling import Puller
from agent.sync.pushing import Pusher
from agent.sync.status import Status

CANARY = "call Wilhelmina Canary-Featherstonehaugh"
ASKED = "wake utterance intent:call speak expect-speech"


class Member:
    """One device with its store, as sync's threads see it."""

    def __init__(self, device, store: ContextStore, cloud) -> None:
        self.device, self.store = device, store
        self.clock = CloudClock()
        self.status = Status(None)
        near = Household(store, cloud, device.keyring, self.clock, Ledger(), self.status)
        self.pusher, self.puller = Pusher(near), Puller(near, 3600)

    async def push(self) -> None:
        await asyncio.to_thread(self.pusher.drain)

    async def pull(self):
        return await asyncio.to_thread(self.puller.pull)


@pytest.fixture
def held(devices, cloud, tmp_path: Path):
    """Runs a scenario over a household's devices with open stores."""

    def run(scenario, *names: str) -> None:
        async def steps() -> None:
            async with AsyncExitStack() as stack:
                members = []
                for device in devices(*names, hour=hour_of(CloudClock().now_ms())):
                    settings = Settings(directory=tmp_path / f"store-{len(members)}", outbox=True)
                    store = await stack.enter_async_context(await ContextStore.open(settings))
                    members.append(Member(device, store, cloud))
                await scenario(*members)
        asyncio.run(steps())

    return run


def test_a_question_from_the_kitchen_is_open_in_the_hall(held, cloud):
    async def scenario(kitchen, hall):
        dialogue = new_dialogue_id()
        await kitchen.store.append(dialogue, 0, ASKED, [NewItem("said", CANARY)])
        await kitchen.push()
        (row,) = await hall.pull()
        assert row.expects_speech
        found = await hall.store.get(dialogue, 0)
        assert [i.text for i in await hall.store.open_items(found)] == [CANARY]
        assert CANARY.encode() not in cloud.content and b"intent" not in cloud.content

    held(scenario, "Kitchen", "Hall")


def test_after_their_hour_the_words_are_noise_to_every_device(held, cloud):
    async def scenario(kitchen, hall):
        await kitchen.store.append(new_dialogue_id(), 0, ASKED, [NewItem("said", CANARY)])
        await kitchen.push()
        # What the cloud kept is offered when the text key has died; what happened is still told.
        hall.device.keyring.confirm(hall.clock.now_ms() + 2 * EPOCH_MS)
        (row,) = await hall.pull()
        assert row.events == tuple(ASKED.split())
        assert await hall.store.open_items(row) == ()
        assert hall.status.report.refused_altered == 0

    held(scenario, "Kitchen", "Hall")


def test_turns_go_on_after_a_removal_and_the_removed_device_sees_none(held, cloud):
    async def scenario(kitchen, hall, lost):
        old = new_dialogue_id()
        await kitchen.store.append(old, 0, ASKED, [NewItem("said", CANARY)])
        await kitchen.push()
        await hall.pull()
        kitchen.device.generations.remove(lost.device.member, kitchen.clock.now_ms())
        await kitchen.store.append(old, 1, ASKED, [NewItem("said", "Bauer")])
        await kitchen.push()
        assert await hall.pull() == ()
        assert hall.status.report.unreadable == 1
        assert await lost.pull() != () or lost.status.report.unreadable
        hall.device.generations.follow()
        (row,) = await hall.pull()
        assert row.turn == 1
        assert [i.text for i in await hall.store.open_items(await hall.store.get(old, 1))] == [
            "Bauer"]
        # What the hall had of the first turn it can carry on, under the new keys.
        await hall.store.append(old, 0, "speak", [NewItem("reply", "Meg Bauer?")])
        await hall.push()
        await kitchen.pull()
        texts = [i.text for i in await kitchen.store.open_items(await kitchen.store.get(old, 0))]
        assert texts == [CANARY, "Meg Bauer?"]
        before = lost.status.report.unreadable
        await lost.pull()
        assert await lost.store.get(old, 1) is None
        assert lost.status.report.unreadable > before

    held(scenario, "Kitchen", "Hall", "Lost")

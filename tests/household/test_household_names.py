"""The running agent's names: its own, and what the household's other devices share."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from agent.app import Names
from agent.config import Config
from agent.dialogue.catalogue.sharing import Documents
from agent.dialogue.settings import Settings as DialogueSettings
from agent.events import EventBus
from agent.sharing import Sharing
from agent.store import BestEffortStore
from agent.store.settings import Settings as StoreSettings
from agent.sync.cloud import template
from agent.sync.household.file import HouseholdFile
from agent.sync.household.membership import create
from agent.sync.household.ratchet import hour_of
from agent.sync.settings import Settings as SyncSettings
from tests.sync.table_server import TableServer

PLACES = '[[place]]\nname = "{}"\nkind = "coffee shop"\n'


def changed(names: Names, others: Documents) -> bool:
    """As the agent does now and then; whether anything was read."""
    stale = names.stale(others)
    if stale:
        names.read(others)
    return stale


def test_names_of_others_are_taken_up_and_dropped_as_they_come_and_go(tmp_path):
    path = tmp_path / "places.toml"
    path.write_text(PLACES.format("Blue Door"))
    names = Names(DialogueSettings(places=path), ("decaf",), lambda _: None)
    assert names.own == {"places": PLACES.format("Blue Door"), "preferences": '["decaf"]'}
    assert not changed(names, {})
    others = {"places": (PLACES.format("Red Lion"),), "preferences": ('["window seats"]',)}
    assert changed(names, others)
    assert not changed(names, dict(others))
    assert [p.name for p in names.catalogue.places.places] == ["Blue Door", "Red Lion"]
    assert names.preferences == ("decaf", "window seats")
    assert names.own == {"places": PLACES.format("Blue Door"), "preferences": '["decaf"]'}
    path.write_text(PLACES.format("Green Gate Inn"))
    assert changed(names, others)
    assert [p.name for p in names.catalogue.places.places] == ["Green Gate Inn", "Red Lion"]
    assert changed(names, {})
    assert [p.name for p in names.catalogue.places.places] == ["Green Gate Inn"]


def test_what_cannot_be_read_is_told_once(tmp_path):
    told: list[str] = []
    names = Names(DialogueSettings(), (), told.append)
    assert told == []
    changed(names, {"places": ("[[place]",)})
    changed(names, {"places": ("[[place]",)})
    assert len(told) == 1 and "a device of the household" in told[0]


@pytest.fixture
def service():
    server = TableServer().start()
    for spec in template.tables("voice-agent"):
        server.service.call("CreateTable", spec.creation)
    yield server
    server.stop()


def config(folder: Path, service: TableServer) -> Config:
    folder.mkdir()
    credentials = folder / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIDTEST\n"
                           "aws_secret_access_key = secret\n")
    credentials.chmod(0o600)
    return Config(store=StoreSettings(directory=folder / "state"),
                  sync=SyncSettings(enabled=True, region="local", endpoint=service.endpoint,
                                    credentials=credentials))


def paired(one: Path, two: Path) -> None:
    """Two devices of one household, as after pairing."""
    from tests.household.conftest import another

    first = create("Elm Street", "Kitchen", hour_of(time.time_ns() // 1_000_000))
    first, second = another(first, "Hall")
    for folder, membership in ((one, first), (two, second)):
        folder.mkdir()
        HouseholdFile(folder, {}).create(membership)


def test_two_running_agents_share_their_names(tmp_path, service):
    settings = [config(tmp_path / name, service) for name in ("kitchen", "hall")]
    paired(*(s.store.directory for s in settings))
    texts = {"places": PLACES.format("Blue Door")}

    async def running(one: Config, own: dict[str, str], done) -> dict[str, tuple[str, ...]]:
        store = BestEffortStore(one.store, print)
        agent = Sharing(one, store, EventBus())
        await store.start()
        agent.start()
        found = await agent.documents(own)
        until = time.monotonic() + 20
        while not done(found) and time.monotonic() < until:
            await asyncio.sleep(0.05)
            found = await agent.documents(own)
        await agent.close()
        await store.close()
        return dict(found)

    def published(_) -> bool:
        return "~i" in repr([vars(table) for table in service.service.tables.values()])

    assert asyncio.run(running(settings[0], texts, published)) == {}
    assert asyncio.run(running(settings[1], {}, bool)) == {"places": (texts["places"],)}
    # And it is there at the next start, without the cloud.
    service.gate.secrets.clear()
    assert asyncio.run(running(settings[1], {}, bool)) == {"places": (texts["places"],)}


def test_the_keys_step_though_nobody_speaks_and_the_cloud_is_away(tmp_path, service):
    one = config(tmp_path / "kitchen", service)
    now = hour_of(time.time_ns() // 1_000_000)
    one.store.directory.mkdir()
    file = HouseholdFile(one.store.directory, {})
    file.create(create("Elm Street", "Kitchen", now - 30))
    service.stop()
    sharing = Sharing(one, BestEffortStore(one.store, print), EventBus())
    asyncio.run(sharing.documents({}))
    assert file.read().household.chain.hour - now in (0, 1)


def test_without_sync_nothing_is_shared(tmp_path):
    sharing = Sharing(Config(store=StoreSettings(directory=tmp_path)),
                      BestEffortStore(StoreSettings(directory=tmp_path), print), EventBus())
    assert asyncio.run(sharing.documents({"places": "x"})) == {}
    assert list(tmp_path.iterdir()) == []

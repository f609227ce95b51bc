"""Devices of a household with real stores, and a table service that they share."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from agent.store import NewItem, Settings, interactions, opening, session
from agent.store.settings import Retention
from agent.sync.clock import CloudClock
from agent.sync.credentials import make_client
from agent.sync.dynamodb import DynamoDb
from agent.sync.intake import Household
from agent.sync.ledger import Ledger
from agent.sync.pulling import Puller
from agent.sync.pushing import Pusher
from agent.sync.settings import Settings as SyncSettings
from agent.sync.status import Status
from tests.sync.rings import Ring
from tests.sync.table_server import TableServer

KEYS = [{"AttributeName": "household", "KeyType": "HASH"},
        {"AttributeName": "name", "KeyType": "RANGE"}]
TYPES = [{"AttributeName": "household", "AttributeType": "S"},
         {"AttributeName": "name", "AttributeType": "S"}]


class Clocks:
    """All clocks of one device; the world's time and this device's error."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.boot = "boot-1"
        self.booted = world.now - 1_000_000
        self.wrong = 0
        """Milliseconds by which this device's wall clock is ahead."""

    def boot_id(self) -> str:
        return self.boot

    def boot_ms(self) -> int:
        return self.world.now - self.booted

    def wall_ms(self) -> int:
        return self.world.now + self.wrong

    def reboot(self) -> None:
        self.boot = f"boot-{int(self.boot[5:]) + 1}"
        self.booted = self.world.now - 10_000


class World:
    """The time that passes everywhere."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def pass_s(self, seconds: float) -> None:
        self.now += round(seconds * 1000)


class Inline:
    """A store's session on this thread, as the sync threads see a store."""

    def __init__(self, found: Any) -> None:
        self.session = found

    def submit(self, job: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(job(self.session))
        except BaseException as error:
            done.set_exception(error)
        return done


class Device:
    """One device of the household: a real store, its keys, and sync without its threads."""

    def __init__(self, name: str, folder: Path, world: World, backend: Any,
                 secret: bytes = b"household one") -> None:
        self.name, self.folder, self.world, self.backend = name, folder, world, backend
        self.clocks = Clocks(world)
        self.ring = Ring(name, secret, lambda: self.clocks.wall_ms())
        self.memory = folder / "memory"
        self.memory.mkdir(parents=True, mode=0o700)
        self.settings = Settings(directory=folder / "state", outbox=True,
                                 retention=Retention(epoch_s=60))
        self.open()

    def open(self) -> None:
        self.settings.directory.mkdir(mode=0o700, exist_ok=True)
        self.session = opening.open_session(
            self.settings, clock=self.clocks, environ={"XDG_RUNTIME_DIR": str(self.memory)})
        self.status = Status()
        self.house = Household(Inline(self.session), self.backend, self.ring,
                               CloudClock(self.clocks.wall_ms), Ledger(), self.status)
        self.pusher, self.puller = Pusher(self.house), Puller(self.house, 3600.0)

    def restart(self) -> None:
        """As after a kill: the store and the keys in memory stay, all else is forgotten."""
        session.close(self.session)
        self.open()

    def reboot(self) -> None:
        self.power_off()
        self.boot()

    def power_off(self) -> None:
        session.close(self.session)

    def boot(self) -> None:
        shutil.rmtree(self.memory)
        self.memory.mkdir(mode=0o700)
        self.clocks.reboot()
        self.open()

    def say(self, dialogue: str, turn: int = 0, text: str = "hello", kind: str = "said",
            event: str = "utterance") -> Any:
        return interactions.append(self.session, dialogue, turn, event, [NewItem(kind, text)])

    def push(self) -> int:
        return self.pusher.drain()

    def pull(self, full: bool = True) -> Any:
        return self.puller.pull(full)

    def row(self, dialogue: str, turn: int = 0) -> Any:
        return interactions.get(self.session, dialogue, turn)

    def texts(self, dialogue: str, turn: int = 0) -> list[str]:
        row = self.row(dialogue, turn)
        return [i.text for i in interactions.open_items(self.session, row)] if row else []

    def content(self) -> dict[str, Any]:
        """Everything that two devices should agree on."""
        found = {}
        for (row_id,) in self.session.connection.execute(
                "SELECT id FROM interaction ORDER BY id").fetchall():
            dialogue, _, turn = row_id.rpartition(".")
            row = interactions.get(self.session, dialogue, int(turn))
            if row is not None:
                found[row_id] = (row.events, tuple(sorted(row.item_ids)), row.deleted,
                                 tuple(self.texts(dialogue, int(turn))))
        return found


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="sync-test-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials"
    write_credentials(path)
    return path


def write_credentials(path: Path, key: str = "AKIDTEST", secret: str = "secret") -> None:
    path.touch(0o600)
    path.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")


@pytest.fixture(scope="session")
def table_server() -> Iterator[TableServer]:
    """One table service for all tests; each household has its own partition."""
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    server = TableServer().start()
    yield server
    server.stop()


def sync_settings(endpoint: str, credentials: Path, **more: Any) -> SyncSettings:
    known = SyncSettings(enabled=True, region="local", endpoint=endpoint, credentials=credentials,
                         connect_timeout_s=1.0, read_timeout_s=2.0)
    return dataclasses.replace(known, **more)


_CLIENTS: dict[str, Any] = {}


def shared_client(settings: SyncSettings) -> Any:
    """One client a service: making one takes longer than most tests."""
    if settings.endpoint not in _CLIENTS:
        _CLIENTS[settings.endpoint] = make_client(settings)
    return _CLIENTS[settings.endpoint]


def make_tables(settings: SyncSettings) -> None:
    client = shared_client(settings)
    for name in ("interaction", "item"):
        client.create_table(TableName=settings.table(name), KeySchema=KEYS,
                            AttributeDefinitions=TYPES, BillingMode="PAY_PER_REQUEST")
        client.update_time_to_live(TableName=settings.table(name), TimeToLiveSpecification={
            "Enabled": True, "AttributeName": "expires"})


@pytest.fixture
def cloud(table_server: TableServer, credentials: Path) -> Iterator[SyncSettings]:
    """Settings of two new tables."""
    name = credentials.parent.name
    settings = sync_settings(table_server.endpoint, credentials, tables=name)
    make_tables(settings)
    yield settings
    gate = table_server.gate
    gate.expired.clear()
    gate.refused.clear()
    gate.now = time.time
    gate.region = "local"
    gate.secrets = {"AKIDTEST": "secret"}
    for table in ("interaction", "item"):
        table_server.service.tables.pop(settings.table(table), None)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def household(tmp_path: Path, cloud: SyncSettings, world: World) -> Iterator[Any]:
    """``household("kitchen", "hall")``: devices that share the cloud's tables."""
    made: list[Device] = []

    def make(*names: str, secret: bytes = b"household one") -> list[Device]:
        some = [Device(name, tmp_path / f"{name}{len(made)}{secret[-3:].hex()}", world,
                       DynamoDb(cloud, Ring(name, secret).household, client=shared_client),
                       secret) for name in names]
        made.extend(some)
        return some

    yield make
    for device in made:
        session.close(device.session)


@pytest.fixture
def stored(table_server: TableServer, cloud: SyncSettings) -> Any:
    """``stored("item")``: the rows of a table as the service holds them, to look at and alter."""
    return lambda table: table_server.service.tables[cloud.table(table)].parts

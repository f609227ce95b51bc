"""Thousands of interactions, three devices, a network that fails in every way, and kills.

Afterwards the cloud and all devices hold the same, every text exactly once, and every text whose
write a store had acknowledged, unless it was deleted.
"""

from __future__ import annotations

import json
import random
import secrets
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agent.store import interactions, opening, rows, session
from agent.sync.clock import CloudClock
from agent.sync.dynamodb import DynamoDb
from agent.sync.intake import Household
from agent.sync.ledger import Ledger
from agent.sync.pulling import Puller
from agent.sync.pushing import Pusher
from agent.sync.status import Status
from tests.sync import soak_device
from tests.sync.conftest import Inline, make_tables, sync_settings
from tests.sync.fault_proxy import FaultProxy, Faults
from tests.sync.table_server import TableServer

NAMES = ("kitchen", "hall", "study")
ROOT = Path(__file__).parents[2]


class Soak:
    """The devices' processes, and the hand that kills them."""

    def __init__(self, folder: Path, endpoint: str, credentials: Path, tables: str,
                 share: int) -> None:
        self.folder, self.endpoint, self.credentials = folder, endpoint, credentials
        self.tables, self.share = tables, share
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.kills = 0
        for name in NAMES:
            (folder / name / "memory").mkdir(parents=True, mode=0o700)

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, "-m", "tests.sync.soak_device", name, str(self.folder / name),
             self.endpoint, str(self.credentials), self.tables, str(self.share)], cwd=ROOT)

    def journal(self, name: str) -> list[list[str]]:
        path = self.folder / name / "journal"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split() for line in lines if line]

    def progress(self) -> int:
        return sum(line[0] == "made" for name in NAMES for line in self.journal(name))

    def finished(self) -> bool:
        return all(any(line[0] == "finished" for line in self.journal(name)) for name in NAMES)

    def kill_one(self, chance: random.Random) -> None:
        name = chance.choice(NAMES)
        self.running[name].kill()
        self.running[name].wait()
        self.kills += 1
        self.start(name)

    def end(self) -> None:
        for name in NAMES:
            (self.folder / name / "stop").touch()
        for process in self.running.values():
            try:
                assert process.wait(60) == 0
            finally:
                process.kill()


class Opened:
    """A device's store after the soak, with sync by hand."""

    def __init__(self, soak: Soak, name: str, endpoint: str) -> None:
        folder = soak.folder / name
        self.session = opening.open_session(
            soak_device.store_settings(folder),
            environ={"XDG_RUNTIME_DIR": str(folder / "memory")})
        ring = soak_device.ring(name)
        settings = sync_settings(endpoint, soak.credentials, tables=soak.tables)
        self.house = Household(Inline(self.session), DynamoDb(settings, ring.household), ring,
                               CloudClock(), Ledger(), Status())
        self.pusher, self.puller = Pusher(self.house), Puller(self.house, 3600.0)

    def content(self) -> dict[str, Any]:
        found = {}
        for raw in self.session.connection.execute(f"{rows.SELECT_INTERACTION} ORDER BY id"
                                                   ).fetchall():
            row = rows.to_interaction(self.session, raw)
            texts = () if row.deleted else tuple(
                i.text for i in interactions.open_items(self.session, row))
            found[row.id] = (row.deleted, row.events, row.item_ids, row.removed_ids, texts)
        return found


@pytest.fixture(params=["documented rules", "DynamoDB Local"])
def service(request: Any) -> Iterator[str]:
    """Endpoint of a table service."""
    if request.param == "DynamoDB Local":
        yield request.getfixturevalue("dynamodb_local")
        return
    server = TableServer().start()
    yield server.endpoint
    server.stop()


@pytest.fixture
def soaked(tmp_path: Path, credentials: Path, service: str) -> Iterator[Any]:
    """``soaked(interactions, kills)`` runs a soak and gives (soak, proxy, service's endpoint)."""
    tables = f"soak{secrets.token_hex(4)}"
    proxies: list[FaultProxy] = []
    soaks: list[Soak] = []

    def run(total: int, kills: int) -> tuple[Soak, FaultProxy, str]:
        settings = sync_settings(service, credentials, tables=tables)
        make_tables(settings)
        proxy = FaultProxy(urlsplit(service).port or 80,
                           Faults(drop=0.06, reset=0.05, delay=0.08, throttle=0.05, fail=0.05,
                                  cut=0.03, delay_s=0.1, seed=7))
        proxies.append(proxy)
        soak = Soak(tmp_path, proxy.endpoint, credentials, tables, total // len(NAMES))
        soaks.append(soak)
        for name in NAMES:
            soak.start(name)
        chance = random.Random(11)
        deadline = time.monotonic() + 60 + total * 0.3
        while not soak.finished() or soak.kills < kills:
            assert time.monotonic() < deadline, f"{soak.progress()} of {total} after the time"
            # One kill each time another part of the work is done, and the rest at the end.
            due = int(kills * soak.progress() / total) if not soak.finished() else kills
            if soak.kills < due:
                soak.kill_one(chance)
            time.sleep(0.2)
        soak.end()
        return soak, proxy, service

    yield run
    for soak in soaks:
        for process in soak.running.values():
            process.kill()
    for proxy in proxies:
        proxy.close()
    shutil.rmtree(tmp_path, ignore_errors=True)


def check(soak: Soak, proxy: FaultProxy, endpoint: str, total: int) -> dict[str, Any]:
    devices = [Opened(soak, name, endpoint) for name in NAMES]
    try:
        for _ in range(2):
            for device in devices:
                device.pusher.drain()
                device.puller.pull(full=True)
        for device in devices:
            assert device.pusher.drain() == 0 and device.puller.pull(full=True) == ()
            assert device.house.status.report.refused_altered == 0
        first, *others = [device.content() for device in devices]
        assert len(first) == total
        for other in others:
            assert other.keys() == first.keys()
            assert [k for k in first if first[k] != other[k]] == []
        exactly_once(soak, first)
        in_cloud(devices[0], first)
    finally:
        for device in devices:
            session.close(device.session)
    writes = proxy.operations["TransactWriteItems"]
    return {"interactions": total, "kills": soak.kills, "requests": proxy.requests,
            "writes": writes, "operations": dict(proxy.operations), "fates": dict(proxy.counts)}


def exactly_once(soak: Soak, content: dict[str, Any]) -> None:
    count = Counter(text for row in content.values() for text in row[4])
    assert set(count.values()) <= {1}
    closed = {line[1] for n in NAMES for line in soak.journal(n) if line[0] == "closed"}
    deleted = {line[1] for n in NAMES for line in soak.journal(n) if line[0] == "deleted"}
    for name in NAMES:
        for line in soak.journal(name):
            if line[0] != "text":
                continue
            _, dialogue, kind, mark = line
            row = content[f"{dialogue}.0000"]
            if row[0] or (dialogue in closed and kind != "consulted"):
                continue  # deleted on purpose
            assert count[f"{name} {mark}"] == 1, "a text that was acknowledged is lost"
    for dialogue in deleted:
        assert content[f"{dialogue}.0000"][0]


def in_cloud(device: Opened, content: dict[str, Any]) -> None:
    backend = device.house.backend
    assert len(backend.query("interaction")) == len(content)
    live = sum(len(row[2]) for row in content.values())
    # A text that was deleted after it was sent is deleted there too.
    assert len(backend.query("item")) == live


def test_three_devices_converge_through_faults_and_kills(soaked: Any) -> None:
    soak, proxy, endpoint = soaked(300, 3)
    figures = check(soak, proxy, endpoint, 300)
    print(json.dumps(figures))
    assert soak.kills >= 3
    assert figures["writes"] <= 900


@pytest.mark.long
def test_ten_thousand_interactions_and_fifty_kills(soaked: Any) -> None:
    soak, proxy, endpoint = soaked(10_002, 50)
    figures = check(soak, proxy, endpoint, 10_002)
    print(json.dumps(figures))
    assert soak.kills >= 50
    assert figures["requests"] <= 1.2 * 10_002

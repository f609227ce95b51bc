"""``Sync`` as the agent runs it: threads, a real store, and everything that goes wrong."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.store import ContextStore, NewItem, Settings, Surroundings
from agent.sync import Sync
from agent.sync.backoff import Pace
from tests.sync.conftest import make_tables, sync_settings, write_credentials
from tests.sync.fault_proxy import FaultProxy, Faults
from tests.sync.rings import Ring
from tests.sync.table_server import TableServer

QUICK = Pace(first_s=0.02, cap_s=0.1, open_after=4, rest_s=0.2, probe_s=0.05, settle_s=0.02)
CANARY = "the heron nests behind the boathouse"


@pytest.fixture
def proxy(table_server: TableServer) -> Iterator[FaultProxy]:
    made = FaultProxy(table_server.port)
    yield made
    made.close()


@pytest.fixture
def running(tmp_path: Path, proxy: FaultProxy, table_server: TableServer, credentials: Path,
            cloud: Any) -> Any:
    """A device by name, with a store of its own and a ``Sync`` through the proxy."""
    settings = sync_settings(proxy.endpoint, credentials, tables=cloud.tables,
                             read_timeout_s=0.5, connect_timeout_s=0.5)

    async def begin(name: str, pace: Pace = QUICK, keyring: Any = None,
                    **changes: Any) -> tuple[ContextStore, Sync]:
        memory = tmp_path / f"{name}-memory"
        memory.mkdir(mode=0o700)
        store = await ContextStore.open(
            Settings(directory=tmp_path / name, outbox=True),
            Surroundings(environ={"XDG_RUNTIME_DIR": str(memory)}))
        ring = Ring(name)
        sync = Sync(settings, lambda: store, keyring or (lambda: ring), tmp_path / name,
                    pace=pace)
        return store, sync

    return begin


async def until(true: Callable[[], bool], seconds: float = 8.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.01)


async def say(store: ContextStore, sync: Sync, turn: int = 0, text: str = "words") -> None:
    await store.append(dialogue(), turn, "utterance speak expect-speech", [NewItem("said", text)])
    sync.nudge()


def dialogue() -> str:
    return f"{int(time.time()):08x}" + "ab" * 8


def kinds(sync: Sync) -> list[str]:
    return [trouble.kind for trouble in sync.status.report.troubles]


def test_what_is_written_is_sent_and_what_others_have_is_pulled(running: Any) -> None:
    async def scenario() -> None:
        kitchen, sent = await running("kitchen")
        hall, asked = await running("hall")
        for sync in (sent, asked):
            sync.start()
            await until(lambda s=sync: s.status.report.state == "idle")
        await say(kitchen, sent, 0, CANARY)
        await until(lambda: sent.status.report.sent == 1)
        (row,) = await asked.pull(5.0)
        assert row.expects_speech
        assert [i.text for i in await hall.open_items(row)] == [CANARY]
        assert await asked.pull(5.0) == ()
        for store, sync in ((kitchen, sent), (hall, asked)):
            await sync.close()
            await store.close()
    asyncio.run(scenario())


def test_two_devices_that_write_one_conversation_at_once_agree(running: Any) -> None:
    """Edits, sending and pulling run together in threads of both; nothing is lost or doubled."""
    edits = 12

    async def write(name: str, store: ContextStore, sync: Sync) -> None:
        for n in range(edits):
            await store.append(dialogue(), n % 3, "note", [NewItem("places", f"{name} {n}")])
            sync.nudge()
            await sync.pull(2.0)

    async def texts(store: ContextStore) -> list[list[str]]:
        rows = [await store.get(dialogue(), turn) for turn in range(3)]
        return [[i.text for i in await store.open_items(row)] for row in rows if row]

    async def scenario() -> None:
        both = {name: await running(name) for name in ("kitchen", "hall")}
        for _, sync in both.values():
            sync.start()
        await asyncio.gather(*(write(name, *one) for name, one in both.items()))
        (kitchen, sent), (hall, asked) = both.values()
        wanted = sorted(f"{name} {n}" for name in both for n in range(edits))

        async def agreed() -> bool:
            for sync in (sent, asked):
                sync.nudge()
                await sync.pull(2.0)
            here, there = await texts(kitchen), await texts(hall)
            return here == there and sorted(t for row in here for t in row) == wanted

        for _ in range(40):
            if await agreed():
                break
            await asyncio.sleep(0.1)
        assert await agreed()
        assert sent.status.report.refused_altered == asked.status.report.refused_altered == 0
        for store, sync in both.values():
            await sync.close()
            await store.close()

    began = dialogue()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "dialogue", lambda: began)
        asyncio.run(scenario())


def break_it(how: str, proxy: FaultProxy, server: TableServer) -> None:
    gate = server.gate
    if how == "unreachable":
        proxy.close()
    elif how == "slow":
        proxy.faults = Faults(delay=1.0, delay_s=30.0)
    elif how == "refused":
        gate.refused.add("AKIDTEST")
    elif how == "region":
        gate.region = "elsewhere-1"
    elif how == "clock":
        gate.now = lambda: time.time() + 7200
    elif how == "expired":
        gate.expired.add("AKIDTEST")
    elif how == "credentials":
        gate.secrets["AKIDTEST"] = "rotated"
    elif how == "service":
        proxy.faults = Faults(fail=1.0)
    elif how == "throttled":
        proxy.faults = Faults(throttle=1.0)


def mend_it(how: str, proxy: FaultProxy, server: TableServer, credentials: Path) -> None:
    gate = server.gate
    if how == "unreachable":
        proxy.open()
    proxy.faults = Faults()
    gate.refused.clear()
    gate.region = "local"
    gate.now = time.time
    if how == "expired":  # a new key in the same file; the old one stays expired
        gate.secrets["AKIDNEW"] = "new secret"
        write_credentials(credentials, "AKIDNEW", "new secret")
    elif how == "credentials":
        write_credentials(credentials, "AKIDTEST", "rotated")


@pytest.mark.parametrize("how", ["unreachable", "slow", "refused", "region", "clock", "expired",
                                 "credentials", "service", "throttled"])
def test_each_trouble_is_named_once_and_passes_without_a_restart(
        running: Any, proxy: FaultProxy, table_server: TableServer, credentials: Path,
        how: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        store, sync = await running("kitchen")
        sync.start()
        await until(lambda: sync.status.report.state == "idle")
        break_it(how, proxy, table_server)
        began = time.monotonic()
        await say(store, sync)
        assert await sync.pull(0.2) == ()
        assert time.monotonic() - began < 0.6
        await until(lambda: bool(sync.status.report.troubles)
                    and sync.status.report.troubles[0].count >= 3)
        assert kinds(sync) == [how]
        (trouble,) = sync.status.report.troubles
        assert trouble.what and trouble.mend and trouble.since > 0
        mend_it(how, proxy, table_server, credentials)
        await until(lambda: sync.status.report.sent == 1 and not sync.status.report.troubles)
        assert [t.kind for t in sync.status.report.mended] == [how]
        named = [r for r in caplog.records if r.getMessage().startswith("sync: ")]
        assert len(named) == 1
        await sync.close()
        await store.close()
    asyncio.run(scenario())


def test_a_cloud_that_does_not_answer_holds_nobody_up(running: Any, proxy: FaultProxy) -> None:
    """While every request hangs, the loop ticks on, and closing takes no longer than it must."""
    async def scenario() -> None:
        store, sync = await running("kitchen")
        proxy.faults = Faults(delay=1.0, delay_s=30.0)
        sync.start()
        await until(lambda: proxy.requests > 0)  # by now boto3 is loaded
        latest, gaps = time.monotonic(), []
        pulls = [asyncio.create_task(sync.pull(0.3)) for _ in range(5)]
        while not all(p.done() for p in pulls):
            await asyncio.sleep(0.005)
            now = time.monotonic()
            gaps.append(now - latest)
            latest = now
        assert [p.result() for p in pulls] == [()] * 5
        assert sorted(gaps)[len(gaps) * 9 // 10] < 0.05
        assert sum(t.name == "sync-pull" for t in threading.enumerate()) <= 1
        began = time.monotonic()
        await sync.close()
        assert time.monotonic() - began < 1.5
        await store.close()
    asyncio.run(scenario())


def test_a_cloud_that_only_a_pull_has_missed_is_looked_for_until_it_is_back(
        running: Any, proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        store, sync = await running("kitchen")
        sync.start()
        await until(lambda: sync.status.report.state == "idle")
        proxy.close()
        for _ in range(4):
            assert await sync.pull(0.3) == ()
        assert kinds(sync) == ["unreachable"]
        proxy.open()
        await until(lambda: not sync.status.report.troubles)
        assert sync.status.report.state == "idle"
        assert sum(r.getMessage().startswith("sync: ") for r in caplog.records) == 1
        await sync.close()
        await store.close()
    asyncio.run(scenario())


def test_a_device_without_a_household_says_so_and_joins_later(running: Any) -> None:
    async def scenario() -> None:
        found: list[Any] = [None]
        store, sync = await running("kitchen", keyring=lambda: found[0])
        sync.start()
        await say(store, sync)
        await until(lambda: kinds(sync) == ["household"])
        found[0] = Ring("kitchen")
        await until(lambda: sync.status.report.sent == 1)
        await sync.close()
        await store.close()
    asyncio.run(scenario())


def test_without_sync_nothing_is_done_or_imported(tmp_path: Path) -> None:
    import subprocess
    import sys
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from agent.sync import Settings, Sync\n"
        f"sync = Sync(Settings(), lambda: None, lambda: None, Path({str(tmp_path)!r}))\n"
        "sync.start(); sync.nudge()\n"
        "assert asyncio.run(sync.pull(1.0)) == ()\n"
        "asyncio.run(sync.close())\n"
        "assert not {m for m in sys.modules if m.startswith(('boto', 'urllib3', 'spake2'))}\n")
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_an_idle_device_asks_nothing(running: Any, proxy: FaultProxy) -> None:
    async def scenario() -> None:
        store, sync = await running("kitchen")
        sync.start()
        await until(lambda: sync.status.report.state == "idle")
        before = proxy.requests
        for _ in range(50):
            sync.nudge()
            await asyncio.sleep(0.02)
        assert proxy.requests == before
        await sync.close()
        await store.close()
    asyncio.run(scenario())


def test_neither_words_nor_names_travel_or_lie_in_the_table(
        running: Any, proxy: FaultProxy, table_server: TableServer, cloud: Any) -> None:
    names = ("kitchen", "hall")

    async def scenario() -> None:
        proxy.record = True
        kitchen, sent = await running("kitchen")
        hall, asked = await running("hall")
        for sync in (sent, asked):
            sync.start()
            await until(lambda s=sync: s.status.report.state == "idle")
        for turn in range(3):
            await kitchen.append(dialogue(), turn, "wake utterance intent:call speak",
                                 [NewItem("said", f"{CANARY} {turn}"),
                                  NewItem("places", f"Meg Bauer {turn}")])
        sent.nudge()
        await until(lambda: sent.status.report.sent >= 3)
        assert len(await asked.pull(5.0)) == 3
        assert await asked.pull(5.0) == ()
        for store, sync in ((kitchen, sent), (hall, asked)):
            await sync.close()
            await store.close()
    asyncio.run(scenario())
    table = json.dumps([table_server.service.tables[cloud.table(t)].items
                        for t in ("interaction", "item")]).encode()
    assert len(table) > 1000 and len(proxy.wire) > 5000
    for data in (bytes(proxy.wire), table):
        for text in (CANARY, "heron", "Bauer", "utterance", "intent", "places", *names,
                     dialogue()[8:], "household one"):
            for form in spelt(text):
                assert form not in data, text


def spelt(text: str) -> list[bytes]:
    """A text as it might lie in JSON: plain, and in base64 at each of the three offsets."""
    import base64
    forms = [text.encode(), text.upper().encode(), text.encode().hex().encode()]
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + text.encode())
        forms.append(coded[4 if offset else 0:-4])
    return [form for form in forms if len(form) >= 4]


def test_the_status_is_a_private_file_that_a_command_reads(running: Any, tmp_path: Path) -> None:
    from agent.sync import status

    async def scenario() -> None:
        store, sync = await running("kitchen")
        sync.start()
        await say(store, sync)
        await until(lambda: sync.status.report.sent == 1)
        await until(lambda: sync.status.report.state == "idle")
        path = status.path_of(tmp_path / "kitchen")
        assert path.stat().st_mode & 0o777 == 0o600
        found = status.read(path)
        assert found and found.sent == 1 and found.requests >= 2
        assert "words" not in path.read_text()
        await sync.close()
        await store.close()
        path.unlink()
    asyncio.run(scenario())


def test_tables_that_are_not_there_are_named(running: Any, table_server: TableServer,
                                             cloud: Any) -> None:
    async def scenario() -> None:
        for name in ("interaction", "item"):
            del table_server.service.tables[cloud.table(name)]
        store, sync = await running("kitchen")
        sync.start()
        await say(store, sync)
        await until(lambda: kinds(sync) == ["tables"])
        make_tables(cloud)
        await until(lambda: sync.status.report.sent == 1)
        await sync.close()
        await store.close()
    asyncio.run(scenario())

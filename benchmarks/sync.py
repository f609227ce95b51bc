"""What sync costs: requests, time to drain, time to pull, and what a turn notices of it.

    .venv/bin/python benchmarks/sync.py [--json FILE] [--quick] [--only drain,pull,idle,turn]

The cloud is the table service of the tests (``tests/sync/table_server.py``), a process of its own
on this machine; the network costs nothing here, and the service is slower than DynamoDB is. What
can be carried over are requests, bytes and this device's own time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"

from agent.store import ContextStore, NewItem, Surroundings
from agent.store import Settings as StoreSettings
from agent.store.settings import Retention
from agent.sync import Sync
from agent.sync.backoff import Pace
from tests.sync.conftest import make_tables, sync_settings, write_credentials
from tests.sync.fault_proxy import FaultProxy
from tests.sync.rings import Ring

SAID, REPLY = "call Meg at the office please", "Meg Jones or Meg Bauer?"
PACE = Pace(first_s=0.05, cap_s=0.5, rest_s=1.0, settle_s=0.05)
SCALE = 2000
"""A day of an outage is run this many times faster."""
SWITCH_S = 0.0005
"""As the running agent sets it (``agent/running.py``)."""


@contextmanager
def service(*options: str) -> Iterator[str]:
    """The table service in a process of its own; gives its endpoint."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.sync.table_server", "--port", "0", *options],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=Path(__file__).parents[1])
    assert process.stdout
    try:
        yield process.stdout.readline().split()[2]
    finally:
        process.kill()
        process.wait()


class Device:
    """A store and its sync."""

    def __init__(self, name: str, folder: Path, endpoint: str, pace: Pace = PACE,
                 **changes: Any) -> None:
        self.folder = folder / name
        (self.folder / "memory").mkdir(parents=True, mode=0o700)
        key = folder / "credentials"
        write_credentials(key)
        self.settings = sync_settings(endpoint, key, **changes)
        self.ring, self.pace = Ring(name), pace
        self.ring.lives = {"text": 2 * 86_400_000, "row": 2 * 86_400_000}

    async def open(self) -> None:
        """Open the store; sync is started by whoever measures it."""
        self.store = await ContextStore.open(
            StoreSettings(directory=self.folder / "state", outbox=True, quota_mib=1024,
                          retention=Retention(said_s=86_400, reply_s=86_400, epoch_s=3600)),
            Surroundings(environ={"XDG_RUNTIME_DIR": str(self.folder / "memory")}))
        self.sync = Sync(self.settings, lambda: self.store, lambda: self.ring, self.folder,
                         pace=self.pace)

    async def close(self) -> None:
        """Stop sync and close the store."""
        await self.sync.close()
        await self.store.close()

    async def turn(self, number: int) -> float:
        """One turn's two writes; seconds that the second took."""
        dialogue = f"{int(time.time()):08x}{number:016x}"
        await self.store.append(dialogue, 0, "wake utterance", [NewItem("said", SAID)])
        began = time.perf_counter()
        await self.store.append(dialogue, 0, "intent:call speak expect-speech",
                                [NewItem("reply", REPLY)])
        took = time.perf_counter() - began
        self.sync.nudge()
        return took

    async def until_sent(self, count: int, seconds: float = 900.0) -> None:
        """Wait until so many interactions were taken."""
        end = time.monotonic() + seconds
        while self.sync.status.report.sent < count:
            assert time.monotonic() < end, self.sync.status.report
            await asyncio.sleep(0.02)


async def drain(folder: Path, total: int) -> dict[str, Any]:
    """A backlog after an outage, then turns sent as they come."""
    with service() as endpoint:
        proxy = FaultProxy(int(endpoint.rpartition(":")[2]))
        device = Device("kitchen", folder, proxy.endpoint, read_timeout_s=20.0)
        make_tables(device.settings)
        await device.open()
        for number in range(total):
            await device.turn(number)
        before = proxy.requests
        began, used = time.perf_counter(), time.process_time()
        device.sync.start()
        await device.until_sent(total)
        took, cpu = time.perf_counter() - began, time.process_time() - used
        backlog = proxy.operations["TransactWriteItems"]
        sent = 40
        at = proxy.operations["TransactWriteItems"]
        for number in range(sent):
            await device.turn(total + number)
            await asyncio.sleep(0.2)
        await device.until_sent(total + sent)
        single = proxy.operations["TransactWriteItems"] - at
        await device.close()
        proxy.close()
    return {"interactions": total, "seconds": took, "cpu_s": cpu,
            "requests": backlog, "requests_an_interaction": backlog / total,
            "requests_before_start": before, "turn_by_turn": single / sent}


async def pull(folder: Path, counts: tuple[int, ...]) -> list[dict[str, Any]]:
    """A woken device reads what others have live."""
    found = []
    for count in counts:
        with service() as endpoint:
            here = folder / str(count)
            kitchen, hall = Device("kitchen", here, endpoint), Device("hall", here, endpoint)
            make_tables(kitchen.settings)
            await kitchen.open()
            await hall.open()
            for number in range(count):
                await kitchen.turn(number)
            kitchen.sync.start()
            await kitchen.until_sent(count)
            hall.sync.start()
            while hall.sync.status.report.state != "idle":
                await asyncio.sleep(0.01)
            times, changed = [], 0
            for number in range(20):
                await kitchen.turn(100_000 + number)
                await kitchen.until_sent(count + number + 1)
                before = hall.sync._ready.household.backend.requests  # type: ignore[union-attr]
                began = time.perf_counter()
                changed += len(await hall.sync.pull(10.0))
                times.append(time.perf_counter() - began)
                asked = hall.sync._ready.household.backend.requests - before  # type: ignore
            assert changed == 20
            times.sort()
            found.append({"live": count, "median_ms": 1000 * times[10], "worst_ms":
                          1000 * times[-1], "requests": asked})
            await kitchen.close()
            await hall.close()
    return found


async def idle(folder: Path, seconds: float) -> dict[str, Any]:
    """An idle device, and one with something to send while the cloud is away, at high speed."""
    with service() as endpoint:
        proxy = FaultProxy(int(endpoint.rpartition(":")[2]))
        device = Device("kitchen", folder, proxy.endpoint, Pace())
        make_tables(device.settings)
        await device.open()
        made = proxy.requests
        device.sync.start()
        while device.sync.status.report.state != "idle":
            await asyncio.sleep(0.05)
        start = proxy.requests
        await asyncio.sleep(seconds)
        quiet = proxy.requests - start
        await device.turn(0)
        await device.until_sent(1)
        one_turn = proxy.requests - start - quiet
        before = proxy.requests
        await device.sync.pull(5.0)
        one_wake = proxy.requests - before
        await device.close()
        proxy.close()
    usual = Pace()
    fast = replace(usual, first_s=usual.first_s / SCALE, cap_s=usual.cap_s / SCALE,
                   rest_s=usual.rest_s / SCALE, probe_s=usual.probe_s / SCALE, settle_s=0.0)
    with service("--refuse") as endpoint:
        proxy = FaultProxy(int(endpoint.rpartition(":")[2]))
        device = Device("hall", folder, proxy.endpoint, fast)
        await device.open()
        await device.turn(0)
        device.sync.start()
        while proxy.requests == 0:
            await asyncio.sleep(0.01)
        first = proxy.requests
        await asyncio.sleep(86_400 / SCALE)
        outage = proxy.requests - first
        await device.close()
        proxy.close()
    return {"at_start": start - made, "idle_seconds": seconds, "idle_requests": quiet,
            "requests_a_turn": one_turn, "requests_a_wake": one_wake,
            "outage_requests_a_day": outage, "scale": SCALE}


TURN_STATES: dict[str, tuple[str, ...] | None] = {
    "sync off": None, "cloud well": (), "cloud away": ("away",), "slow, 30 s": ("--delay", "30"),
    "refused (403)": ("--refuse",), "expired": ("--expire",), "wrong region": ("--region", "x"),
    "wrong clock": ("--ahead", "7200"), "draining a backlog": ("backlog",)}


async def turn(folder: Path, turns: int, backlog: int) -> list[dict[str, Any]]:
    """What a turn notices: its writes, and how late the loop is, in every state of the cloud."""
    found = []
    for number, (name, options) in enumerate(TURN_STATES.items()):
        given = () if options is None or options[0:1] in (("away",), ("backlog",)) else options
        with service(*given) as endpoint:
            away = options == ("away",)
            device = Device(f"d{number}", folder, "http://127.0.0.1:9" if away else endpoint,
                            Pace(), enabled=options is not None)
            if not away and options in ((), ("backlog",)):
                make_tables(device.settings)
            await device.open()
            for extra in range(backlog if options == ("backlog",) else 0):
                await device.turn(1_000_000 + extra)
            device.sync.start()
            # The service's description is parsed once, at the start of the agent.
            await asyncio.sleep(3.0)
            found.append({"state": name, **await measured(device, turns)})
            await device.close()
    return found


async def measured(device: Device, turns: int) -> dict[str, Any]:
    """Turns one after the other, each with a pull, beside a loop that ticks every 5 ms."""
    writes: list[float] = []
    late: list[float] = []
    done = asyncio.Event()

    async def ticks() -> None:
        while not done.is_set():
            began = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - began - 0.005)

    ticking = asyncio.create_task(ticks())
    for number in range(turns):
        writes.append(await device.turn(number))
        asked = asyncio.create_task(device.sync.pull(0.8))  # as at the next wake
        await asyncio.sleep(0.2)
        await asked
    done.set()
    await ticking
    writes.sort()
    late.sort()
    return {"write_p50_ms": 1000 * writes[len(writes) // 2],
            "write_p99_ms": 1000 * writes[len(writes) * 99 // 100],
            "late_p50_ms": 1000 * late[len(late) // 2],
            "late_p99_ms": 1000 * late[len(late) * 99 // 100], "late_max_ms": 1000 * late[-1]}


def show(results: dict[str, Any]) -> None:
    """Print a table of each part."""
    if "drain" in results:
        r = results["drain"]
        print(f"\nA backlog of {r['interactions']} interactions (two texts each)\n"
              f"  drained in {r['seconds']:.1f} s ({r['cpu_s']:.1f} s of this device's CPU)\n"
              f"  {r['requests']} writes: {r['requests_an_interaction']:.3f} an interaction; "
              f"turn by turn {r['turn_by_turn']:.2f}")
    if "pull" in results:
        print("\nA pull of one new interaction among so many live ones")
        for r in results["pull"]:
            print(f"  {r['live']:6d} live: median {r['median_ms']:6.0f} ms, worst "
                  f"{r['worst_ms']:6.0f} ms, {r['requests']} requests")
    if "idle" in results:
        r = results["idle"]
        print(f"\nRequests: at start {r['at_start']}; idle {r['idle_requests']} in "
              f"{r['idle_seconds']:.0f} s; a turn {r['requests_a_turn']}; a wake "
              f"{r['requests_a_wake']};\n  a day of refusals with something to send "
              f"{r['outage_requests_a_day']} (run {r['scale']} times faster)")
    if "turn" in results:
        print("\nWhat a turn notices    write p50 / p99 ms    loop late p50 / p99 / max ms")
        for r in results["turn"]:
            print(f"  {r['state']:20s} {r['write_p50_ms']:8.2f} {r['write_p99_ms']:8.2f}"
                  f"       {r['late_p50_ms']:8.2f} {r['late_p99_ms']:8.2f}"
                  f" {r['late_max_ms']:8.2f}")


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures here")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", default="drain,pull,idle,turn", help="which parts")
    args = parser.parse_args()
    sys.setswitchinterval(SWITCH_S)
    folder = Path(tempfile.mkdtemp(prefix="sync-bench-", dir="/dev/shm"))
    size, results = (10 if args.quick else 1), {}
    try:
        if "drain" in args.only:
            results["drain"] = asyncio.run(drain(folder / "drain", 10_000 // size))
        if "pull" in args.only:
            counts = (10, 50, 100) if args.quick else (10, 100, 1000)
            results["pull"] = asyncio.run(pull(folder / "pull", counts))
        if "idle" in args.only:
            results["idle"] = asyncio.run(idle(folder / "idle", 60.0 / size))
        if "turn" in args.only:
            results["turn"] = asyncio.run(turn(folder / "turn", 120 // size, 5000 // size))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    show(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

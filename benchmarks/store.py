"""What the encrypted store costs, against plain SQLite doing the same in the same run.

    .venv/bin/python benchmarks/store.py [--json FILE] [--folder FOLDER] [--quick]

Plain SQLite has the same tables, statements and checkpoints, without encryption, seals and tags;
blocks of both alternate, so that a busy machine slows both. The folder should be on the disk that
is to be judged. Under "disk" stands what one write and fsync of the same size cost there, which
no store can be faster than.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import queue
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from agent.store import (
    ContextStore,
    NewItem,
    Settings,
    opening,
    room,
    schema,
    session,
    sweep,
)
from agent.store import interactions as store_interactions
from agent.store.connection import PAGE_SIZE
from agent.store.session import Session

BLOCK = 20
SAID, REPLY = "call Meg at the office please", "Meg Jones or Meg Bauer?"
SCREEN = "Meg Jones\nMeg Bauer\nMegan Baxter\nMark Bauer"
DAY_S = 86_400


class SteppedClock:
    """Clocks that move only when told, so that a day takes a second."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def boot_id(self) -> str:
        """One boot."""
        return "benchmark"

    def boot_ms(self) -> int:
        """The stepped time."""
        return self.ms

    def wall_ms(self) -> int:
        """The stepped time."""
        return self.ms


@dataclass
class Figures:
    """One line of the table, in milliseconds unless the name says otherwise."""

    what: str
    store: dict[str, float]
    plain: dict[str, float] | None = None
    disk: dict[str, float] | None = None
    goal: str = ""
    met: bool | None = None


@dataclass
class Report:
    """Everything measured."""

    lines: list[Figures] = field(default_factory=list)

    def add(self, line: Figures) -> None:
        """Keep a line and print it."""
        self.lines.append(line)
        parts = [f"{line.what:44}", f"store {_shown(line.store)}"]
        if line.plain:
            parts.append(f"plain {_shown(line.plain)}")
        if line.disk:
            parts.append(f"disk {_shown(line.disk)}")
        if line.goal:
            verdict = "met" if line.met else "MISSED"
            parts.append(f"goal {line.goal}: {verdict}")
        print("  ".join(parts), flush=True)


def _shown(numbers: dict[str, float]) -> str:
    return " ".join(f"{name} {value:.6g}" for name, value in numbers.items())


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median and 99th percentile in milliseconds."""
    ordered = sorted(seconds)
    return {"p50": round(ordered[len(ordered) // 2] * 1e3, 3),
            "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1e3, 3)}


def timed(work: Callable[[], Any]) -> float:
    """Seconds that a call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


# --- plain SQLite doing the same ------------------------------------------------------------------


class Plain:
    """The same tables and statements on sqlite3."""

    def __init__(self, path: Path, durable: bool, exists: bool = False) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        run = self.connection.execute
        if not exists:
            run(f"PRAGMA page_size = {PAGE_SIZE}")
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL").fetchall()
        run(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        run("PRAGMA wal_autocheckpoint = 0").fetchall()
        run("PRAGMA secure_delete = ON").fetchall()
        if not exists:
            self.connection.executescript(schema.TABLES)

    def append(self, dialogue: str, turn: int, events: str, items: list[NewItem],
               now: int) -> Any:
        """One transaction: the row is read, the texts and the row are written, the row returned."""
        run, row_id = self.connection.execute, f"{dialogue}.{turn:04d}"
        run("BEGIN IMMEDIATE")
        old = run("SELECT * FROM interaction WHERE id = ?", (row_id,)).fetchone()
        version = old[6] + 1 if old else 1
        names = old[5].split() if old else []
        for index, item in enumerate(items):
            name = f"{row_id}.{version << 8 | index:x}"
            run("INSERT INTO item VALUES(?,?,?,?,?,?,?,?,?,?)",
                (name, row_id, version << 8 | index, item.kind, b"o" * 16, b"n" * 12,
                 item.text.encode(), now, now + 300_000, 0))
            names.append(name)
        row = run("INSERT INTO interaction VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT(id) DO "
                  "UPDATE SET events = excluded.events, item_ids = excluded.item_ids, "
                  "version = excluded.version RETURNING *",
                  (row_id, dialogue, "device", turn, (old[4] + " " if old else "") + events,
                   " ".join(names), version, 0, now, now + DAY_S * 1000, 0, None, 0)).fetchone()
        run("COMMIT")
        return row

    def items(self, row: Any) -> list[str]:
        """A row's texts."""
        run = self.connection.execute
        return [run("SELECT ciphertext FROM item WHERE id = ?", (name,)).fetchone()[0].decode()
                for name in row[5].split()]

    def sweep(self, now: int) -> list[float]:
        """Delete what has expired in the store's own chunks; seconds of each."""
        chunks = []
        for table in ("item", "interaction"):
            removed = 1
            while removed:
                started = time.perf_counter()
                run = self.connection.execute
                run("BEGIN IMMEDIATE")
                removed = len(run(f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} "
                                  f"WHERE expires_at <= ? LIMIT {sweep.CHUNK}) RETURNING id",
                                  (now,)).fetchall())
                run("COMMIT")
                chunks.append(time.perf_counter() - started)
        self.checkpoint()
        return chunks

    def checkpoint(self) -> None:
        """Move the log into the database."""
        self.connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchall()


class PlainThread:
    """Plain SQLite behind a thread and futures, as the store is."""

    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        while (job := self.jobs.get()) is not None:
            work, done = job
            done.set_result(work())

    def run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Queue a call."""
        done: Future[Any] = Future()
        self.jobs.put((work, done))
        return asyncio.wrap_future(done)


# --- measurements ---------------------------------------------------------------------------------


@dataclass
class Bench:
    """Where to measure and how much."""

    folder: Path
    quick: bool
    clock: SteppedClock = field(default_factory=SteppedClock)
    count: int = 0

    @property
    def turns(self) -> int:
        """Turns of the append measurements."""
        return 100 if self.quick else 600

    def settings(self, durable: bool = True, quota_mib: int = 1024) -> Settings:
        """Settings of a store in a folder of its own."""
        self.count += 1
        return Settings(directory=self.folder / f"store{self.count}", durable=durable,
                        quota_mib=quota_mib)

    @contextmanager
    def session(self, settings: Settings) -> Iterator[Session]:
        """An open session, closed soundly."""
        settings.directory.mkdir(exist_ok=True)
        found = opening.open_session(settings, clock=self.clock)
        try:
            session.prepare(found)
            yield found
        finally:
            session.close(found)

    def plain(self, durable: bool = True) -> Plain:
        """A fresh plain database."""
        self.count += 1
        return Plain(self.folder / f"plain{self.count}.db", durable)


def disk_floor(bench: Bench, size: int) -> dict[str, float]:
    """One overwrite and fsync of an existing file."""
    path = bench.folder / "floor"
    path.write_bytes(bytes(1 << 20))
    seconds = []
    with path.open("r+b", buffering=0) as file:
        os.fsync(file.fileno())
        for n in range(100 if bench.quick else 400):
            def work(n: int = n) -> None:
                os.pwrite(file.fileno(), os.urandom(size), n * size % (1 << 19))
                os.fsync(file.fileno())
            seconds.append(timed(work))
    return quantiles(seconds)


def measure_append(bench: Bench, report: Report, durable: bool) -> None:
    """Append with its returned row, on the thread itself."""
    mode = "FULL" if durable else "NORMAL"
    plain = bench.plain(durable)
    ours: list[float] = []
    theirs: list[float] = []
    said, asked = [NewItem("said", SAID)], [NewItem("reply", REPLY), NewItem("screen", SCREEN)]
    with bench.session(bench.settings(durable)) as opened:
        for n in range(bench.turns):
            dialogue = f"{n // 4:024x}"
            for take, append in ((ours, store_append(opened)), (theirs, plain_append(plain))):
                take.append(timed(lambda a=append, d=dialogue, t=n % 4: a(
                    d, t, "wake utterance", said)))
                take.append(timed(lambda a=append, d=dialogue, t=n % 4: a(
                    d, t, "intent:call speak expect-speech", asked)))
            if n % BLOCK == BLOCK - 1:
                session.checkpoint(opened)
                plain.checkpoint()
    floor = disk_floor(bench, 6 * PAGE_SIZE) if durable else None
    store, other = quantiles(ours), quantiles(theirs)
    ratio = store["p50"] / other["p50"]
    report.add(Figures(f"append and returned row, {mode}", store, other, floor,
                       f"p50 <= 3x plain ({ratio:.2f}x)", ratio <= 3))
    if durable:
        report.add(Figures("append p99 at FULL", {"p99": store["p99"]}, {"p99": other["p99"]},
                           floor, "p99 <= 5 ms", store["p99"] <= 5))


def store_append(opened: Session) -> Callable[..., Any]:
    """The store's append."""
    return lambda d, t, e, i: store_interactions.append(opened, d, t, e, i)


def plain_append(plain: Plain) -> Callable[..., Any]:
    """Plain SQLite's append."""
    return lambda d, t, e, i: plain.append(d, t, e, i, 1000)


def measure_asynchronous(bench: Bench, report: Report, durable: bool) -> None:
    """The same as the dialogue sees it: awaited, through the store's thread."""
    async def run() -> tuple[list[float], list[float]]:
        thread = PlainThread(bench.plain(durable))
        ours: list[float] = []
        theirs: list[float] = []
        items = [NewItem("said", SAID)]
        async with await ContextStore.open(bench.settings(durable)) as store:
            await asyncio.sleep(0.6)
            for n in range(bench.turns):
                started = time.perf_counter()
                await store.append(f"{n:024x}", 0, "wake utterance", items)
                ours.append(time.perf_counter() - started)
                started = time.perf_counter()
                await thread.run(lambda n=n: thread.plain.append(f"{n:024x}", 0, "wake utterance",
                                                                 items, 1000))
                theirs.append(time.perf_counter() - started)
        return ours, theirs
    ours, theirs = asyncio.run(run())
    store, plain = quantiles(ours), quantiles(theirs)
    ratio = store["p50"] / plain["p50"]
    mode = "FULL" if durable else "NORMAL"
    report.add(Figures(f"append awaited through the thread, {mode}", store, plain, None,
                       f"p50 <= 3x plain ({ratio:.2f}x)", ratio <= 3))


def measure_reading(bench: Bench, report: Report) -> None:
    """The three texts of a turn, decrypted."""
    plain = bench.plain()
    items = [NewItem("said", SAID), NewItem("reply", REPLY), NewItem("screen", SCREEN)]
    ours: list[float] = []
    theirs: list[float] = []
    with bench.session(bench.settings(durable=False)) as opened:
        for n in range(200):
            row = store_interactions.append(opened, f"d{n}", 0, "utterance", items)
            other = plain.append(f"d{n}", 0, "utterance", items, 1000)
        for _ in range(20 * bench.turns // 10):
            ours.append(timed(lambda: store_interactions.open_items(opened, row)))
            theirs.append(timed(lambda: plain.items(other)))
    report.add(Figures("a turn's three texts", quantiles(ours), quantiles(theirs)))


def measure_opening(bench: Bench, report: Report) -> None:
    """Opening a store of a usual day (300 turns), left soundly or by a crash."""
    settings = bench.settings(durable=False)
    plain = bench.plain(durable=False)
    with bench.session(settings) as opened:
        fill(bench, opened, plain, 300)
        crashed = replace(settings, directory=bench.folder / "crashed")
        shutil.copytree(settings.directory, crashed.directory)
    plain.connection.close()
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(50):
        ours.append(timed(lambda: opens(bench, settings)))
        theirs.append(timed(lambda: plain_opens(plain.path)))
    store = quantiles(ours)
    report.add(Figures("opening, 300 turns", store, quantiles(theirs), None, "<= 10 ms",
                       store["p50"] <= 10))
    seconds = []
    for n in range(10):
        copy = replace(settings, directory=bench.folder / f"crashed{n}")
        shutil.copytree(crashed.directory, copy.directory)
        seconds.append(timed(lambda c=copy: opens(bench, c)))
    report.add(Figures("opening after a crash, checked in full", quantiles(seconds)))


def opens(bench: Bench, settings: Settings) -> None:
    """Open, read a row, and let go without a write."""
    opened = opening.open_session(settings, clock=bench.clock)
    store_interactions.get(opened, f"{0:024x}", 0)
    opened.connection.close()


def plain_opens(path: Path) -> None:
    """The same on plain SQLite."""
    plain = Plain(path, durable=False, exists=True)
    plain.connection.execute("SELECT * FROM interaction LIMIT 1").fetchone()
    plain.connection.close()


def fill(bench: Bench, opened: Session, plain: Plain | None, turns: int, items: int = 1) -> None:
    """Turns with a text each."""
    texts = [NewItem("said", SAID)] * items
    for n in range(turns):
        store_interactions.append(opened, f"{n // 4:024x}", n % 4, "wake utterance speak", texts)
        if plain:
            plain.append(f"{n // 4:024x}", n % 4, "wake utterance speak", texts, bench.clock.ms)
        if n % 50 == 49:
            session.checkpoint(opened)
            if plain:
                plain.checkpoint()


def measure_sweep(bench: Bench, report: Report) -> None:
    """5,000 rows and 5,000 texts, all expired."""
    plain = bench.plain(durable=False)
    with bench.session(bench.settings(durable=False)) as opened:
        fill(bench, opened, plain, 5000)
        bench.clock.ms += DAY_S * 1000
        chunks: list[float] = []
        started = time.perf_counter()
        removed = 1
        while removed:
            removed = 0

            def one() -> None:
                nonlocal removed
                removed = sweep.chunk(opened)
            chunks.append(timed(one))
            if session.log_is_long(opened):
                session.checkpoint(opened)
        sweep.finish(opened)
        total = time.perf_counter() - started
    started = time.perf_counter()
    theirs = plain.sweep(bench.clock.ms)
    other = time.perf_counter() - started
    report.add(Figures("sweep of 10,000 rows and texts",
                       {"total": round(total * 1e3, 1), "chunk": round(max(chunks) * 1e3, 2)},
                       {"total": round(other * 1e3, 1), "chunk": round(max(theirs) * 1e3, 2)}))


def measure_large(bench: Bench, report: Report) -> None:
    """A file of 100,000 interactions with a text each."""
    turns = 5_000 if bench.quick else 100_000
    settings, plain = bench.settings(durable=False), bench.plain(durable=False)
    ours: list[float] = []
    theirs: list[float] = []
    with bench.session(settings) as opened:
        fill(bench, opened, plain, turns)
        for n in range(400):
            ours.append(timed(lambda n=n: store_append(opened)(
                f"e{n}", 0, "wake utterance", [NewItem("said", SAID)])))
            theirs.append(timed(lambda n=n: plain_append(plain)(
                f"e{n}", 0, "wake utterance", [NewItem("said", SAID)])))
        sizes = settings.database.stat().st_size, plain.path.stat().st_size
        crashed = replace(settings, directory=bench.folder / "large-crashed")
        shutil.copytree(settings.directory, crashed.directory)
    plain.connection.close()
    store, other = quantiles(ours), quantiles(theirs)
    ratio = store["p50"] / other["p50"]
    report.add(Figures(f"{turns} interactions: append, NORMAL", store, other, None,
                       f"p50 <= 3x plain ({ratio:.2f}x)", ratio <= 3))
    report.add(Figures(f"{turns} interactions: MiB", {"file": round(sizes[0] / 2**20, 1)},
                       {"file": round(sizes[1] / 2**20, 1)}))
    seconds = [timed(lambda: opens(bench, settings)) for _ in range(20)]
    others = [timed(lambda: plain_opens(plain.path)) for _ in range(20)]
    found = quantiles(seconds)
    report.add(Figures(f"{turns} interactions: opening", found, quantiles(others), None,
                       "<= 10 ms", found["p50"] <= 10))
    report.add(Figures(f"{turns} interactions: opening after a crash",
                       {"once": round(timed(lambda: opens(bench, crashed)) * 1e3, 1)}))


def written() -> dict[str, int]:
    """Bytes this process has handed to write calls, and pages it has dirtied on disks."""
    table = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {"written": int(table["wchar"]), "to disk": int(table["write_bytes"])}


def spent(before: dict[str, int], per: float) -> dict[str, float]:
    """KiB since ``before``, per unit."""
    now = written()
    return {f"{name} KiB": round((now[name] - before[name]) / per / 1024, 1) for name in before}


def measure_wear(bench: Bench, report: Report) -> None:
    """Bytes to the disk for a turn (three writes, a close, a sweep), and for an idle day."""
    turns, plain = 100, bench.plain()
    said, asked = [NewItem("said", SAID)], [NewItem("reply", REPLY), NewItem("screen", SCREEN)]
    with bench.session(bench.settings()) as opened:
        before = written()
        for n in range(turns):
            append = store_append(opened)
            append(f"{n:024x}", 0, "wake utterance", said)
            append(f"{n:024x}", 0, "intent:call speak expect-speech", asked)
            append(f"{n:024x}", 1, "utterance intent:call speak", said)
            store_interactions.close_turn(opened, f"{n:024x}", 1)
            bench.clock.ms += 300_000
            sweep.run(opened)
        ours = spent(before, turns)
        before = written()
        for n in range(turns):
            plain.append(f"{n:024x}", 0, "wake utterance", said, 1000)
            plain.append(f"{n:024x}", 0, "intent:call speak expect-speech", asked, 1000)
            plain.append(f"{n:024x}", 1, "utterance intent:call speak", said, 1000)
            plain.connection.execute("DELETE FROM item")
            plain.checkpoint()
        report.add(Figures("a dialogue of two turns", ours, spent(before, turns)))
        before, ticks = written(), round(DAY_S / opened.settings.retention.sweep_s)
        for _ in range(ticks):
            bench.clock.ms += round(opened.settings.retention.sweep_s * 1000)
            sweep.run(opened)
            sweep.write_mark(opened)
            if session.log_is_due(opened):
                session.checkpoint(opened)
        report.add(Figures("the idle day after it (rows expire)", spent(before, 1)))
        before = written()
        for _ in range(ticks):
            bench.clock.ms += round(opened.settings.retention.sweep_s * 1000)
            sweep.run(opened)
            sweep.write_mark(opened)
        report.add(Figures("an idle day with nothing kept", spent(before, 1)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--folder", type=Path, help="on the disk to be judged")
    parser.add_argument("--quick", action="store_true", help="fewer turns, a smaller large file")
    args = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="store-benchmark-", dir=args.folder))
    report = Report()
    gc.disable()
    try:
        bench = Bench(folder, args.quick)
        for durable in (True, False):
            measure_append(bench, report, durable)
            measure_asynchronous(bench, report, durable)
        for measure in (measure_reading, measure_opening, measure_sweep, measure_wear,
                        measure_large):
            measure(bench, report)
    finally:
        shutil.rmtree(folder)
    if args.json:
        args.json.write_text(json.dumps({
            "page_size": PAGE_SIZE, "log_bytes": room.LOG_BYTES, "cpus": os.cpu_count(),
            "load": os.getloadavg(), "lines": [asdict(line) for line in report.lines]}, indent=1))


if __name__ == "__main__":
    main()

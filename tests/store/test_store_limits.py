"""A full disk, a full quota and a failing disk: no false acknowledgement, and it recovers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from agent.store import ContextStore, NewItem, StoreError, StoreFullError, verify
from agent.store.engine import Engine
from agent.store.room import BALLAST_BYTES, ballast_path

DAY = 86_400
HERE = Path(__file__).parent


@pytest.fixture
def small_disk() -> Any:
    """A file system of 3 MiB of its own; skips where none may be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="small-disk-"))
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=700", "tmpfs", folder],
                          capture_output=True, check=False)
    if done.returncode:
        folder.rmdir()
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    folder.rmdir()


async def fill(store: Any, first: Any, limit: Any = 5000) -> Any:
    """Append until the store is full; the numbers of what was acknowledged."""
    acknowledged = []
    for n in range(first, first + limit):
        try:
            await store.append(f"d{n}", 0, "utterance expect-speech",
                               [NewItem("said", f"text {n} " + "x" * 2000)])
        except StoreFullError:
            return acknowledged
        acknowledged.append(n)
    raise AssertionError("the store never became full")


async def all_there(store: Any, acknowledged: Any) -> None:
    for n in acknowledged:
        items = await store.open_rounds(f"d{n}")
        assert [i.text.split(" x")[0] for i in items] == [f"text {n}"]


async def becomes_full_and_recovers(place: Any) -> None:
    async with await ContextStore.open(place.settings, place.surroundings) as store:
        kept = await fill(store, 0)
        assert len(kept) > 50
        await all_there(store, kept)
        assert await store.get(f"d{kept[-1] + 1}", 0) is None
        with pytest.raises(StoreFullError):
            await store.append("more", 0, "utterance", [NewItem("said", "x" * 100_000)])
        await all_there(store, kept[:3])
        place.clock.pass_s(DAY)
        again = await fill(store, 10_000)
        assert len(again) > len(kept) * 0.5, "expiry freed the room, without being asked"
        await all_there(store, again)
        await store.close_dialogue(f"d{again[0]}")
        place.clock.pass_s(DAY)
        await store.sweep()
        assert (await store.overview()).kinds == ()
    with place.open() as session:
        verify.in_full(session.connection, session.path)


def test_a_full_quota(place: Any) -> None:
    asyncio.run(becomes_full_and_recovers(place.with_settings(quota_mib=1, durable=False)))
    assert place.path.stat().st_size <= 1024 * 1024 + 64 * 2048


def test_a_full_disk(place: Any, small_disk: Any) -> None:
    asyncio.run(becomes_full_and_recovers(
        place.with_settings(directory=small_disk / "state", durable=False)))


def test_a_disk_filled_by_someone_else(place: Any, small_disk: Any) -> None:
    """Not even the ballast can be had back: reads and expiry still work, writes resume later."""
    here = place.with_settings(directory=small_disk / "state", durable=False)

    async def scenario() -> None:
        async with await ContextStore.open(here.settings, here.surroundings) as store:
            kept = []
            for n in range(60):
                await store.append(f"d{n}", 0, "utterance expect-speech",
                                   [NewItem("said", f"text {n} x")])
                kept.append(n)
            assert ballast_path(here.path).stat().st_size == BALLAST_BYTES
            hog = small_disk / "hog"
            with contextlib.suppress(OSError), hog.open("wb", buffering=0) as file:
                while True:
                    file.write(bytes(4096))
            refused = 0
            for n in range(100, 160):
                try:
                    await store.append(f"d{n}", 0, "utterance expect-speech",
                                       [NewItem("said", f"text {n} x" + "x" * 20_000)])
                    kept.append(n)
                except StoreFullError:
                    refused += 1
                with contextlib.suppress(OSError), hog.open("ab", buffering=0) as file:
                    while True:
                        file.write(bytes(4096))
            assert refused
            await all_there(store, kept)
            here.clock.pass_s(DAY)
            await store.sweep()
            assert (await store.overview()).kinds == ()
            hog.unlink()
            await store.append("d200", 0, "utterance", [NewItem("said", "text 200 x")])
            await all_there(store, [200])
    asyncio.run(scenario())


def test_opening_on_a_full_disk_after_a_crash(place: Any, small_disk: Any) -> None:
    here = place.with_settings(directory=small_disk / "state", durable=False)
    engine = Engine(here.settings, here.surroundings)
    engine.start().result()
    from agent.store import interactions

    for n in range(5):
        engine.submit(lambda s, n=n: interactions.append(
            s, f"d{n}", 0, "utterance", [NewItem("said", "hello")])).result()
    shutil.copytree(here.settings.directory, small_disk / "crashed")
    engine.stop()
    shutil.rmtree(here.settings.directory)
    (small_disk / "crashed").rename(here.settings.directory)
    ballast_path(here.path).write_bytes(bytes(BALLAST_BYTES))
    with contextlib.suppress(OSError), (small_disk / "hog").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    session = here.session()
    assert len(interactions.open_rounds(session, "d4", 1)) == 1
    session.connection.close()


# --- a failing disk -------------------------------------------------------------------------------

WORK = """
import asyncio, json, sys
from pathlib import Path
from agent.store import ContextStore, NewItem, Settings, StoreError

async def work():
    kept, errors = [], []
    settings = Settings(directory=Path(sys.argv[1]))
    try:
        async with await ContextStore.open(settings) as store:
            for n in range(40):
                try:
                    await store.append(f"d{n}", 0, "utterance expect-speech",
                                       [NewItem("said", f"text {n}")])
                    kept.append(n)
                except StoreError as error:
                    errors.append(type(error).__name__)
                if n % 10 == 9:
                    try:
                        await store.checkpoint()
                    except StoreError as error:
                        errors.append(type(error).__name__)
    except StoreError as error:
        errors.append(type(error).__name__)
    print(json.dumps([kept, errors]))

asyncio.run(work())
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: Any) -> Any:
    """The library that makes calls fail; skips where there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        pytest.skip("no C compiler to build the failing-disk shim with")
    library = tmp_path_factory.mktemp("shim") / "faulty_io.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, HERE / "faulty_io.c", "-ldl"],
                   check=True)
    return library


def run_with_fault(
        shim: Any, folder: Any, memory: Any, call: Any, at: Any, count: Any, number: Any
) -> Any:
    environ = {**os.environ, "LD_PRELOAD": str(shim), "FAULT_CALL": call, "FAULT_AT": str(at),
               "FAULT_COUNT": str(count), "FAULT_ERRNO": str(number),
               "XDG_RUNTIME_DIR": str(memory)}
    done = subprocess.run([sys.executable, "-c", WORK, folder], env=environ, text=True,
                          capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    kept, errors = json.loads(done.stdout)
    return kept, errors


def reread(folder: Any, memory: Any) -> Any:
    """What a healthy process finds afterwards, or the error it gets."""
    from agent.store import Settings, Surroundings

    async def look() -> Any:
        settings = Settings(directory=folder)
        near = Surroundings(environ={"XDG_RUNTIME_DIR": str(memory)})
        async with await ContextStore.open(settings, near) as store:
            found = []
            for n in range(40):
                if await store.get(f"d{n}", 0):
                    items = await store.open_rounds(f"d{n}")
                    assert [i.text for i in items] == [f"text {n}"]
                    found.append(n)
            return found
    return asyncio.run(look())


def inject(shim: Any, tmp_path: Any, memory: Any, faults: Any) -> Any:
    met = 0
    for n, (call, at, count, number) in enumerate(faults):
        folder = tmp_path / f"state{n}"
        asyncio.run(_make(folder, memory))
        kept, errors = run_with_fault(shim, folder, memory, call, at, count, number)
        met += bool(errors)
        found = reread(folder, memory)
        assert set(kept) <= set(found), (call, at, count, number)
    return met


async def _make(folder: Any, memory: Any) -> None:
    from agent.store import Settings, Surroundings

    store = await ContextStore.open(Settings(directory=folder), Surroundings(
        environ={"XDG_RUNTIME_DIR": str(memory)}))
    await store.close()


FAULTS = [(call, at, count, number)
          for call in ("write", "sync", "truncate", "any")
          for at in (1, 4, 9, 23, 57, 120)
          for count, number in ((1, errno.EIO), (10_000, errno.EIO), (3, errno.ENOSPC))]


def test_a_failing_disk_acknowledges_nothing_that_is_not_there(
        shim: Any, tmp_path: Any, memory: Any
) -> None:
    assert inject(shim, tmp_path, memory, FAULTS[5::7]) >= 5


@pytest.mark.long
def test_every_kind_of_failing_disk(shim: Any, tmp_path: Any, memory: Any) -> None:
    assert inject(shim, tmp_path, memory, FAULTS) >= 30


def test_writes_beyond_a_file_size_limit_are_refused_and_the_store_survives(place: Any) -> None:
    """RLIMIT_FSIZE: needs neither a mount nor a compiler."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    async def scenario() -> None:
        async with await ContextStore.open(place.settings, place.surroundings) as store:
            await store.append("d0", 0, "utterance", [NewItem("said", "text 0 x")])
            resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
            try:
                with pytest.raises(StoreError):
                    for n in range(1, 400):
                        await store.append(f"d{n}", 0, "utterance",
                                           [NewItem("said", f"text {n} x" + "x" * 3000)])
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
            await all_there(store, range(n))
            await store.append("last", 0, "utterance", [NewItem("said", "later")])
    asyncio.run(scenario())

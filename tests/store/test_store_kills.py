"""SIGKILL at any instant: nothing acknowledged is lost, and the store always opens."""

from __future__ import annotations

import os
import random
import select
import signal
import sys
import time
from typing import Any

import pytest

from agent.store import NewItem, interactions, replacing, roots, session, verify
from agent.store.connection import connect

EVENTS = "utterance speak expect-speech"


def in_child(work: Any) -> Any:
    """Fork, do the work with a pipe to write to, and return (pid, the pipe's reading end)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        work(writing)
    finally:
        os._exit(0)


def wait(pid: Any) -> Any:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def read_acknowledged(reading: Any) -> Any:
    data = b""
    while chunk := os.read(reading, 65536):
        data += chunk
    os.close(reading)
    return len(data)


def kill_at(statement: Any, place_in_run: Any) -> Any:
    """A trace callback that kills this process at the n-th statement that begins so."""
    left = place_in_run

    def trace(sql: Any) -> None:
        nonlocal left
        if sql.startswith(statement):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    return trace


def write_turns(place: Any, dialogue: Any, trace: Any = None) -> Any:
    def work(writing: Any) -> None:
        opened = place.session()
        session.prepare(opened)
        if trace:
            opened.connection.set_trace_callback(trace)
        for turn in range(200):
            interactions.append(opened, dialogue, turn, EVENTS,
                                [NewItem("said", f"said {turn}"), NewItem("reply", "x" * 300)])
            os.write(writing, b".")
            if turn % 7 == 6:
                session.checkpoint(opened)
    return work


def check(place: Any, dialogue: Any, acknowledged: Any) -> None:
    """Open after a kill, which checks everything, and count what is there."""
    with place.open() as opened:
        verify.in_full(opened.connection, opened.path)
        said = [i.text for i in interactions.open_rounds(opened, dialogue, 500)
                if i.kind == "said"]
        assert said == [f"said {turn}" for turn in range(len(said))]
        assert acknowledged <= len(said) <= acknowledged + 1
        items, referred = opened.connection.execute(
            "SELECT (SELECT count(*) FROM item), (SELECT count(*) * 2 FROM interaction)"
        ).fetchone()
        assert items == referred, "half a transaction is in the store"


HALVES = ("INSERT INTO item", "INSERT INTO interaction", "UPDATE meta", "COMMIT")


def kill_amid_writes(place: Any, count: Any, seed: Any) -> None:
    chance = random.Random(seed)
    seen = {"by time": 0, **dict.fromkeys(HALVES, 0)}
    for n in range(count):
        dialogue = f"d{n}"
        how = ("by time", *HALVES)[n % 5]
        trace = None if how == "by time" else kill_at(how, chance.randint(1, 12))
        pid, reading = in_child(write_turns(place, dialogue, trace))
        if how == "by time":
            select.select([reading], [], [], 5)
            time.sleep(chance.uniform(0, 0.03))
            os.kill(pid, signal.SIGKILL)
        assert wait(pid) == -signal.SIGKILL
        seen[how] += 1
        check(place, dialogue, read_acknowledged(reading))
    assert min(seen.values()) >= count // 5


def test_kills_amid_writes(place: Any) -> None:
    kill_amid_writes(place, 25, seed=1)


@pytest.mark.long
def test_two_hundred_kills_amid_writes(place: Any) -> None:
    kill_amid_writes(place, 200, seed=2)


def rotation(place: Any, stop_at: Any = None, report: Any = None) -> Any:
    """Rotate the key; die at, or report, the n-th function call, C functions included."""
    def work(writing: Any) -> None:
        count = 0

        def profile(_frame: Any, event: Any, _argument: Any) -> None:
            nonlocal count
            if event in ("call", "c_call"):
                count += 1
                if count == stop_at:
                    os.kill(os.getpid(), signal.SIGKILL)
        sys.setprofile(profile)
        replacing.rotate(place.settings, clock=place.clock, environ=place.environ)
        sys.setprofile(None)
        if report:
            os.write(writing, f"{count}".encode())
    return work


def opens(place: Any, root: Any) -> Any:
    connection = connect(place.path, root.database_key, "ro")
    try:
        return connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] > 0
    except Exception:
        return False
    finally:
        connection.close()


def kill_amid_rotation(place: Any, count: Any) -> None:
    with place.open() as opened:
        for turn in range(10):
            interactions.append(opened, "d1", turn, EVENTS, [NewItem("said", f"said {turn}")])
    pid, reading = in_child(rotation(place, report=True))
    assert wait(pid) == 0
    calls = int(os.read(reading, 100))
    os.close(reading)
    survived = {"old": 0, "new": 0}
    for n in range(count):
        old = roots.load(place.settings.key_path, {}).current
        pid, reading = in_child(rotation(place, stop_at=1 + n * (calls - 1) // (count - 1)))
        assert wait(pid) == -signal.SIGKILL
        os.close(reading)
        at_hand = roots.load(place.settings.key_path, {}).all
        usable = [root for root in {old, *at_hand} if opens(place, root)]
        assert len(usable) == 1, "exactly one key opens the store"
        survived["old" if usable == [old] else "new"] += 1
        with place.open() as opened:
            verify.in_full(opened.connection, opened.path)
            said = [i.text for i in interactions.open_rounds(opened, "d1", 50)]
            assert said == [f"said {turn}" for turn in range(10)]
        assert roots.load(place.settings.key_path, {}).all == tuple(usable)
    assert survived["old"] and survived["new"]


def test_kills_amid_rotation(place: Any) -> None:
    kill_amid_rotation(place, 12)


@pytest.mark.long
def test_fifty_kills_amid_rotation(place: Any) -> None:
    kill_amid_rotation(place, 50)


def test_kills_amid_the_making_of_a_store(place: Any, tmp_path: Any) -> None:
    for n in range(8):
        here = place.with_settings(directory=tmp_path / f"new{n}")

        def work(_writing: Any, here: Any = here, stop_at: Any = 20 + n * n * 30) -> None:
            count = 0

            def profile(_frame: Any, event: Any, _argument: Any) -> None:
                nonlocal count
                count += 1
                if count == stop_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            sys.setprofile(profile)
            here.session()
        pid, reading = in_child(work)
        wait(pid)
        os.close(reading)
        with here.open() as opened:
            assert interactions.append(opened, "d1", 0, "wake").version == 1

"""When an attempt is made: full jitter, the breaker, nudges, news of the network."""

from __future__ import annotations

import random
import socket
import threading
import time
from typing import Any

import pytest

from agent.sync.backoff import Breaker, Pace
from agent.sync.diagnosis import fault
from agent.sync.faults import Kind
from agent.sync.network import NetworkWatch
from agent.sync.status import Status
from agent.sync.worker import Work, Worker

DAY_S = 86_400


class Time:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_delays_are_spread_from_nothing_to_a_bound_that_doubles_up_to_five_minutes() -> None:
    pace = Pace(open_after=99)
    for failures, bound in ((1, 0.5), (2, 1.0), (5, 8.0), (10, 256.0), (11, 300.0), (40, 300.0)):
        drawn = []
        for seed in range(400):
            breaker = Breaker(pace, Time(), random.Random(seed).uniform, failures=failures - 1)
            drawn.append(breaker.failed())
        assert 0 <= min(drawn) < 0.05 * bound and 0.95 * bound < max(drawn) <= bound
        assert 0.4 * bound < sum(drawn) / len(drawn) < 0.6 * bound


def attempts_in_a_day(reasons_every_s: float = 0.0) -> int:
    """A day without a cloud and with something to send; perhaps with reasons to probe."""
    now = Time()
    breaker = Breaker(Pace(), now, random.Random(3).uniform)
    count, end, next_reason = 0, now.now + DAY_S, now.now + (reasons_every_s or 2 * DAY_S)
    while now.now < end:
        if breaker.wait_s == 0:
            count += 1
            breaker.failed()
            continue
        if now.now + breaker.wait_s >= next_reason:
            now.now, next_reason = next_reason, next_reason + reasons_every_s
            breaker.hurry()
        else:
            now.now += breaker.wait_s
    return count


def test_a_day_without_a_cloud_is_at_most_three_hundred_attempts() -> None:
    assert 200 < attempts_in_a_day() <= 300


def test_reasons_to_probe_are_limited_while_the_breaker_is_open() -> None:
    now = Time()
    breaker = Breaker(Pace(), now)
    for _ in range(6):
        breaker.failed()
        now.now += 400
    breaker.failed()
    assert breaker.open and breaker.wait_s > 200
    assert breaker.hurry() and breaker.wait_s == 0
    breaker.failed()
    assert not breaker.hurry() and breaker.wait_s > 200
    now.now += 11
    assert breaker.hurry()
    breaker.succeeded()
    assert not breaker.open and breaker.wait_s == 0


QUICK = Pace(first_s=0.01, cap_s=0.02, open_after=3, rest_s=60.0, probe_s=0.05, settle_s=0.01)


class Tried:
    """Counts attempts, and fails while told to."""

    def __init__(self) -> None:
        self.count, self.caught_up, self.broken = 0, 0, False
        self.event = threading.Event()

    def send(self) -> None:
        self.count += 1
        self.event.set()
        if self.broken:
            raise fault(Kind.UNREACHABLE)

    def catch_up(self) -> None:
        self.caught_up += 1


@pytest.fixture
def worker() -> Any:
    made: list[Worker] = []

    def make(tried: Tried, watch: NetworkWatch | None = None, pace: Pace = QUICK) -> Worker:
        made.append(Worker(Work(tried.send, tried.catch_up), Breaker(pace), Status(), watch))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.stop()


def settled(tried: Tried) -> int:
    before = -1
    while before != tried.count:
        before = tried.count
        time.sleep(0.2)
    return before


def test_a_worker_tries_at_the_start_and_then_only_when_nudged(worker: Any) -> None:
    tried = Tried()
    one = worker(tried)
    assert settled(tried) == 2 and tried.caught_up == 1  # what catching up brought may be sent on
    for _ in range(100):
        one.nudge()
    assert settled(tried) in (3, 4) and tried.caught_up == 1


def test_an_open_breaker_holds_nudges_back(worker: Any) -> None:
    tried = Tried()
    tried.broken = True
    one = worker(tried)
    assert settled(tried) == 3
    for _ in range(20):
        one.nudge()
    assert settled(tried) == 3
    tried.broken = False
    one.recovered()  # a pull went through
    assert settled(tried) >= 4


class Told:
    """A network watch whose news come from a test."""

    def __init__(self) -> None:
        self.socket, self.ours = socket.socketpair()
        self.socket.setblocking(False)

    def clear(self) -> bool:
        try:
            return bool(self.socket.recv(100))
        except BlockingIOError:
            return False

    def close(self) -> None:
        self.socket.close()


def test_a_changed_network_is_reason_for_one_attempt(worker: Any) -> None:
    tried, told = Tried(), Told()
    tried.broken = True
    worker(tried, told)
    assert settled(tried) == 3
    told.ours.send(b"news")
    assert settled(tried) == 4
    for _ in range(5):  # a flapping link
        told.ours.send(b"news")
    assert settled(tried) <= 6
    tried.broken = False
    time.sleep(0.1)
    told.ours.send(b"news")
    assert settled(tried) >= 5


def test_the_kernel_tells_of_a_new_address() -> None:
    """A real netlink socket and a real change, where this machine may make one."""
    import shutil
    import subprocess
    watch = NetworkWatch()
    if watch.socket is None:
        pytest.skip("this system has no netlink")
    tool = shutil.which("ip")
    if tool is None:
        watch.close()
        pytest.skip("there is no `ip` to change an address with")
    assert not watch.clear()
    added = subprocess.run([tool, "addr", "add", "127.9.9.9/32", "dev", "lo"],
                           capture_output=True, check=False)
    if added.returncode:
        watch.close()
        pytest.skip("no right to change an address")
    try:
        time.sleep(0.1)
        assert watch.clear() and not watch.clear()
    finally:
        subprocess.run([tool, "addr", "del", "127.9.9.9/32", "dev", "lo"], check=False)
        watch.close()
        watch.close()


def test_an_error_that_nobody_foresaw_is_named_by_its_type_alone(
        worker: Any, caplog: pytest.LogCaptureFixture) -> None:
    tried = Tried()

    def send() -> None:
        tried.count += 1
        raise RuntimeError("the words of somebody")
    tried.send = send  # type: ignore[method-assign]
    one = worker(tried)
    assert settled(tried) == 3
    (trouble,) = one._status.report.troubles
    assert trouble.kind == "unknown" and "RuntimeError" in trouble.what
    assert "words of somebody" not in caplog.text

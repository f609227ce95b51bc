from __future__ import annotations

import subprocess
import sys

import pytest

from agent.asr.worker import Worker


def test_calls_run_in_order_on_one_thread() -> None:
    worker = Worker("test")
    order: list[int] = []
    futures = [worker.submit(order.append, number) for number in range(50)]
    for future in futures:
        future.result(5)
    assert order == list(range(50))


def test_a_failure_reaches_the_caller_and_ends_nothing() -> None:
    worker = Worker("test")
    failing = worker.submit(int, "x")
    assert worker.submit(int, "7").result(5) == 7
    with pytest.raises(ValueError, match="invalid literal"):
        failing.result(5)


def test_a_call_under_way_does_not_hold_up_the_end_of_the_process() -> None:
    program = ("import time\nfrom agent.asr.worker import Worker\n"
               "Worker('test').submit(time.sleep, 60)\n")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)

"""Slow work on a thread of its own, and the count of what is outstanding."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from agent.worker import Worker, Workload


def test_results_and_errors_come_back_in_order() -> None:
    async def main() -> tuple[list[int], str]:
        worker = Worker("test")
        done: list[int] = []
        await asyncio.gather(*(worker.run(done.append, n) for n in range(20)))
        with pytest.raises(ValueError, match="no") as caught:
            await worker.run(int, "no")
        worker.close()
        return done, str(caught.value)

    done, _ = asyncio.run(main())
    assert done == list(range(20))


def test_calls_run_one_at_a_time_beside_the_loop() -> None:
    async def main() -> tuple[set[str], int]:
        worker, names, turns = Worker("beside"), set(), 0
        calls = [asyncio.create_task(worker.run(time.sleep, 0.02)) for _ in range(3)]
        while not all(call.done() for call in calls):
            await asyncio.sleep(0.001)
            turns += 1
        names.add(await worker.run(lambda: threading.current_thread().name))
        return names, turns

    names, turns = asyncio.run(main())
    assert names == {"beside"}
    assert turns > 3, "the loop went on meanwhile"


def test_a_call_whose_caller_is_gone_is_not_begun() -> None:
    async def main() -> list[str]:
        worker, done, begun = Worker("test"), [], threading.Event()
        hold = threading.Event()

        def first() -> None:
            begun.set()
            hold.wait(5)
            done.append("first")

        running = asyncio.create_task(worker.run(first))
        waiting = asyncio.create_task(worker.run(done.append, "second"))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        hold.set()
        await worker.run(done.append, "third")
        return done

    assert asyncio.run(main()) == ["first", "third"]


def test_a_call_in_progress_does_not_hold_up_the_end_of_the_process() -> None:
    program = ("import asyncio, time\n"
               "from agent.worker import Worker\n"
               "async def main():\n"
               "    asyncio.create_task(Worker('w').run(time.sleep, 60))\n"
               "    await asyncio.sleep(0.05)\n"
               "asyncio.run(main())")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20,
                   cwd=Path(__file__).parents[2])


def test_the_workload_is_idle_when_nothing_is_outstanding() -> None:
    async def main() -> list[str]:
        workload, seen = Workload(), []
        await workload.idle()

        async def wait() -> None:
            await workload.idle()
            seen.append("idle")

        with pytest.raises(ZeroDivisionError), workload.working():
            with workload.working():
                waiting = asyncio.create_task(wait())
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.01)
            seen.append("still working")
            raise ZeroDivisionError
        await waiting
        return seen

    assert asyncio.run(main()) == ["still working", "idle"]

"""Commands and the running agent share one store by turns."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.store import ContextStore, NewItem, StoreBusyError, guest, interactions, roots
from agent.store.engine import Engine
from agent.store.lock import StoreLock


@pytest.fixture
def agent(place: Any) -> Iterator[Engine]:
    """A running agent's store."""
    engine = Engine(place.settings, place.surroundings)
    engine.start().result()
    yield engine
    engine.stop()


def say(engine: Engine, turn: int = 0) -> Any:
    return engine.submit(lambda s: interactions.append(
        s, "d1", turn, "utterance expect-speech", [NewItem("said", f"text {turn}")])).result()


def texts(engine: Engine, row: Any) -> list[str]:
    return [i.text for i in engine.submit(lambda s: interactions.open_items(s, row)).result()]


def test_a_command_reads_the_store_of_a_running_agent(place: Any, agent: Engine) -> None:
    row = say(agent)
    with guest.visit(place.settings, place.surroundings) as visitor:
        assert texts(visitor, row) == ["text 0"]
    assert texts(agent, row) == ["text 0"]
    assert say(agent, 1).version == 1


def test_the_agents_calls_wait_while_a_command_has_the_store(place: Any, agent: Engine) -> None:
    row = say(agent)
    with guest.visit(place.settings, place.surroundings):
        waiting = agent.submit(lambda s: interactions.get(s, "d1", 0))
        time.sleep(0.1)
        assert not waiting.done()
    assert waiting.result(timeout=5) == row


def test_the_key_is_replaced_under_a_running_agent(place: Any, agent: Engine) -> None:
    row = say(agent)
    before = roots.load(place.settings.key_path, {})
    with guest.borrowed(place.settings):
        from agent.store import replacing

        replacing.rotate(place.settings, clock=place.clock, environ=place.environ)
    assert texts(agent, row) == ["text 0"]
    assert roots.load(place.settings.key_path, {}) != before


def test_erasing_under_a_running_agent_leaves_it_nothing(place: Any, agent: Engine) -> None:
    row = say(agent)
    assert guest.erase(place.settings, place.environ)
    assert texts(agent, row) == []
    assert not list(place.memory.rglob("*.key"))
    assert say(agent).version == 1


def test_a_second_agent_is_turned_away(place: Any, agent: Engine) -> None:
    with pytest.raises(StoreBusyError):
        asyncio.run(ContextStore.open(place.settings, place.surroundings))
    assert say(agent).version == 1


def test_a_command_that_died_does_not_keep_the_agent_waiting(place: Any, agent: Engine) -> None:
    row = say(agent)
    (place.settings.directory / "context.wanted").touch()
    time.sleep(0.5)
    started = time.monotonic()
    assert texts(agent, row) == ["text 0"]
    assert time.monotonic() - started < 4


def test_the_kernel_gives_a_dead_owners_lock_back(place: Any) -> None:
    place.settings.directory.mkdir()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        StoreLock(place.settings.directory).take()
        os.write(writing, b".")
        time.sleep(60)
        os._exit(0)
    os.read(reading, 1)
    mine = StoreLock(place.settings.directory)
    with pytest.raises(StoreBusyError):
        mine.take()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    mine.take()
    mine.release()


def test_stopping_the_agent_while_a_command_has_the_store(place: Any) -> None:
    engine = Engine(place.settings, place.surroundings)
    engine.start().result()
    say(engine)
    with guest.visit(place.settings, place.surroundings):
        started = time.monotonic()
        engine.stop()
        assert time.monotonic() - started < 3

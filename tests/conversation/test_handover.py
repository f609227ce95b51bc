"""A question that was left open is taken up at the next wake word, and costs the turn nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from agent.conversation.handover import HouseholdHandover
from agent.conversation.memory import StoredMemory
from agent.dialogue import Dialogue, Heard, Reply
from agent.dialogue.catalogue import CatalogueFiles
from agent.events import AgentState, EventBus, ExpectSpeech, PlaceCall, StateChanged
from agent.sharing import turns
from agent.store import BestEffortStore, Interaction, Settings
from agent.worker import Workload


class Device:
    """A dialogue, its store, and what it prepared for."""

    def __init__(self, folder: Path, store: BestEffortStore | None = None) -> None:
        self.store = store or BestEffortStore(Settings(directory=folder), print)
        self.dialogue = Dialogue(CatalogueFiles().load())
        self.memory = StoredMemory(self.store, lambda: (), keep_open=True)
        self.expected: list[ExpectSpeech] = []
        self.workload = Workload()
        self.handover = HouseholdHandover(
            self.store, self.dialogue, lambda question, row: self.expected.append(question),
            self.expected.clear, lambda: self.pull(), self.workload)
        self.pull: Callable[[], Awaitable[bool]] = nothing

    async def turn(self, text: str, *, look: bool = True) -> tuple[list[object], Interaction]:
        """A whole turn after a wake word."""
        self.memory.opened()
        self.handover.woken()
        await asyncio.sleep(0)
        if look:
            await self.workload.idle()
        self.memory.heard(text)
        left = self.handover.settle()
        reply = self.dialogue.respond(Heard(text))
        if reply.resumed:
            assert left is not None
            self.memory.resumed(left)
        row = await self.memory.replied(reply)
        assert row is not None
        return list(reply.directives), row

    def time_out(self) -> None:
        self.dialogue.timed_out()
        self.memory.timed_out()
        self.memory.closed()


async def nothing() -> bool:
    return False


def called(directives: list[object]) -> list[str]:
    return [d.contact for d in directives if isinstance(d, PlaceCall)]


def test_a_question_that_timed_out_is_answered_after_the_next_wake_word(tmp_path: Path) -> None:
    async def talk() -> None:
        device = Device(tmp_path)
        _, asked = await device.turn("call Meg")
        device.time_out()
        directives, answered = await device.turn("Bauer")
        assert called(directives) == ["Meg Bauer"]
        assert answered.dialogue_id == asked.dialogue_id
        assert answered.turn == asked.turn + 1
        assert answered.events[0] == "wake"
        assert device.expected, "recognition was prepared for the answer"
        assert await device.store.open_question() is None, "it has been answered"
        kept = await device.store.open_rounds(asked.dialogue_id)
        assert {item.kind for item in kept} <= {"consulted"}, "and what was said was deleted"
        await device.store.close()

    asyncio.run(talk())


def test_a_command_leaves_the_question_open(tmp_path: Path) -> None:
    async def talk() -> None:
        device = Device(tmp_path)
        _, asked = await device.turn("call Meg")
        device.time_out()
        _, other = await device.turn("what time is it")
        assert other.dialogue_id != asked.dialogue_id
        device.memory.closed()
        device.dialogue.close()
        directives, _ = await device.turn("Jones")
        assert called(directives) == ["Meg Jones"]
        await device.store.close()

    asyncio.run(talk())


def test_what_a_pull_brings_is_taken_up(tmp_path: Path) -> None:
    async def talk() -> None:
        async def pull() -> bool:
            await asyncio.sleep(0.05)
            await kitchen.turn("call Meg")
            return True

        kitchen = Device(tmp_path)
        hall = Device(tmp_path, kitchen.store)  # what is pulled is merged into a device's store
        hall.pull = pull
        directives, _ = await hall.turn("Bauer")
        assert called(directives) == ["Meg Bauer"]
        await kitchen.store.close()

    asyncio.run(talk())


def test_a_question_answered_elsewhere_meanwhile_is_dropped(tmp_path: Path) -> None:
    async def talk() -> None:
        async def pull() -> bool:
            await device.store.close_dialogue(asked.dialogue_id)
            return True

        device = Device(tmp_path)
        _, asked = await device.turn("call Meg")
        device.time_out()
        device.pull = pull
        directives, _ = await device.turn("Bauer")
        assert called(directives) == []
        assert not device.expected
        await device.store.close()

    asyncio.run(talk())


def test_a_question_that_cannot_be_played_again_costs_nothing_and_tells_nothing(
        tmp_path: Path, caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk() -> None:
        device = Device(tmp_path)
        await device.turn("call Meg")
        device.time_out()
        real = device.dialogue.respond

        def fails_once(heard: Heard) -> Reply:
            monkeypatch.setattr(device.dialogue, "respond", real)
            real(heard)
            raise KeyError(heard.text)

        monkeypatch.setattr(device.dialogue, "respond", fails_once)
        directives, _ = await device.turn("call Meg Bauer")
        assert called(directives) == ["Meg Bauer"]
        assert device.handover.settle() is None
        await device.store.close()

    asyncio.run(talk())
    assert "KeyError" in caplog.text
    assert "Meg" not in caplog.text


@pytest.mark.parametrize("slow", [0.5, 30.0])
def test_a_slow_pull_is_not_waited_for(slow: float, tmp_path: Path) -> None:
    async def talk() -> None:
        async def pull() -> bool:
            await asyncio.sleep(slow)
            return True

        device = Device(tmp_path)
        device.pull = pull
        async with asyncio.timeout(5):
            directives, _ = await device.turn("call Meg Bauer", look=False)
        assert called(directives) == ["Meg Bauer"]
        await asyncio.sleep(0)
        assert device.handover.settle() is None
        await device.store.close()

    asyncio.run(talk())


def test_the_cloud_knows_when_somebody_is_being_listened_to() -> None:
    bus = EventBus()
    in_turn = turns(bus)
    found = []
    for state in AgentState:
        bus.publish(StateChanged(0.0, state))
        if in_turn():
            found.append(state)
    assert set(found) == set(AgentState) - {AgentState.IDLE, AgentState.MUTED, AgentState.ERROR}

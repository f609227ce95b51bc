"""Making ready for an answer: in time, too late, or not at all; never waited for."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass

from agent.asr import Prepared, Recognition
from agent.biasing import Bias, builders
from agent.conversation.expecting import BestEffort
from agent.events import Event, EventBus, Expectation, ExpectSpeech, Fault
from agent.worker import Worker, Workload

QUESTION = ExpectSpeech(Expectation.NAME, ("Meg Jones", "Meg Bauer"))


@dataclass
class Ready:
    bias: Bias


class Preparing:
    """A recogniser that makes ready when it may, or fails."""

    name = "test"

    def __init__(self) -> None:
        self.may = threading.Event()
        self.may.set()
        self.fails = False

    def prepare(self, bias: Bias) -> Ready:
        self.may.wait(5)
        if self.fails:
            raise ValueError("Meg Bauer")
        return Ready(bias)

    def start(self, prepared: Prepared | None = None) -> Recognition:
        raise NotImplementedError


class Setting:
    def __init__(self) -> None:
        self.recogniser, self.workload, self.bus = Preparing(), Workload(), EventBus()
        self.events: list[Event] = []
        self.bus.subscribe(self.events.append)
        self.expecting = BestEffort(self.recogniser, Worker("context"), self.workload, self.bus,
                                    lambda: 7.0)


async def idle(setting: Setting) -> None:
    await asyncio.sleep(0)  # what was asked for begins
    await setting.workload.idle()


def said(prepared: Prepared | None) -> set[str]:
    return {phrase.text for phrase in prepared.bias.phrases} if prepared is not None else set()


def test_what_was_made_ready_in_time_is_used_once() -> None:
    async def main() -> None:
        setting = Setting()
        setting.expecting.expect(QUESTION)
        await idle(setting)
        assert {"Meg Jones", "Meg Bauer"} <= said(await setting.expecting.ready())
        assert await setting.expecting.ready() is None

    asyncio.run(main())


def test_what_is_late_is_not_waited_for_nor_used_later() -> None:
    async def main() -> None:
        setting = Setting()
        setting.recogniser.may.clear()
        setting.expecting.expect(QUESTION)
        assert await asyncio.wait_for(setting.expecting.ready(), 0.5) is None
        setting.recogniser.may.set()
        await idle(setting)
        assert await setting.expecting.ready() is None
        assert setting.events == []

    asyncio.run(main())


def test_a_question_takes_the_place_of_the_one_before() -> None:
    async def main() -> None:
        setting = Setting()
        setting.recogniser.may.clear()
        setting.expecting.expect(QUESTION)
        await asyncio.sleep(0.01)
        setting.expecting.expect(ExpectSpeech(Expectation.YES_NO, ("yes", "no")))
        setting.recogniser.may.set()
        await idle(setting)
        assert "Meg Jones" not in said(await setting.expecting.ready())

    asyncio.run(main())


def test_a_failure_is_told_without_the_names_and_leaves_nothing_ready() -> None:
    async def main() -> None:
        setting = Setting()
        setting.recogniser.fails = True
        setting.expecting.expect(QUESTION)
        await idle(setting)
        assert await setting.expecting.ready() is None
        assert setting.events == [Fault(7.0, "context", "ValueError")]

    asyncio.run(main())


def test_names_that_are_known_may_be_said_at_any_time() -> None:
    async def main() -> None:
        setting = Setting()
        assert setting.expecting.standing() is None
        names = builders.standing(builders.Catalogue(contacts=("Meg Jones",)), (), {})
        await setting.expecting.know(names)
        assert "Meg Jones" in said(setting.expecting.standing())
        setting.recogniser.fails = True
        await setting.expecting.know(names)
        assert setting.expecting.standing() is None

    asyncio.run(main())


def test_being_stopped_while_making_ready_is_no_failure() -> None:
    async def main() -> None:
        setting = Setting()
        setting.recogniser.may.clear()
        names = builders.standing(builders.Catalogue(contacts=("Meg Jones",)), (), {})
        knowing = asyncio.create_task(setting.expecting.know(names))
        await asyncio.sleep(0.01)
        knowing.cancel()
        await asyncio.wait([knowing])
        assert knowing.cancelled()
        setting.recogniser.may.set()
        assert setting.events == []

    asyncio.run(main())

"""Windows one after another: each serves its own question, and names are known at any time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.biasing import Bias
from agent.context.encoder import Encoder
from agent.events import Expectation, ExpectSpeech, Fault
from agent.store import NewItem


def run(scenario: Any) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 60))


def test_a_question_takes_the_place_of_the_one_before(bench: Any, texts_of: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        bench.ask()
        await asyncio.sleep(0.01)
        prepared, _ = await bench.hear(question=ExpectSpeech(Expectation.YES_NO, ("yes", "no")))
        assert {"yes", "no"} <= set(texts_of(prepared))
        assert prepared.bias.expectation is Expectation.YES_NO
        await bench.close()
    run(scenario())


def test_what_is_late_is_not_used_later(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        bench.recogniser.let.clear()
        assert (await bench.hear(0.4))[0] is None
        bench.recogniser.let.set()
        await asyncio.sleep(0.1)
        assert await bench.expecting.ready() is None
        await bench.close()
    run(scenario())


def test_a_catalogue_that_cannot_be_prepared_is_told_without_its_names(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        assert bench.expecting.standing() is not None

        def fail(bias: Bias) -> Any:
            raise ValueError("Meg Bauer")
        bench.recogniser.prepare = fail
        bench.events.clear()
        await bench.expecting.know(bench.expecting._known.sayable.bias)
        assert bench.expecting.standing() is None
        assert bench.events == [Fault(0.0, "context", "ValueError")]
        bench.events.clear()
        prepared, _ = await bench.hear()
        assert prepared is None and bench.outcome() == "failed"
        assert "Meg" not in str(bench.events)
        await bench.close()
    run(scenario())


def test_being_stopped_while_learning_names_is_no_failure(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open(())
        bench.recogniser.let.clear()
        knowing = asyncio.create_task(bench.expecting.know(bench.expecting._known.sayable.bias))
        await asyncio.sleep(0.01)
        knowing.cancel()
        await asyncio.wait([knowing])
        bench.recogniser.let.set()
        assert knowing.cancelled()
        assert not any(isinstance(event, Fault) for event in bench.events)
        await bench.close()
    run(scenario())


def test_without_context_every_answer_is_recognised_plainly(folder: Path,
                                                            bench_type: Any) -> None:
    from agent.context.settings import Settings
    from agent.store import Settings as StoreSettings

    bench = bench_type(StoreSettings(directory=folder / "state"),
                       settings=Settings(enabled=False))

    async def scenario() -> None:
        await bench.open()
        prepared, waited = await bench.hear(0.1)
        assert prepared is None and waited < 0.05 and bench.events == []
        assert bench.expecting.standing() is not None
        await bench.close()
    run(scenario())


@pytest.mark.parametrize("kind", ["places", "screen", "consulted"])
def test_names_of_before_another_wake_word_are_likely(bench: Any, texts_of: Any,
                                                      kind: str) -> None:
    async def scenario() -> None:
        await bench.open()
        await bench.store.append("earlier", 0, "utterance speak", [
            NewItem("said", "find coffee"), NewItem(kind, '["Blue Door"]')])
        await bench.store.close_turn("earlier", 0)
        await bench.store.close_dialogue("earlier")
        said = [NewItem("said", "give me directions"), NewItem("reply", "Where to?")]
        prepared, _ = await bench.hear(question=ExpectSpeech(Expectation.FREE), texts=said)
        weights = texts_of(prepared)
        assert max(weights, key=lambda text: weights[text]) == "Blue Door"
        await bench.close()
    run(scenario())


def test_twenty_turns_are_ready_before_the_shortest_reply_is_over(
        bench: Any, model_path: Callable[[str], Path]) -> None:
    encoder = Encoder(model_path("context-encoder"))
    bench.make_encoder = lambda: encoder

    async def scenario() -> list[str]:
        await bench.open()
        outcomes = []
        for _ in range(20):
            bench.events.clear()
            # Processor time: what else runs on the machine is not the window's fault.
            start, over = time.process_time(), time.perf_counter() + 5
            bench.ask()
            while (time.process_time() - start < 0.8 and time.perf_counter() < over
                   and "prepared" not in bench.steps()):
                await asyncio.sleep(0.01)
            await bench.expecting.ready()
            outcomes.append(bench.outcome())
        await bench.close()
        return outcomes
    outcomes = run(scenario())
    # Encoding is given up after some wall time, so that the vector may be missing now and then.
    assert outcomes.count("ready") >= 10
    assert outcomes.count("ready") + outcomes.count("no-vector") >= 19


@pytest.mark.parametrize("broken", ["rounds", "carried"])
def test_no_window_outlives_its_turn(bench: Any, broken: str, monkeypatch: Any) -> None:
    async def scenario() -> None:
        await bench.open()

        before = len(asyncio.all_tasks())

        async def never(*given: Any) -> Any:
            await asyncio.sleep(3600)
        monkeypatch.setattr(bench.parts.items, broken, never)
        assert (await bench.hear(0.1))[0] is None
        bench.expecting.drop()
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == before
        await bench.workload.idle()
        await bench.close()
    run(scenario())

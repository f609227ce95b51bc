"""Whatever fails in a window, the turn goes on in the same time, and the next one is healthy."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from agent.context.encoder import Encoder
from agent.context.settings import Settings
from agent.events import ContextStep, Expectation, ExpectSpeech
from agent.store import NewItem, StoreError
from agent.store.lock import StoreLock

PROMPT = 0.05
"""Seconds that reopening the microphone may wait for a window."""

TEXTS = (NewItem("said", "call Meg"), NewItem("reply", "Which Meg?"))


def run(scenario: Any) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 30))


async def healthy(bench: Any) -> None:
    prepared, waited = await bench.hear()
    assert prepared is not None and bench.outcome() == "ready"
    assert waited < PROMPT
    assert bench.steps() == ["items", "signals", "encoded", "selected", "prepared"]


def test_a_healthy_window_prefers_what_the_context_speaks_of(bench: Any, texts_of: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        said = [NewItem("said", "i want a coffee shop"), NewItem("reply", "Which one?")]
        prepared, _ = await bench.hear(question=ExpectSpeech(Expectation.FREE), texts=said)
        weights = texts_of(prepared)
        assert max(weights, key=lambda text: weights[text]) == "Blue Door"
        assert bench.outcome() == "ready"
        assert not any(e.startswith("context") for e in await bench.row(0))
        assert bench.expecting.vectors is not None and bench.expecting.vectors.shape == (2, 384)
        bench.expecting.drop()
        assert bench.expecting.vectors is None
        await bench.close()
    run(scenario())


def missing() -> Any:
    return Encoder(Path("/nowhere"))


def raising() -> None:
    raise RuntimeError("call Meg")


def sleeping() -> None:
    time.sleep(10)


async def without_vector(bench: Any, texts_of: Any, turn: int) -> None:
    shown = NewItem("screen", '["Golden Fork"]')
    prepared, waited = await bench.hear(texts=[NewItem("said", "call Meg"), shown])
    assert waited < PROMPT
    assert bench.outcome() == "no-vector"
    weights = texts_of(prepared)
    assert weights["Meg Bauer"] > weights["Tom Reed"]
    assert weights["Golden Fork"] > weights["Blue Door"]
    assert "context:no-vector" in await bench.row(turn)


def test_without_the_encoder_s_file_expectation_and_recency_choose(bench: Any,
                                                                   texts_of: Any) -> None:
    bench.make_encoder = missing

    async def scenario() -> None:
        await bench.open()
        for turn in range(2):
            await without_vector(bench, texts_of, turn)
        await bench.close()
    run(scenario())


def test_a_damaged_encoder_file_is_as_good_as_none(bench: Any, texts_of: Any,
                                                   folder: Path) -> None:
    (folder / "encoder.onnx").write_bytes(b"\x08\x07" + bytes(4096))
    (folder / "tokenizer.json").write_text("{")
    bench.make_encoder = lambda: Encoder(folder)

    async def scenario() -> None:
        await bench.open()
        await without_vector(bench, texts_of, 0)
        await bench.close()
    run(scenario())
    assert "Meg" not in str(bench.events)


@pytest.mark.parametrize("disturb", [raising, sleeping])
def test_an_encoder_that_fails_costs_the_vector_alone(bench: Any, texts_of: Any,
                                                      disturb: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        bench.encoder.disturb = disturb
        await without_vector(bench, texts_of, 0)
        bench.encoder.disturb = lambda: None
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_where_windows_were_too_short_there_is_first_a_bias_without_a_vector(
        bench: Any, texts_of: Any) -> None:
    bench.settings = Settings(encode_ms=10_000)

    async def scenario() -> None:
        await bench.open()
        bench.encoder.disturb = lambda: time.sleep(1.5)
        long = NewItem("reply", "Which of them shall I call? " * 20)
        given = {"texts": [NewItem("said", "call Meg"), long]}
        prepared, waited = await bench.hear(0.3, **given)
        assert prepared is None and waited < PROMPT and bench.outcome() == "late"
        prepared, waited = await bench.hear(0.9, **given)
        assert waited < PROMPT and bench.outcome() == "no-vector"
        assert texts_of(prepared)["Meg Bauer"] > texts_of(prepared)["Tom Reed"]
        assert "context:no-vector" in await bench.row(1)
        bench.encoder.disturb = lambda: None
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_store_that_is_held_up_leaves_plain_recognition(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        blocked = bench.store.store.run(lambda session: time.sleep(1.5))
        prepared, waited = await bench.hear(0.4)
        assert prepared is None and waited < PROMPT and bench.outcome() == "late"
        await blocked
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_store_in_other_hands_leaves_plain_recognition(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        await bench.close()
        lock = StoreLock(bench.store_settings.directory)
        lock.take()
        await bench.open()
        prepared, waited = await bench.hear(0.6)
        assert prepared is None and waited < PROMPT
        assert bench.outcome() in ("failed", "late")
        await bench.close()
        lock.release()
        await bench.open()
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_lost_root_key_leaves_plain_recognition(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        await bench.close()
        path = bench.store_settings.key_path
        key = path.read_bytes()
        path.unlink()
        await bench.open()
        prepared, waited = await bench.hear()
        assert prepared is None and waited < PROMPT and bench.outcome() == "failed"
        await bench.close()
        path.write_bytes(key)
        path.chmod(0o600)
        await bench.open()
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_texts_that_cannot_be_unsealed_leave_plain_recognition(bench: Any,
                                                               monkeypatch: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        store = bench.store.store
        with monkeypatch.context() as patched:
            async def refused(dialogue: str, count: int) -> Any:
                raise StoreError("the key is lost", "")
            patched.setattr(store, "open_rounds", refused)
            prepared, waited = await bench.hear()
        assert prepared is None and waited < PROMPT and bench.outcome() == "failed"
        assert "context:failed" in await bench.row(0)
        await healthy(bench)
        await bench.close()
    run(scenario())


@pytest.mark.parametrize(("expired", "outcome"), [("kind = 'said'", "ready"),
                                                  ("1", "failed")])
def test_texts_that_expire_before_they_are_read_are_left_out(bench: Any, expired: str,
                                                             outcome: str) -> None:
    async def scenario() -> None:
        await bench.open()
        row = await bench.store.append("d1", 0, "utterance speak expect-speech", list(TEXTS))

        def expire(session: Any) -> None:
            session.connection.execute(f"UPDATE item SET expires_at = 1 WHERE {expired}")
        await bench.store.store.run(expire)
        done = asyncio.get_running_loop().create_future()
        done.set_result(row)
        bench.expecting.expect(ExpectSpeech(Expectation.NAME), done)
        await asyncio.sleep(0.4)
        start = time.perf_counter()
        prepared = await bench.expecting.ready()
        assert time.perf_counter() - start < PROMPT
        assert bench.outcome() == outcome and (prepared is not None) == (outcome == "ready")
        bench.turn = 1
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_very_long_text_takes_no_longer(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        long = NewItem("said", "call the dentist about my tooth " * 1_600)
        prepared, waited = await bench.hear(texts=[long, NewItem("reply", "Who?")])
        assert prepared is not None and waited < PROMPT and bench.outcome() == "ready"
        assert max(map(len, bench.encoder.encoded)) < 1_000
        await healthy(bench)
        await bench.close()
    run(scenario())


@pytest.mark.parametrize("step", ["items", "signals", "encoded", "selected", "prepared"])
def test_a_window_can_be_cancelled_after_every_step(bench: Any, step: str) -> None:
    async def scenario() -> None:
        await bench.open()
        bench.bus.subscribe(lambda event: bench.expecting.drop()
                            if isinstance(event, ContextStep) and event.step == step
                            and bench.turn == 1 else None)
        prepared, waited = await bench.hear()
        assert prepared is None and waited < PROMPT and bench.outcome() == "cancelled"
        assert bench.steps()[-1] == step
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_recogniser_that_is_not_ready_in_time_is_not_waited_for(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        bench.recogniser.let.clear()
        prepared, waited = await bench.hear(0.4)
        assert prepared is None and waited < PROMPT and bench.outcome() == "late"
        assert "context:late" in await bench.row(0)
        stuck = bench.recogniser
        bench.parts.recogniser = type(stuck)()
        await healthy(bench)
        stuck.let.set()
        await bench.close()
    run(scenario())


def test_a_signal_that_fails_is_left_out(bench: Any) -> None:
    class Broken:
        name = "broken"

        def read(self, turn: Any) -> Any:
            raise ValueError(turn)

    async def scenario() -> None:
        await bench.open()
        bench.parts.signals = (*bench.parts.signals, Broken())
        await healthy(bench)
        await bench.close()
    run(scenario())


def test_a_turn_whose_row_expects_no_speech_has_no_window(bench: Any) -> None:
    async def scenario() -> None:
        await bench.open()
        row = bench.store.append("d1", 0, "utterance speak", [NewItem("said", "hello")])
        bench.expecting.expect(ExpectSpeech(), row)
        await asyncio.sleep(0.2)
        assert await bench.expecting.ready() is None
        assert bench.outcome() == "failed" and bench.steps() == []
        await bench.close()
    run(scenario())

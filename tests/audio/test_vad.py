"""Silero's model on recorded speech, and what is wrong with a model that does not load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.audio.endpointing import Ended, Endpointer
from agent.audio.files import read
from agent.audio.settings import EndpointSettings
from agent.audio.vad import FILE, WINDOW, SileroVad
from agent.errors import AgentError
from agent.evaluate.noise import mix


@pytest.fixture(scope="module")
def vad(model_path: Callable[[str], Path]) -> SileroVad:
    return SileroVad(model_path("silero-vad"))


def likely(vad: SileroVad, samples: np.ndarray) -> np.ndarray:
    vad.reset()
    return np.array([vad.probability(samples[i:i + WINDOW])
                     for i in range(0, len(samples) - WINDOW + 1, WINDOW)])


def utterances(vad: SileroVad, samples: np.ndarray) -> list[Ended]:
    endpointer = Endpointer(vad, EndpointSettings(), timeout=60.0)
    found = [*endpointer.accept(samples), *endpointer.finish()]
    return [o for o in found if isinstance(o, Ended)]


def orders(data: Path, count: int) -> list[tuple[str, np.ndarray]]:
    lines = (data / "menu-orders" / "manifest.jsonl").read_text().splitlines()[:count]
    entries = [json.loads(line) for line in lines]
    return [(e["id"], np.pad(read(data / "menu-orders" / e["audio"]), (8000, 24_000)))
            for e in entries]


@pytest.mark.parametrize("sound", [
    np.zeros(48_000, np.int16),
    (np.random.default_rng(1).standard_normal(48_000) * 1000).astype(np.int16),
    (np.sin(np.arange(48_000) * 0.4) * 8000).astype(np.int16)], ids=["silence", "hiss", "tone"])
def test_what_is_no_speech_is_no_utterance(vad: SileroVad, sound: np.ndarray) -> None:
    assert not utterances(vad, sound)


def test_recorded_orders_are_one_utterance_each(vad: SileroVad, shared_data: Path) -> None:
    found = [utterances(vad, samples) for _, samples in orders(shared_data, 12)]
    assert [len(u) for u in found].count(1) >= 11
    assert all(found)


def test_orders_in_kitchen_noise_are_found(vad: SileroVad, shared_data: Path) -> None:
    noise = read(shared_data / "noise" / "kitchen.flac")
    for clip, samples in orders(shared_data, 6):
        quiet = utterances(vad, samples)[0]
        noisy = utterances(vad, mix(clip, samples, noise, 12.0))
        assert any(abs(u.speech_start - quiet.speech_start) < 0.3 for u in noisy)


def test_a_minute_of_talk_is_cut_into_pieces_no_longer_than_the_maximum(
        vad: SileroVad, shared_data: Path) -> None:
    speech = np.concatenate([s[8000:-24_000] for _, s in orders(shared_data, 25)])[:960_000]
    pieces, rest = [], speech
    while len(rest) > WINDOW:
        found = utterances(vad, rest)
        if not found:
            break
        pieces.append(found[0])
        rest = rest[round(found[0].at * 16_000):]
    assert len(pieces) >= 3
    assert max(len(p.samples) for p in pieces) <= 20 * 16_000


def test_a_twin_keeps_a_stream_of_its_own(vad: SileroVad, shared_data: Path) -> None:
    _, samples = orders(shared_data, 1)[0]
    alone, other = likely(vad, samples), vad.twin()
    vad.reset()
    both = []
    for i in range(0, len(samples) - WINDOW + 1, WINDOW):
        both.append(vad.probability(samples[i:i + WINDOW]))
        other.probability(samples[-WINDOW:])
    assert np.array_equal(alone, both)


def test_a_window_of_another_size_is_refused(vad: SileroVad) -> None:
    with pytest.raises(ValueError, match="512"):
        vad.probability(np.zeros(320, np.int16))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=FILE.replace(".", r"\.")) as caught:
        SileroVad(tmp_path)
    assert "setup_device.sh" in caught.value.mend


@pytest.mark.parametrize("content", [b"", b"no model at all", bytes(5000)])
def test_a_damaged_model_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(AgentError, match=r"damaged|not a Silero"):
        SileroVad(tmp_path)


def test_a_model_that_is_cut_off_is_named(tmp_path: Path,
                                          model_path: Callable[[str], Path]) -> None:
    whole = (model_path("silero-vad") / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(whole[:len(whole) // 2])
    with pytest.raises(AgentError, match="damaged"):
        SileroVad(tmp_path)

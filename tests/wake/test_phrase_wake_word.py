"""Any phrase as the wake word, and the gate that keeps the recogniser idle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection
from agent.wake.phrase import Gate, PhraseWakeWord

Feed = Callable[..., list[Detection]]

FRAME = 320


def sound(seconds: float, level: float, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, level, round(seconds * SAMPLE_RATE))
    return noise.clip(-32_768, 32_767).astype(np.int16)


def looks(gate: Gate, audio: np.ndarray) -> list[float]:
    """Seconds at which the gate wants a look."""
    return [(start + FRAME) / SAMPLE_RATE for start in range(0, len(audio) - FRAME + 1, FRAME)
            if gate.follow(audio[start:start + FRAME])]


def test_silence_and_steady_noise_are_never_looked_at() -> None:
    assert looks(Gate(), np.zeros(10 * SAMPLE_RATE, np.int16)) == []
    assert looks(Gate(), sound(10, 400)) == []


def test_a_word_is_looked_at_when_it_has_ended() -> None:
    audio = np.concatenate([sound(1, 20), sound(0.4, 3_000), sound(1, 20)])
    assert looks(Gate(), audio) == [pytest.approx(1.64, abs=0.03)]


def test_a_click_is_not_looked_at() -> None:
    audio = np.concatenate([sound(1, 20), sound(0.06, 3_000), sound(1, 20)])
    assert looks(Gate(), audio) == []


def test_long_speech_is_looked_at_every_half_second() -> None:
    words = [sound(0.18, 3_000, n) if n % 2 else sound(0.06, 200, n) for n in range(40)]
    found = looks(Gate(), np.concatenate([sound(1, 20), *words]))
    assert 5 <= len(found) <= 10


def test_noise_that_begins_is_soon_taken_for_the_room() -> None:
    audio = np.concatenate([sound(1, 20), sound(20, 800)])
    assert len([at for at in looks(Gate(), audio) if at > 8]) == 0


@pytest.mark.parametrize(("sensitivity", "count"), [(0.0, 0), (0.5, 1), (1.0, 1)])
def test_detected_when_the_recogniser_is_sure_enough(
        sensitivity: float, count: int, scripted_confirm: type[Any], feed: Feed) -> None:
    audio = np.concatenate([sound(1, 20), sound(0.4, 3_000), sound(1, 20)])
    wake = PhraseWakeWord("open sesame", scripted_confirm(0.7), sensitivity=sensitivity)
    found = feed(wake, audio)
    assert len(found) == count
    assert all((d.word, d.engine, d.score) == ("open sesame", "phrase", 0.7) for d in found)
    assert all(d.at == pytest.approx(1.4, abs=0.03) for d in found)


@pytest.mark.parametrize("answer", [None, 0.0, 0.3])
def test_not_detected_when_the_recogniser_is_not_sure(
        answer: float | None, scripted_confirm: type[Any], feed: Feed) -> None:
    audio = np.concatenate([sound(1, 20), sound(0.4, 3_000), sound(1, 20)])
    confirm = scripted_confirm(answer)
    assert feed(PhraseWakeWord("open sesame", confirm), audio) == []
    assert len(confirm.asked) == 1


@pytest.mark.parametrize("lengths", [(320,), (64_000,), (1_001, 3, 77)])
def test_the_same_whatever_the_pieces(
        lengths: Sequence[int], scripted_confirm: type[Any], feed: Feed) -> None:
    audio = np.concatenate([sound(1, 20), sound(0.4, 3_000), sound(2, 20), sound(0.4, 3_000),
                            sound(1, 20)])
    confirm = scripted_confirm(0.9)
    found = feed(PhraseWakeWord("open sesame", confirm), audio, lengths)
    assert [round(d.at, 2) for d in found] == [1.4, 3.8]
    np.testing.assert_array_equal(confirm.asked[0][-9_600:], audio[26_240 - 9_600:26_240])


def test_refractory_and_reset(scripted_confirm: type[Any], feed: Feed) -> None:
    audio = np.concatenate([sound(1, 20), sound(0.4, 3_000), sound(1, 20), sound(0.4, 3_000),
                            sound(1, 20)])
    wake = PhraseWakeWord("open sesame", scripted_confirm(0.9), refractory=5)
    found = feed(wake, audio)
    assert len(found) == 1
    wake.reset()
    assert feed(wake, audio) == found


def test_moonshine_hears_a_phrase_nobody_trained(
        model_path: Callable[[str], Path], recording: Callable[[str], Samples],
        feed: Feed) -> None:
    from agent.asr.moonshine.engine import MoonshineRecogniser
    from agent.wake.confirm import ByRecogniser

    recogniser = MoonshineRecogniser(model_path("moonshine-tiny-en"))
    wake = PhraseWakeWord("office", ByRecogniser(recogniser, "office"))
    assert len(feed(wake, recording("none-slt"))) == 1
    wake.reset()
    assert feed(wake, recording("alexa-rms-command")) == []

"""openWakeWord on synthesised speech."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection, WakeWord, openwakeword
from agent.wake.detector import ScoredWakeWord

Feed = Callable[..., list[Detection]]


@pytest.fixture(scope="module")
def folder(model_path: Callable[[str], Path]) -> Path:
    return model_path("openwakeword")


@pytest.fixture(scope="module")
def wake(folder: Path) -> WakeWord:
    scorer = openwakeword.OpenWakeWordScorer(openwakeword.models(folder)["alexa"])
    return ScoredWakeWord(scorer, openwakeword.RULE)


def test_the_words_are_those_of_the_folder(folder: Path) -> None:
    assert set(openwakeword.models(folder)) == {
        "alexa", "hey jarvis", "hey mycroft", "hey rhasspy"}


@pytest.mark.parametrize("lengths", [(320,), (1_280, 17, 4_001)])
def test_the_word_is_detected_however_the_stream_is_cut(
        lengths: Sequence[int], wake: WakeWord, recording: Callable[[str], Samples],
        feed: Feed) -> None:
    wake.reset()
    found = feed(wake, recording("alexa-slt"), lengths)
    assert [(d.word, d.engine) for d in found] == [("alexa", "openwakeword")]
    assert 1.4 < found[0].at < 2.1
    wake.reset()
    assert feed(wake, recording("alexa-slt"), (320,)) == found


def test_other_speech_and_noise_are_not_detected(
        wake: WakeWord, recording: Callable[[str], Samples], feed: Feed) -> None:
    wake.reset()
    noise = np.random.default_rng(0).normal(0, 500, 5 * SAMPLE_RATE).astype(np.int16)
    assert feed(wake, np.concatenate([recording("none-slt"), noise])) == []


def test_a_cold_start_does_not_fire(wake: WakeWord, feed: Feed) -> None:
    for level in (0, 300, 3_000):
        wake.reset()
        noise = np.random.default_rng(level).normal(0, level, SAMPLE_RATE).astype(np.int16)
        assert feed(wake, noise) == []


def test_a_missing_or_damaged_network_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ("alexa_v0.1.onnx", "melspectrogram.onnx"):
        shutil.copy(folder / name, tmp_path)
    with pytest.raises(AgentError, match=r"embedding_model\.onnx is missing"):
        openwakeword.OpenWakeWordScorer(openwakeword.models(tmp_path)["alexa"])
    (tmp_path / "embedding_model.onnx").write_bytes(b"no network")
    with pytest.raises(AgentError, match=r"embedding_model\.onnx is damaged") as caught:
        openwakeword.OpenWakeWordScorer(openwakeword.models(tmp_path)["alexa"])
    assert "voice-agent models fetch openwakeword" in caught.value.mend


def test_a_network_that_is_no_head_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("melspectrogram.onnx", "embedding_model.onnx"):
        shutil.copy(folder / name, tmp_path)
    shutil.copy(folder / "timer_v0.1.onnx", tmp_path / "other_v0.1.onnx")
    with pytest.raises(AgentError, match=r"other_v0\.1\.onnx"):
        openwakeword.OpenWakeWordScorer(openwakeword.models(tmp_path)["other"])

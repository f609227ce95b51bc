"""microWakeWord on synthesised speech."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection, WakeWord, micro
from agent.wake.detector import ScoredWakeWord

Feed = Callable[..., list[Detection]]

pytest.importorskip("pymicro_wakeword", reason="pymicro-wakeword is not installed (Linux only)")


@pytest.fixture(scope="module")
def wake() -> WakeWord:
    model = micro.models()["alexa"]
    return ScoredWakeWord(micro.MicroScorer(model), micro.rule(model))


@pytest.fixture
def fresh(wake: WakeWord) -> WakeWord:
    wake.reset()
    return wake


@pytest.mark.parametrize("name", ["alexa-slt", "alexa-rms", "alexa-rms-command"])
def test_the_word_is_detected_where_it_ends(
        name: str, fresh: WakeWord, recording: Callable[[str], Samples], feed: Feed) -> None:
    found = feed(fresh, recording(name))
    assert [(d.word, d.engine) for d in found] == [("alexa", "micro")]
    assert 1.5 < found[0].at < 2.0
    assert 0.9 < found[0].score <= 1.0


def test_other_speech_is_not_detected(
        fresh: WakeWord, recording: Callable[[str], Samples], feed: Feed) -> None:
    assert feed(fresh, recording("none-slt")) == []


@pytest.mark.parametrize("level", [0, 16, 1_000, 20_000])
def test_silence_and_noise_are_not_detected(level: int, fresh: WakeWord, feed: Feed) -> None:
    noise = np.random.default_rng(level).normal(0, level, 20 * SAMPLE_RATE)
    assert feed(fresh, noise.clip(-32_768, 32_767).astype(np.int16)) == []


@pytest.mark.parametrize("samples", [0, 1, 159, 160, 479])
def test_audio_shorter_than_a_score_is_no_error(samples: int, fresh: WakeWord) -> None:
    assert fresh.accept(np.zeros(samples, np.int16)) is None


@settings(deadline=None, max_examples=12)
@given(lengths=st.lists(st.integers(1, 20_000), min_size=1, max_size=6))
def test_detections_do_not_depend_on_how_the_stream_is_cut(
        lengths: Sequence[int], wake: WakeWord, recording: Callable[[str], Samples],
        feed: Feed) -> None:
    audio = np.concatenate([recording("alexa-slt"), recording("alexa-rms")])
    wake.reset()
    whole = feed(wake, audio, (len(audio),))
    wake.reset()
    assert feed(wake, audio, lengths) == whole
    assert len(whole) == 2


@pytest.mark.parametrize("gain", [0.05, 0.3, 3.0])
def test_loud_and_quiet_speech_are_detected(
        gain: float, fresh: WakeWord, recording: Callable[[str], Samples], feed: Feed) -> None:
    audio = (recording("alexa-slt") * gain).clip(-32_768, 32_767).astype(np.int16)
    assert len(feed(fresh, audio)) == 1


def test_after_a_reset_the_same_audio_gives_the_same_detections(
        fresh: WakeWord, recording: Callable[[str], Samples], feed: Feed) -> None:
    first = feed(fresh, recording("alexa-slt"))
    fresh.accept(recording("alexa-rms")[:20_000])
    fresh.reset()
    assert feed(fresh, recording("alexa-slt")) == first


def test_the_bundled_words_have_thresholds_in_order() -> None:
    assert set(micro.models()) == {"alexa", "hey jarvis", "hey mycroft", "okay nabu"}
    for model in micro.models().values():
        rule = micro.rule(model)
        assert 0 < rule.candidate < rule.alone < rule.certain < 1


def test_a_stricter_model_is_given_stricter_thresholds() -> None:
    rules = [micro.rule(m) for m in sorted(micro.models().values(), key=lambda m: m.cutoff)]
    assert all(one.alone < two.alone for one, two in itertools.pairwise(rules))


@pytest.mark.parametrize("keep", [0, 7, 1_000, 20_000])
def test_a_cut_off_network_is_named(keep: int, tmp_path: Path) -> None:
    whole = micro.models()["alexa"]
    network = tmp_path / "cut.tflite"
    network.write_bytes(whole.network.read_bytes()[:keep])
    with pytest.raises(AgentError, match=r"cut\.tflite is missing or damaged"):
        micro.MicroScorer(micro.Model("cut", network, 0.9))


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"absent\.tflite is missing or damaged"):
        micro.MicroScorer(micro.Model("absent", tmp_path / "absent.tflite", 0.9))

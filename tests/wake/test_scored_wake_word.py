"""Scores, decision and confirmation as one wake word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from agent.events import SAMPLE_RATE
from agent.wake import Detection
from agent.wake.detector import ScoredWakeWord
from agent.wake.tiered import Rule

Feed = Callable[..., list[Detection]]

RULE = Rule(short=2, long=4, candidate=0.3, alone=0.8, certain=0.95, patience=6)
STEP = 480
CERTAIN = [0.0] * 10 + [1.0] * 6
UNSURE = [0.0] * 10 + [0.6] * 4
STRONG = [0.0] * 10 + [0.9] * 5


def ramp(seconds: float = 4.0) -> np.ndarray:
    """Samples whose value tells their position."""
    return (np.arange(round(seconds * SAMPLE_RATE)) % 30_000).astype(np.int16)


def test_a_certain_word_is_detected_without_asking(
        scripted_scorer: type[Any], scripted_confirm: type[Any], feed: Feed) -> None:
    confirm = scripted_confirm(0.0)
    found = feed(ScoredWakeWord(scripted_scorer(CERTAIN), RULE, 1.0, confirm), ramp())
    assert [(d.word, d.engine, d.score) for d in found] == [("sesame", "scripted", 1.0)]
    assert confirm.asked == []


def test_the_time_is_that_of_the_first_sign_of_the_word(
        scripted_scorer: type[Any], feed: Feed) -> None:
    found = feed(ScoredWakeWord(scripted_scorer(CERTAIN), RULE), ramp())
    assert found[0].at == pytest.approx(11 * STEP / SAMPLE_RATE)


@pytest.mark.parametrize(("answer", "count"), [(1.0, 1), (0.5, 1), (0.49, 0), (0.0, 0)])
def test_an_unsure_word_depends_on_the_confirmation(
        answer: float | None, count: int, scripted_scorer: type[Any], scripted_confirm: type[Any],
        feed: Feed) -> None:
    confirm = scripted_confirm(answer)
    found = feed(ScoredWakeWord(scripted_scorer(UNSURE), RULE, 1.0, confirm), ramp())
    assert (len(found), len(confirm.asked)) == (count, 1)


@pytest.mark.parametrize(("answer", "count"), [(0.2, 1), (0.1, 0)])
def test_a_strong_word_is_refused_only_when_the_confirmation_is_sure_it_is_not(
        answer: float | None, count: int, scripted_scorer: type[Any], scripted_confirm: type[Any],
        feed: Feed) -> None:
    confirm = scripted_confirm(answer)
    found = feed(ScoredWakeWord(scripted_scorer(STRONG), RULE, 1.0, confirm), ramp())
    assert (len(found), len(confirm.asked)) == (count, 1)


@pytest.mark.parametrize(("scores", "count"), [(UNSURE, 0), (STRONG, 1)])
def test_a_confirmation_that_cannot_tell_leaves_it_to_the_threshold(
        scores: Sequence[float], count: int, scripted_scorer: type[Any],
        scripted_confirm: type[Any], feed: Feed) -> None:
    wake = ScoredWakeWord(scripted_scorer(scores), RULE, 1.0, scripted_confirm(None))
    assert len(feed(wake, ramp())) == count


@pytest.mark.parametrize("lengths", [(320,), (1,), (64_000,), (7, 1_111, 5_000)])
def test_the_confirmation_hears_exactly_the_audio_up_to_the_question(
        lengths: Sequence[int], scripted_scorer: type[Any], scripted_confirm: type[Any],
        feed: Feed) -> None:
    confirm = scripted_confirm(0.0, seconds=0.3)
    audio = ramp(1.0) if lengths == (1,) else ramp()
    feed(ScoredWakeWord(scripted_scorer(UNSURE), RULE, 1.0, confirm), audio, lengths)
    end = 15 * STEP  # the short mean falls with the first score after the four
    np.testing.assert_array_equal(confirm.asked[0], audio[end - 4_800:end])


def test_a_second_word_within_the_refractory_time_is_not_detected(
        scripted_scorer: type[Any], feed: Feed) -> None:
    twice = CERTAIN + CERTAIN  # 0.48 s apart
    assert len(feed(ScoredWakeWord(scripted_scorer(twice), RULE, 0.3), ramp())) == 2
    assert len(feed(ScoredWakeWord(scripted_scorer(twice), RULE, 1.0), ramp())) == 1


def test_words_in_one_long_piece_come_out_one_a_call(scripted_scorer: type[Any]) -> None:
    wake = ScoredWakeWord(scripted_scorer(CERTAIN + CERTAIN), RULE, 0.3)
    first = wake.accept(ramp())
    second = wake.accept(np.zeros(0, np.int16))
    assert first is not None and second is not None
    assert first.at < second.at
    assert wake.accept(np.zeros(0, np.int16)) is None


def test_reset_starts_time_anew_and_forgets_what_was_pending(
        scripted_scorer: type[Any], feed: Feed) -> None:
    wake = ScoredWakeWord(scripted_scorer(CERTAIN), RULE, 60.0)
    before = feed(wake, ramp(0.45))
    wake.reset()
    assert feed(wake, ramp(0.45)) == before
    assert len(before) == 1

"""The decision on a stream of scores."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.wake.tiered import Decision, Rule, Verdict

RULE = Rule(short=2, long=4, candidate=0.3, alone=0.8, certain=0.95, patience=6)


def verdicts(decision: Decision, scores: Iterable[float]) -> list[Verdict]:
    return [decision.follow(score) for score in scores]


def test_a_long_high_score_is_accepted_without_asking() -> None:
    found = verdicts(Decision(RULE, can_ask=True), [1.0] * 4)
    assert found == [Verdict.NOTHING] * 3 + [Verdict.ACCEPT]


def test_a_middling_score_is_asked_about_once_it_falls() -> None:
    found = verdicts(Decision(RULE, can_ask=True), [0.6, 0.6, 0.6, 0.1, 0.0])
    assert found[3] is Verdict.ASK
    assert found[:3] == [Verdict.NOTHING] * 3


def test_a_middling_score_that_does_not_fall_is_asked_about_when_patience_ends() -> None:
    found = verdicts(Decision(RULE, can_ask=True), [0.6] * 10)
    assert found.index(Verdict.ASK) == RULE.patience


def test_where_nobody_can_be_asked_the_threshold_between_decides() -> None:
    assert Verdict.ACCEPT not in verdicts(Decision(RULE, can_ask=False), [0.7] * 20)
    assert verdicts(Decision(RULE, can_ask=False), [0.85] * 4)[-1] is Verdict.ACCEPT


def test_a_settled_candidate_is_not_asked_about_again_before_it_falls() -> None:
    decision = Decision(RULE, can_ask=True)
    assert Verdict.ASK in verdicts(decision, [0.6] * 7)
    decision.settle(accepted=False)
    assert set(verdicts(decision, [0.6] * 30)) == {Verdict.NOTHING}
    assert set(verdicts(decision, [0.0] * 4)) == {Verdict.NOTHING}
    assert Verdict.ASK in verdicts(decision, [0.6] * 7)


def test_a_refused_candidate_may_still_become_certain() -> None:
    decision = Decision(RULE, can_ask=True)
    verdicts(decision, [0.6] * 7)
    decision.settle(accepted=False)
    assert Verdict.ACCEPT in verdicts(decision, [1.0] * 4)


def test_an_accepted_candidate_is_not_accepted_twice() -> None:
    decision = Decision(RULE, can_ask=True)
    verdicts(decision, [1.0] * 4)
    decision.settle(accepted=True)
    assert set(verdicts(decision, [1.0] * 20)) == {Verdict.NOTHING}


def test_the_first_scores_after_a_reset_count_for_nothing() -> None:
    deaf = Rule(short=1, long=1, candidate=0.3, alone=0.8, certain=0.95, patience=6, deaf=3)
    decision = Decision(deaf, can_ask=False)
    assert verdicts(decision, [1.0] * 4)[:3] == [Verdict.NOTHING] * 3
    decision.settle(accepted=True)
    decision.reset()
    assert verdicts(decision, [1.0] * 4) == [Verdict.NOTHING] * 3 + [Verdict.ACCEPT]


@pytest.mark.parametrize(("sensitivity", "sign"), [(0.0, 1), (0.5, 0), (1.0, -1)])
def test_sensitivity_moves_every_threshold_the_same_way(sensitivity: float, sign: int) -> None:
    moved = RULE.at_sensitivity(sensitivity)
    for before, after in ((RULE.candidate, moved.candidate), (RULE.alone, moved.alone),
                          (RULE.certain, moved.certain)):
        assert math.isclose(after, before) if sign == 0 else (after - before) * sign > 0


@given(st.floats(0, 1))
def test_thresholds_stay_in_order_at_any_sensitivity(sensitivity: float) -> None:
    moved = RULE.at_sensitivity(sensitivity)
    assert 0 < moved.candidate < moved.alone < moved.certain < 1


@given(st.lists(st.floats(0, 1), max_size=60))
def test_never_accepts_or_asks_below_the_candidate_threshold(scores: list[float]) -> None:
    decision = Decision(RULE, can_ask=True)
    low = [score * RULE.candidate * 0.99 for score in scores]
    assert set(verdicts(decision, low)) <= {Verdict.NOTHING}

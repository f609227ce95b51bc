"""The decision between free recognition and context."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from agent.biasing import arbitration
from agent.biasing.arbitration import Arbiter, Evidence, Shape, Weights
from agent.errors import AgentError

ARBITER = Arbiter({shape: Weights({"gap": -2.0, "distance": -1.0, "bias": 3.0}, 0.0, 1.0)
                   for shape in Shape}, measured=True)
NEAR = Evidence(Shape.PHRASE, "make power.", -4.0, 4, "Meg Bauer", -5.0, 4, -4.0, 0.6, 8, 8,
                alternatives=("Meg Jones",))


def test_a_near_candidate_is_taken_and_the_rest_are_alternatives() -> None:
    decision = ARBITER.decide(NEAR)
    assert (decision.text, decision.source, decision.confirm) == ("Meg Bauer", "context", False)
    assert decision.alternatives == ("make power.", "Meg Jones")
    assert decision.margin is not None
    assert decision.margin > 0


def test_a_far_one_is_not_but_stays_known() -> None:
    decision = ARBITER.decide(dataclasses.replace(NEAR, total=-20.0, distance=3.0))
    assert (decision.text, decision.source) == ("make power.", "plain")
    assert decision.candidate == "Meg Bauer"
    assert decision.margin is not None
    assert decision.margin < 0


def test_a_narrow_one_is_to_be_confirmed() -> None:
    decision = ARBITER.decide(dataclasses.replace(NEAR, total=-8.0))
    assert decision.source == "context"
    assert decision.confirm


def odds(log_prior: float, cohort: float) -> float:
    """What the context adds to the odds of ``NEAR``."""
    known = dataclasses.replace(NEAR, log_prior=log_prior, cohort_log_prior=cohort)
    return ARBITER.odds(known) - ARBITER.odds(NEAR)


def test_context_that_says_nothing_changes_no_odds() -> None:
    assert odds(0.0, 0.0) == 0.0


def test_a_name_is_easier_to_take_only_if_it_is_likelier_than_others_that_sound_like_it() -> None:
    assert odds(3.0, 3.0) == pytest.approx(0.0)
    assert odds(4.0, 1.0) > odds(3.0, 1.0) > 0 > odds(1.0, 2.0)


def test_a_name_that_the_context_speaks_against_must_sound_the_better() -> None:
    assert odds(-2.0, -2.0) == pytest.approx(-2.0)


def test_without_a_candidate_the_free_transcript_stands() -> None:
    assert ARBITER.decide(dataclasses.replace(NEAR, text="")).source == "plain"
    assert arbitration.plain("yes", ("yes", "", "yet")).alternatives == ("yet",)


def test_what_was_said_is_in_no_repr() -> None:
    assert "Bauer" not in repr(NEAR) + repr(ARBITER.decide(NEAR))


def test_features_are_finite_for_empty_evidence() -> None:
    empty = Evidence(Shape.LOOP, "", 0.0, 0, "", 0.0, 0, None, 4.0, 0, 0)
    assert all(abs(value) < 100 for value in arbitration.features(empty).values())


@pytest.mark.parametrize("engine", ["moonshine", "vosk"])
def test_shipped_thresholds_cover_every_shape(engine: str) -> None:
    shipped = arbitration.shipped(engine)
    known = arbitration.features(NEAR)
    made = set(Shape) - ({Shape.MENDED} if engine == "vosk" else set())
    assert made <= set(shipped.shapes)
    for shape in made:
        entry = shipped.shapes[shape]
        assert entry.sure >= entry.accept
        assert set(entry.weights) <= {*known, "bias"}


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"shapes": {"odd": {}}, "measured": true}'])
def test_damaged_thresholds_are_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "t.json"
    path.write_text(text)
    with pytest.raises(AgentError, match=r"t\.json"):
        arbitration.load(path)
    with pytest.raises(AgentError, match=r"none\.json"):
        arbitration.load(tmp_path / "none.json")


def test_written_thresholds_are_read_back(tmp_path: Path) -> None:
    entry = {"weights": {"gap": -1.0, "bias": 0.5}, "accept": 0.1, "sure": 0.9}
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"measured": False, "shapes": {s.value: entry for s in Shape}}))
    arbiter = arbitration.load(path)
    assert arbiter.shapes[Shape.PHRASE].sure == 0.9
    assert not arbiter.measured

"""Fitting how much each kind of evidence says."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from agent.context import Round, Situation, TurnContext, selection, signals
from agent.context.library import Library
from agent.evaluate import prior_fitting
from agent.evaluate.experiment_world import world
from agent.evaluate.prior_fitting import KINDS, Choice, disturbed, evidence, fit, nats
from agent.events import Expectation

TRUE = {"expected": 2.0, "user": 8.0}


def drawn(count: int) -> list[Choice]:
    """Answers that are as likely as the true strengths make them."""
    draw = np.random.default_rng(0)
    found = []
    for _ in range(count):
        evidence = np.zeros((200, len(KINDS)))
        evidence[:, KINDS.index("expected")] = draw.random(200) < 0.5
        evidence[:, KINDS.index("user")] = draw.normal(0, 0.2, 200)
        evidence[:, KINDS.index("agent")] = draw.normal(0, 0.2, 200)
        raised = np.exp(evidence @ [TRUE.get(kind, 0.0) for kind in KINDS])
        found.append(Choice(evidence, int(draw.choice(200, p=raised / raised.sum()))))
    return found


def test_the_strengths_that_answers_were_drawn_by_are_found() -> None:
    fitted = fit(drawn(800))
    assert fitted.expected == pytest.approx(2.0, abs=0.4)
    assert fitted.user == pytest.approx(8.0, abs=0.8)
    assert fitted.agent < 0.8 and fitted.named == 0.0


def test_fitted_strengths_say_more_than_others() -> None:
    choices = drawn(600)
    fitted = fit(choices[:400])
    none = replace(fitted, **dict.fromkeys(KINDS, 0.0))
    strong = replace(fitted, user=fitted.user * 4)
    held = choices[400:]
    assert nats(held, none) == pytest.approx(0, abs=1e-5)
    assert nats(held, fitted) > max(0.5, nats(held, strong))


def test_evidence_that_speaks_against_its_entry_counts_nothing() -> None:
    against = [replace(choice, evidence=-choice.evidence) for choice in drawn(200)]
    assert not any(getattr(fit(against), kind) > 0.8 for kind in KINDS)


def test_dialogues_are_fitted_on_that_no_experiment_measures_on() -> None:
    assert all(seed and drawn_seed >= 200 for _, seed, drawn_seed in prior_fitting.WORLDS)


def test_some_turns_are_misled() -> None:
    turn = TurnContext((Round("call Meg", "Which Meg?"),), situation=Situation("call"))
    draw = random.Random(0)
    made = [disturbed(turn, world(500), draw) for _ in range(300)]
    assert 0.25 < np.mean([bool(t.carried) for t in made]) < 0.55
    assert {t.situation.skill for t in made} == {"", "call", "places", "home"}
    assert all(t.rounds == turn.rounds for t in made)


def test_scores_are_linear_in_the_strengths() -> None:
    draw = np.random.default_rng(1)
    library = Library.of(world(500).entries)
    library = library.with_vectors(draw.normal(0, 0.05, (len(library), 384)).astype(np.float32))
    vectors = draw.normal(0, 0.05, (2, 384)).astype(np.float32)
    turn = TurnContext((Round("call Meg", "Which Meg?"),), situation=Situation("call"),
                       carried=(library.entries[3].text,), expectation=Expectation.NAME)
    reading = signals.read(signals.load(), turn)
    parts = evidence(library, reading, turn, vectors)
    whole = selection.scores(library, reading, turn.expectation, vectors)
    strengths = [getattr(selection.STRENGTHS, kind) for kind in KINDS]
    assert parts @ strengths == pytest.approx(whole, abs=1e-3)
    assert parts.any(axis=0).all()

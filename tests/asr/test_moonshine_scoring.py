from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from agent.asr.moonshine import scoring, search
from agent.asr.moonshine.model import Encoded, Model
from agent.events import Samples

TRUE = "Ever tried, ever failed, no matter."
WRONG = ["Never cried, never sailed, no matter.", "Turn on the kitchen light.", "Meg Bauer.",
         "Ever.", "Every tide, every sale, no batter, and something more.", ""]


def test_the_true_text_scores_best(model: Model, encoded: Encoded) -> None:
    scores = scoring.score(model, encoded, [*WRONG, TRUE])
    assert [entry.text for entry in scores] == [*WRONG, TRUE]
    assert max(scores, key=lambda entry: entry.mean).text == TRUE


def test_scores_are_the_log_probabilities_of_the_search(model: Model, encoded: Encoded) -> None:
    heard = search.greedy(model, encoded)
    score, = scoring.score(model, encoded, [heard.text])
    assert score.tokens == heard.tokens
    assert score.log_probs == pytest.approx(heard.log_probs, abs=0.25)
    assert score.mean == pytest.approx(heard.mean, abs=0.05)
    assert score.total == pytest.approx(score.mean * (len(score.tokens) + 1), rel=1e-4)


def test_a_batch_scores_as_each_text_alone(model: Model, encoded: Encoded) -> None:
    """Within what quantising a batch together changes."""
    texts = [*WRONG, TRUE] * 6
    together = [entry.mean for entry in scoring.score(model, encoded, texts)]
    alone = {text: scoring.score(model, encoded, [text])[0].mean for text in set(texts)}
    for text, mean in zip(texts, together, strict=True):
        assert mean == pytest.approx(alone[text], abs=0.03 * abs(alone[text]) + 0.05)


def test_no_text_no_score(model: Model, encoded: Encoded) -> None:
    assert scoring.score(model, encoded, []) == []


def test_texts_of_any_kind_have_a_score(model: Model, encoded: Encoded) -> None:
    texts = ["", " ", "김민수", "👍", "x" * 300, "a", "\ud800"]
    scores = scoring.score(model, encoded, texts)
    assert len(scores) == len(texts)
    assert all(np.isfinite(entry.log_probs).all() and entry.mean < 0 for entry in scores)
    assert all(len(entry.log_probs) == len(entry.tokens) + 1 for entry in scores)


def test_names_on_the_telephone_are_told_apart(
        model: Model, shared_data: Path, recording: Callable[[Path], Samples]) -> None:
    """Among 28 contacts the one who is said scores best for most of the first dozen clips."""
    folder = shared_data / "names"
    contacts = json.loads((folder / "context.json").read_text())["contacts"]
    texts = [f"{name}." for name in contacts]
    lines = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    clips = [line for line in lines if line.get("set") == "in-context"][:12]
    right = 0
    for line in clips:
        scores = scoring.score(model, model.encode(recording(folder / line["audio"])), texts)
        best = max(scores, key=lambda entry: entry.mean)
        right += best.text.rstrip(".").lower() == line["text"].lower()
    assert right >= 10

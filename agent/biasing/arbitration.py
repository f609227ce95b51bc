"""Free recognition or context: which of the two was heard.

Both are scored by the same network without any boost, so the evidence is common: how much less
likely a token of the contextual candidate is than one of the free transcript, how far apart the
two sound, how clearly the candidate beats the next one, how long both are. A logistic model of
that evidence gives the probability that the candidate is right; its weights are fitted by
``agent.evaluate.fitting`` on development data and kept, with their curve, in ``data/``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

from agent.biasing.words import said
from agent.errors import AgentError
from agent.events import Expectation

Source = Literal["plain", "context"]

PRIOR_SHARE = 0.5
"""Log odds for each nat of log prior over other candidates. From 0.25 to 0.75, synthetic answers
of names that are not in the catalogue, and unrelated sentences, are taken for a name as seldom."""


class Shape(StrEnum):
    """How a contextual candidate is built; each shape has weights of its own."""

    PHRASE = "phrase"
    """One phrase is the whole answer: a name, an item."""
    SENTENCE = "sentence"
    """A carrier sentence with phrases in its slots."""
    LOOP = "loop"
    """Phrases strung together with filler words."""
    MENDED = "mended"
    """The free transcript with phrases in place of what sounds like them."""
    ANSWER = "answer"
    """Letters, digits or yes and no, because such an answer was expected."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about the free transcript and the best contextual candidate.

    Scores are log probabilities in nats, end of text included.
    """

    shape: Shape
    free_text: str = field(repr=False)
    free_total: float
    free_tokens: int
    text: str = field(repr=False)
    """The candidate as it would be written."""
    total: float
    tokens: int
    runner_up_mean: float | None
    """Mean log probability a token of the best candidate that shares no word; None without."""
    distance: float
    """Phonetic distance a phone between both texts."""
    phones: int
    """Phones of the candidate."""
    free_phones: int
    coverage: float = 1.0
    """Share of the candidate's words that belong to phrases."""
    offered: bool = False
    """The candidate is one of the answers that the pending question offers."""
    expected: Expectation = Expectation.FREE
    labels: tuple[str, ...] = field(default=(), repr=False)
    """The phrases that the candidate is made of."""
    alternatives: tuple[str, ...] = field(default=(), repr=False)
    """Other candidates, best first."""
    cohort_mean: float | None = None
    """Mean log probability a token of several candidates that share no word with the best."""
    worst_part: float = 0.0
    """Greatest distance a phone of one of the phrases' words to what was heard there."""
    is_part: bool = False
    """It is but a part of a name, a surname alone, that nothing offered."""
    log_prior: float = 0.0
    """Nats that the turn's context says for the candidate; 0 where it says nothing."""
    cohort_log_prior: float = 0.0
    """Mean of that over all candidates that sound somewhat like what was heard."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was heard, and why."""

    text: str = field(repr=False)
    source: Source = "plain"
    candidate: str = field(default="", repr=False)
    """The contextual candidate, whether it was taken or not; empty when there was none."""
    margin: float | None = None
    """Log odds by which the decision was won (negative: by which the candidate lost).

    None when there was nothing to decide.
    """
    confirm: bool = False
    """The context was taken on a narrow margin: ask before doing what cannot be undone."""
    alternatives: tuple[str, ...] = field(default=(), repr=False)
    """What else it may have been, best first."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model of one shape of candidate."""

    weights: Mapping[str, float]
    """Of the features that ``features`` names, and ``bias``."""
    accept: float
    """Log odds from which the candidate is taken."""
    sure: float
    """Log odds from which it is taken without asking back."""


@dataclass(frozen=True, slots=True)
class Arbiter:
    """Decides by weights fitted for one engine."""

    shapes: Mapping[Shape, Weights]
    measured: bool
    """Whether the weights were fitted on recordings of this engine."""

    def odds(self, evidence: Evidence) -> float:
        """Log odds that the candidate is what was said.

        Nothing of what the turn's context says is in the fitted weights: where it says nothing,
        they stand alone.
        """
        weights = self._of(evidence.shape).weights
        values = features(evidence)
        acoustic = weights["bias"] + sum(weights.get(name, 0.0) * values[name] for name in values)
        return acoustic + context_odds(evidence)

    def _of(self, shape: Shape) -> Weights:
        """Weights of a shape; those of sentences for one that a file of thresholds leaves out."""
        return self.shapes.get(shape) or self.shapes[Shape.SENTENCE]

    def decide(self, evidence: Evidence) -> Decision:
        """Take the candidate or the free transcript."""
        chosen = self._of(evidence.shape)
        if not evidence.text:
            return plain(evidence.free_text, evidence.alternatives)
        margin = self.odds(evidence) - chosen.accept
        if margin < 0:
            return Decision(evidence.free_text, "plain", evidence.text, margin,
                            alternatives=(evidence.text, *evidence.alternatives))
        others = (evidence.free_text, *evidence.alternatives)
        return Decision(evidence.text, "context", evidence.text, margin,
                        confirm=margin + chosen.accept < chosen.sure,
                        alternatives=tuple(t for t in others if t and t != evidence.text))


def plain(text: str, alternatives: tuple[str, ...] = ()) -> Decision:
    """The decision where there is no candidate."""
    return Decision(text, alternatives=tuple(t for t in alternatives if t and t != text))


def context_odds(evidence: Evidence) -> float:
    """Log odds that the turn's context adds.

    Among thousands of names some likely one sounds like anything that is said. So a likely name
    counts only as far as it is likelier than the others that sound like it, and an unlikely one
    counts less by all that the context says against it.
    """
    apart = evidence.log_prior - evidence.cohort_log_prior
    return PRIOR_SHARE * apart + min(0.0, evidence.log_prior)


def features(evidence: Evidence) -> dict[str, float]:
    """The features of the logistic model, of like magnitude."""
    mean = evidence.total / max(1, evidence.tokens)
    free_mean = evidence.free_total / max(1, evidence.free_tokens)
    runner_up = evidence.runner_up_mean
    lead = 3.0 if runner_up is None else min(3.0, mean - runner_up)
    cohort = evidence.cohort_mean
    stand_out = 3.0 if cohort is None else min(5.0, mean - cohort)
    longest = max(1, evidence.phones, evidence.free_phones)
    return {
        "gap": min(6.0, free_mean - mean),
        "total_gap": min(30.0, evidence.free_total - evidence.total) / 10,
        "mean": max(-6.0, mean),
        "free_mean": max(-4.0, free_mean),
        "distance": min(4.0, evidence.distance),
        "lead": lead,
        "stand_out": stand_out,
        "length": math.log(max(1, evidence.phones)),
        "length_ratio": abs(evidence.phones - evidence.free_phones) / longest,
        "worst_part": min(4.0, evidence.worst_part),
        "coverage": evidence.coverage,
        "offered": float(evidence.offered),
        "part": float(evidence.is_part),
        "free_words": min(2.0, len(said(evidence.free_text)) / 4),
        "gap_distance": min(6.0, max(0.0, free_mean - mean)) * min(4.0, evidence.distance) / 4,
    }


def load(path: Path) -> Arbiter:
    """Weights from a JSON file that ``fitting`` wrote.

    Raises:
        AgentError: The file is missing or damaged.
    """
    try:
        return _parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AgentError(f"cannot use the thresholds in {path}: {error}",
                         "run `voice-agent calibrate` again or remove the file") from error


@lru_cache(maxsize=4)
def shipped(engine: str) -> Arbiter:
    """The weights shipped for an engine."""
    file = resources.files("agent.biasing") / "data" / f"arbitration-{engine}.json"
    return _parse(json.loads(file.read_text(encoding="utf-8")))


def _parse(table: Mapping[str, object]) -> Arbiter:
    shapes = table["shapes"]
    if not isinstance(shapes, dict):
        raise TypeError("`shapes` must be an object")
    return Arbiter({Shape(name): Weights({k: float(v) for k, v in entry["weights"].items()},
                                         float(entry["accept"]), float(entry["sure"]))
                    for name, entry in shapes.items()}, bool(table["measured"]))

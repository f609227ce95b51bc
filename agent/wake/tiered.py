"""Deciding on a stream of scores: accept at once, ask for confirmation, or wait.

Three tiers. A score that stays high for long is accepted at once. A score that rises only a
little is a *candidate*: the decision waits until it falls again (it may yet become certain, and a
recogniser hears a word better with what follows it), then asks for confirmation. All else is
nothing. Where nobody can confirm, a threshold between the two decides.

Averages are running means over the last scores. A long mean separates better than a high
threshold: speech that resembles the word for an instant does not do so for a third of a second.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, replace
from enum import Enum
from itertools import islice


@dataclass(frozen=True, slots=True)
class Rule:
    """Thresholds on the running means of an engine's scores, all 0 to 1."""

    short: int
    """Scores in the short mean, which finds candidates."""
    long: int
    """Scores in the long mean, which accepts."""
    candidate: float
    """Short mean from which confirmation is asked for."""
    alone: float
    """Long mean that is accepted where nobody can confirm."""
    certain: float
    """Long mean that is accepted without asking."""
    patience: int
    """Scores after which a candidate that does not fall is put to the question."""
    deaf: int = 0
    """First scores after a reset that count for nothing: the model has heard too little."""

    def at_sensitivity(self, sensitivity: float) -> Rule:
        """The rule with its thresholds moved; 0.5 leaves them as they are.

        Thresholds move on the logistic scale, by 2 at either end of the range (0.8 becomes 0.35
        or 0.97), so that they stay between 0 and 1 and in order.
        """
        shift = 4.0 * (0.5 - sensitivity)
        return replace(self, candidate=_moved(self.candidate, shift),
                       alone=_moved(self.alone, shift), certain=_moved(self.certain, shift))


def _moved(threshold: float, shift: float) -> float:
    return 1 / (1 + math.exp(-(math.log(threshold / (1 - threshold)) + shift)))


class Verdict(Enum):
    """What a score leads to."""

    NOTHING = "nothing"
    ASK = "ask"
    """Have the candidate confirmed, then tell the decision by ``settle``."""
    ACCEPT = "accept"


FALL = 0.9
"""A candidate is over when the short mean is under this share of its peak."""


@dataclass(slots=True)
class _Candidate:
    """A rise of the score that may be the wake word."""

    age: int = -1
    """Scores since it began; 0 for its first."""
    peak: float = 0.0
    """Highest short mean."""
    long_peak: float = 0.0
    settled: bool | None = None
    """Whether it was accepted; None while that is open."""


class Decision:
    """Follows one stream of scores.

    Args:
        rule: The thresholds.
        can_ask: Whether somebody can confirm; otherwise ``ASK`` never comes.
    """

    def __init__(self, rule: Rule, can_ask: bool) -> None:
        self.rule = rule
        self._accept = rule.certain if can_ask else rule.alone
        self._can_ask = can_ask
        self._scores: deque[float] = deque(maxlen=max(rule.short, rule.long))
        self._seen = 0
        self._candidate: _Candidate | None = None

    def reset(self) -> None:
        """Forget all scores."""
        self._scores.clear()
        self._seen = 0
        self._candidate = None

    @property
    def begins(self) -> bool:
        """Whether the last score began a candidate."""
        return self._candidate is not None and self._candidate.age == 0

    @property
    def peak(self) -> float:
        """Highest short mean of the candidate; 0 when there is none."""
        return self._candidate.peak if self._candidate is not None else 0.0

    @property
    def strong(self) -> bool:
        """Whether the candidate would be accepted where nobody can confirm."""
        return self._candidate is not None and self._candidate.long_peak >= self.rule.alone

    def follow(self, score: float) -> Verdict:
        """Take the next score."""
        self._seen += 1
        self._scores.append(score if self._seen > self.rule.deaf else 0.0)
        short, long = self._mean(self.rule.short), self._mean(self.rule.long)
        if self._candidate is None and short >= self.rule.candidate:
            self._candidate = _Candidate()
        candidate = self._candidate
        if candidate is None:
            return Verdict.NOTHING
        candidate.age += 1
        candidate.peak = max(candidate.peak, short)
        candidate.long_peak = max(candidate.long_peak, long)
        if long >= self._accept and not candidate.settled:
            return Verdict.ACCEPT
        if self._can_ask and candidate.settled is None and self._over(candidate, short):
            return Verdict.ASK
        if short < self.rule.candidate / 2:
            self._candidate = None
        return Verdict.NOTHING

    def settle(self, accepted: bool) -> None:
        """The candidate was accepted or refused: there is no other until the score has fallen.

        One that was refused may still become certain.
        """
        if self._candidate is not None:
            self._candidate.settled = accepted

    def _over(self, candidate: _Candidate, short: float) -> bool:
        return short < FALL * candidate.peak or candidate.age >= self.rule.patience

    def _mean(self, count: int) -> float:
        """Mean of the last ``count`` scores; those before the stream count as 0."""
        return math.fsum(islice(reversed(self._scores), count)) / count

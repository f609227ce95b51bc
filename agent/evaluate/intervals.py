"""Bootstrap confidence intervals (Efron 1979), clips resampled with replacement."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

ROUNDS = 2_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float

    def as_list(self) -> list[float]:
        """Value, low end, high end."""
        return [self.value, self.low, self.high]


def mean(values: npt.ArrayLike) -> Estimate | None:
    """Mean of a value a clip; None without clips."""
    return ratio(values, np.ones(len(np.asarray(values))))


def ratio(numerators: npt.ArrayLike, denominators: npt.ArrayLike) -> Estimate | None:
    """Sum of one value a clip over the sum of another (word error rate); None without any."""
    top, bottom = np.asarray(numerators, float), np.asarray(denominators, float)
    if not len(top) or not bottom.sum():
        return None
    draws = np.random.default_rng(0).integers(0, len(top), (ROUNDS, len(top)))
    sums = bottom[draws].sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = np.where(sums > 0, top[draws].sum(axis=1) / sums, 0.0)
    low, high = np.percentile(ratios, [2.5, 97.5])
    return Estimate(float(top.sum() / bottom.sum()), float(low), float(high))

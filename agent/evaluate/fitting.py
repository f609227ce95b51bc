"""Fits the thresholds of ``agent.biasing.arbitration`` on development data.

    python -m agent.evaluate.fitting DATA --synthesised FOLDER --out arbitration-moonshine.json

One logistic regression (L2, Newton's method) a shape of candidate. Figures are cross-validated
over groups (a speaker, a name), so that no name is both learned from and tested on. Two
thresholds are then chosen on the held-out odds: one to take the candidate, one to take it without
asking back.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt

from agent.biasing.arbitration import Shape
from agent.evaluate.cases import Row, collect, development

Floats: TypeAlias = npt.NDArray[np.float64]

FOLDS = 8
RIDGE = 0.3
"""Strength of the pull of weights towards 0, in observations of unit size."""
LIMITS = {"names left out": (0.09, 0.02), "follow-ups left out": (0.20, 0.035),
          "messages left out": (0.10, 0.03), "unrelated, names": (0.0, 0.0),
          "unrelated": (0.006, 0.0), "stray": (0.015, 0.01)}
"""By the beginning of a case's name, the first that fits: the share of its turns, with nothing
right to take, in which a candidate may be taken, and taken without asking back."""
FEWEST = 40
"""Rows below which a shape takes the weights of all rows together."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model with its held-out odds."""

    names: tuple[str, ...]
    weights: Floats
    odds: Floats
    """``float64[rows]``: log odds of each row by a model that has not seen its group."""
    right: npt.NDArray[np.bool_]


def fit(rows: Sequence[Row]) -> Fit:
    """Fit one shape's model."""
    names = tuple(sorted(rows[0].features))
    values = np.array([[row.features[name] for name in names] + [1.0] for row in rows])
    right = np.array([row.right for row in rows])
    folds = np.array([crc32(row.group.encode()) % FOLDS for row in rows])
    odds = np.zeros(len(rows))
    for fold in range(FOLDS):
        held = folds == fold
        if held.any():
            odds[held] = values[held] @ _logistic(values[~held], right[~held])
    return Fit((*names, "bias"), _logistic(values, right), odds, right)


def _logistic(values: Floats, right: npt.NDArray[np.bool_]) -> Floats:
    """Weights of a logistic regression; the last column is the constant, which is not shrunk."""
    weights = np.zeros(values.shape[1])
    ridge = np.full(values.shape[1], RIDGE)
    ridge[-1] = 1e-3
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(values @ weights, -30, 30)))
        gradient = values.T @ (chance - right) + ridge * weights
        curvature = (values * (chance * (1 - chance))[:, None]).T @ values + np.diag(ridge)
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    return weights


def threshold(odds: Floats, rows: Sequence[Row], sizes: Mapping[str, int], level: int) -> float:
    """The lowest threshold at which no more wrong candidates are taken than the limits allow.

    Args:
        odds: Held-out log odds of each row.
        rows: The rows of one shape.
        sizes: Turns of each case, all shapes together.
        level: Which of the limits: 0 to take a candidate, 1 to take it without asking back.
    """
    highest = -2.0
    for name, limits in LIMITS.items():
        wrong = np.sort([o for o, row in zip(odds, rows, strict=True)
                         if _limit_of(row.case) == name and not row.right])[::-1]
        allowed = int(limits[level] * sum(size for case, size in sizes.items()
                                          if _limit_of(case) == name))
        if len(wrong) > allowed:
            highest = max(highest, float(wrong[allowed]) + 1e-3)
    return highest


def _limit_of(case: str) -> str | None:
    """Which of the limits holds for a case; cases under the same one count together."""
    return next((name for name in LIMITS if case.startswith(name)), None)


def curve(odds: Floats, right: npt.NDArray[np.bool_]) -> list[dict[str, float]]:
    """What each threshold would do on held-out rows."""
    points = []
    for at in np.arange(-4.0, 8.5, 0.5):
        taken = odds >= at
        points.append({"threshold": float(at),
                       "right_taken": _share(taken & right, right),
                       "wrong_taken": _share(taken & ~right, ~right)})
    return points


def _share(part: npt.NDArray[np.bool_], whole: npt.NDArray[np.bool_]) -> float:
    return round(float(part.sum() / whole.sum()), 4) if whole.any() else 0.0


def thresholds(rows: Iterable[Row], engine: str) -> dict[str, Any]:
    """The table that ``arbitration.load`` reads, with curves and what it was fitted on."""
    by_shape: dict[str, list[Row]] = {}
    everything = list(rows)
    for row in everything:
        by_shape.setdefault(row.shape, []).append(row)
    counts = dict(Counter(row.case for row in everything))
    shapes = {}
    for shape in Shape:
        own = by_shape.get(shape, [])
        learned = own if len(own) >= FEWEST and len({r.right for r in own}) == 2 else everything
        found = fit(learned)
        # What mends a sentence that no question asked for must not harm any.
        accept = threshold(found.odds, learned, counts, int(shape is Shape.MENDED))
        sure = max(accept, threshold(found.odds, learned, counts, 1))
        shapes[shape] = {
            "weights": {n: round(float(w), 4)
                        for n, w in zip(found.names, found.weights, strict=True)},
            "accept": round(accept, 3), "sure": round(sure, 3), "rows": len(own),
            "curve": curve(found.odds, found.right)}
    return {"engine": engine, "measured": True, "fitted_on": counts, "shapes": shapes}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="fit the thresholds of arbitration")
    parser.add_argument("data", type=Path, help="folder of the development sets")
    parser.add_argument("--synthesised", type=Path, help="folder that agent.evaluate.sets wrote")
    parser.add_argument("--rows", type=Path, help="keep the evidence here, or take it from here")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    rows = _rows(args.data, args.synthesised, args.rows)
    args.out.write_text(json.dumps(thresholds(rows, "moonshine"), indent=1) + "\n")


def _rows(data: Path, synthesised: Path | None, kept: Path | None) -> list[Row]:
    if kept is not None and kept.exists():
        return [Row(**json.loads(line)) for line in kept.read_text().splitlines()]
    from agent.asr.moonshine.engine import MoonshineRecogniser
    from agent.biasing.settings import Settings
    from models import locate

    recogniser = MoonshineRecogniser(locate("moonshine-tiny-en"), None, Settings(budget_ms=0))
    rows: list[Row] = []
    for case in development(data, synthesised):
        rows += collect(recogniser, case)
        print(f"{case.name}: {len(rows)}", file=sys.stderr)
    if kept is not None:
        kept.write_text("".join(json.dumps(dataclasses.asdict(row)) + "\n" for row in rows))
    return rows


if __name__ == "__main__":
    main()

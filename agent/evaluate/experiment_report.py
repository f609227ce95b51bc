"""Figures of a signal experiment: a table, JSON, and a plot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from xml.sax.saxutils import escape

from agent.evaluate import intervals
from agent.evaluate.experiment import Row
from agent.evaluate.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Figures:
    """Figures of one set of signals, with 95 % intervals over the dialogues."""

    name: str
    cases: int
    recall: Estimate | None
    """Share of dialogues whose right answer was selected."""
    rank: float
    """Median rank of the right answer, from 0."""
    exact: Estimate | None
    wer: Estimate | None
    gain: Estimate | None
    """Of exact (else of recall) over the first set, dialogue by dialogue."""


def summarise(results: Mapping[str, Sequence[Row]]) -> list[Figures]:
    """Figures of every set, in order; gains are over the first."""
    first = next(iter(results.values()), ())
    return [_figures(name, rows, first) for name, rows in results.items()]


def _figures(name: str, rows: Sequence[Row], first: Sequence[Row]) -> Figures:
    heard = [row for row in rows if row.exact is not None]
    return Figures(
        name, len(rows), intervals.mean([row.selected for row in rows]),
        median(row.rank for row in rows) if rows else 0.0,
        intervals.mean([bool(row.exact) for row in heard]),
        intervals.ratio([row.errors for row in heard], [row.words for row in heard]),
        intervals.mean([_value(a) - _value(b) for a, b in zip(rows, first, strict=True)]))


def _value(row: Row) -> float:
    return float(row.selected if row.exact is None else row.exact)


def table(figures: Sequence[Figures]) -> list[str]:
    """Lines for people."""
    lines = [f"{'signals':26} {'n':>5}  {'selected %':>22}  {'rank':>6}  {'exact %':>22}  "
             f"{'WER %':>22}  {'gain':>22}"]
    lines += [f"{f.name:26} {f.cases:5}  {_percent(f.recall)}  {f.rank:6.0f}  "
              f"{_percent(f.exact)}  {_percent(f.wer)}  {_percent(f.gain)}" for f in figures]
    return lines


def as_json(figures: Sequence[Figures]) -> list[dict[str, Any]]:
    """Plain data; estimates as value, low and high end."""
    return [{"signals": f.name, "cases": f.cases, "recall": f.recall and f.recall.as_list(),
             "median_rank": f.rank, "exact": f.exact and f.exact.as_list(),
             "wer": f.wer and f.wer.as_list(), "gain": f.gain and f.gain.as_list()}
            for f in figures]


def plot(figures: Sequence[Figures], title: str) -> str:
    """An SVG of selection recall, exact and WER by set of signals, with their intervals."""
    measures = [("selected", "#2f6f8f", [f.recall for f in figures]),
                ("exact", "#5b8c5a", [f.exact for f in figures]),
                ("WER", "#b85450", [f.wer for f in figures])]
    shown = [m for m in measures if any(m[2])]
    group = 14 * len(shown) + 12
    parts = []
    for place, of in enumerate(figures):
        top = 66 + place * group
        parts.append(f'<text x="16" y="{top + 11}">{escape(of.name)}</text>')
        parts += [_bar(top + 14 * row, colour, estimates[place])
                  for row, (_, colour, estimates) in enumerate(shown)]
    legend = "".join(f'<rect x="{230 + 110 * i}" y="36" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{248 + 110 * i}" y="47">{name}</text>'
                     for i, (name, colour, _) in enumerate(shown))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="760" '
            f'height="{76 + group * len(figures)}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/>'
            f'<text x="16" y="26" font-size="15">{escape(title)}</text>{legend}'
            + "".join(parts) + "</svg>\n")


def _bar(top: int, colour: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    left, width = 230, 440
    low, high, value = (left + width * min(1.0, max(0.0, v))
                        for v in (estimate.low, estimate.high, estimate.value))
    return (f'<rect x="{left}" y="{top}" width="{value - left:.1f}" height="11" '
            f'fill="{colour}"/><path d="M{low:.1f} {top + 5.5}H{high:.1f}" stroke="black"/>'
            f'<text x="{left + width + 8}" y="{top + 10}">{100 * estimate.value:.1f} %</text>')


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return f"{'-':>22}"
    text = f"{100 * estimate.value:.1f} ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"
    return f"{text:>22}"

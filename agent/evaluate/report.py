"""Figures of an evaluation: for people, as JSON, and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from agent.evaluate import intervals, scoring
from agent.evaluate.intervals import Estimate
from agent.evaluate.runner import Result


@dataclass(frozen=True, slots=True)
class Summary:
    """Figures over a set; None where the manifest gives nothing to compare with."""

    clips: int
    exact: Estimate | None
    accepted: Estimate | None
    wer: Estimate | None
    seconds_per_clip: float


def summarise(results: Sequence[Result], *, plain: bool = False) -> Summary:
    """Figures of the decisions, or of the free transcripts of the same run."""
    texts = [result.plain if plain else result.text for result in results]
    exact = [scoring.exact(text, r.line.text, r.line.expects)
             for text, r in zip(texts, results, strict=True) if r.line.has_text]
    accepted = [scoring.accepted(text, r.line.slots)
                for text, r in zip(texts, results, strict=True) if r.line.slots]
    errors = [scoring.word_errors(text, r.line.text or "", r.line.expects)
              for text, r in zip(texts, results, strict=True) if r.line.has_text]
    seconds = sum(r.seconds for r in results) / max(1, len(results))
    return Summary(len(results), intervals.mean(exact), intervals.mean(accepted),
                   intervals.ratio([e for e, _ in errors], [n for _, n in errors]), seconds)


def mended(results: Sequence[Result]) -> list[str]:
    """Ids of the clips that context put right."""
    return [r.line.id for r in results if r.right and r.plain_right is False]


def broken(results: Sequence[Result]) -> list[str]:
    """Ids of the clips that context put wrong."""
    return [r.line.id for r in results if r.right is False and r.plain_right]


def as_json(results: Sequence[Result]) -> dict[str, Any]:
    """One object with every figure and every line's result, in order."""
    summary = summarise(results)
    whole: dict[str, Any] = {"clips": summary.clips}
    for name in ("exact", "accepted", "wer"):
        estimate: Estimate | None = getattr(summary, name)
        whole[name] = None if estimate is None else estimate.value
        whole[f"{name}_interval"] = estimate and [estimate.low, estimate.high]
    whole["seconds_per_clip"] = summary.seconds_per_clip
    whole["mended"], whole["broken"] = mended(results), broken(results)
    whole["results"] = [{
        "id": r.line.id, "text": r.text, "decision": r.decision.source,
        "confirm": r.decision.confirm, "candidate": r.decision.candidate,
        "margin": r.decision.margin, "plain": r.plain, "seconds": r.seconds,
    } for r in results]
    return whole


def lines(results: Sequence[Result], *, context: bool) -> list[str]:
    """The report for people."""
    with_context = summarise(results)
    found = [f"{with_context.clips} clips, {with_context.seconds_per_clip:.3f} s a clip"]
    without = summarise(results, plain=True) if context else None
    for name in ("exact", "accepted", "wer"):
        estimate: Estimate | None = getattr(with_context, name)
        if estimate is None:
            continue
        row = f"{name:9} {_percent(estimate)}"
        if without is not None:
            row += f"   free transcript of the same run {_percent(getattr(without, name))}"
        found.append(row)
    if context:
        taken = sum(r.decision.source == "context" for r in results)
        asked = sum(r.decision.confirm for r in results)
        found.append(f"context taken {taken} times, {asked} of them to be confirmed")
        found.append(f"mended {len(mended(results))}: {' '.join(mended(results))}")
        found.append(f"broken {len(broken(results))}: {' '.join(broken(results))}")
    return found


def _percent(estimate: Estimate) -> str:
    return (f"{100 * estimate.value:5.1f} % ({100 * estimate.low:.1f} to "
            f"{100 * estimate.high:.1f})")


def plot(results: Sequence[Result], title: str) -> str:
    """An SVG of the figures with their intervals, without and with context."""
    sides = (("free", summarise(results, plain=True), "#9aa5b1"),
             ("decided", summarise(results), "#2f6f8f"))
    bars, at = [], 0
    for name in ("exact", "accepted", "wer"):
        for side, summary, colour in sides:
            estimate: Estimate | None = getattr(summary, name)
            if estimate is not None:
                bars.append(_bar(at, f"{name}, {side}", estimate, colour))
                at += 1
    height = 60 + 34 * at
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" '
            f'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" '
            f'fill="white"/><text x="16" y="28" font-size="15">{escape(title)}</text>'
            + "".join(bars) + "</svg>\n")


def _bar(place: int, label: str, estimate: Estimate, colour: str) -> str:
    top, left, width = 48 + 34 * place, 150, 400
    low, high, value = (left + width * min(1.0, v)
                        for v in (estimate.low, estimate.high, estimate.value))
    middle = top + 10
    return (f'<text x="16" y="{top + 15}">{escape(label)}</text>'
            f'<rect x="{left}" y="{top}" width="{value - left:.1f}" height="20" fill="{colour}"/>'
            f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 5}v10M{high:.1f} '
            f'{middle - 5}v10" stroke="black" fill="none"/>'
            f'<text x="{left + width + 12}" y="{top + 15}">{100 * estimate.value:.1f} %</text>')

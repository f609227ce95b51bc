"""The table of figures on the Korean sets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.asr import Recogniser
from agent.evaluate import cases, manifest, rows, runner
from agent.evaluate.intervals import Estimate
from agent.evaluate.manifest import Line
from agent.evaluate.runner import Result

Measure = Callable[[Sequence[Result]], Estimate | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure."""

    name: str
    set: str
    """Folder of the set."""
    lines: tuple[Line, ...] = field(repr=False)
    measure: Measure
    goal: float | None
    at_most: bool = False


def table(folder: Path) -> list[Row]:
    """All rows over the sets in ``folder``.

    Raises:
        AgentError: A set is missing.
    """
    found = []
    for name, title, goal in (("names", "Korean names", .75), ("foreign", "foreign names", .75),
                              ("english", "English names, English voices", None)):
        lines = manifest.read(folder / name / "manifest.jsonl")
        called = tuple(line for line in lines if line.set == "in-context")
        stray = tuple(line for line in lines if line.set == "anti-context")
        found.append(Row(f"{title}, right", name, called, rows.exact, goal))
        if not stray:
            continue
        found += [
            Row(f"{title}, unrelated phrases turned into one", name, stray, rows.turned, .02,
                at_most=True),
            Row(f"{title}, unrelated, without asking", name, stray, rows.turned_unasked, .01,
                at_most=True),
            Row(f"{title}, left out: another taken", name,
                cases.without_the_name(called[::3]), rows.turned, None, at_most=True),
        ]
    return found


def results(recogniser: Recogniser, row: Row) -> list[Result]:
    """A row's recordings, recognised in their context."""
    return list(runner.run(recogniser, row.lines, context=True))

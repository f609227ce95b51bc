"""Development figures do not fall below what was recorded in ``docs/accuracy.json``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.asr.moonshine.engine import MoonshineRecogniser
from agent.biasing.settings import Settings
from agent.evaluate import rows, runner

RECORDED: list[dict[str, Any]] = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "accuracy.json").read_text(encoding="utf-8"))
ON_RECORDINGS = [entry for entry in RECORDED if entry["recordings"]]
SAMPLE = {"names, 28 contacts, exact": 5, "orders, accepted": 12, "spelled, exact": 12,
          "unrelated sentences: turned into a contact": 20}
"""Every n-th clip of these rows is recognised in every run of the tests."""


@pytest.fixture(scope="module")
def recogniser(model_path: Callable[[str], Path]) -> MoonshineRecogniser:
    return MoonshineRecogniser(model_path("moonshine-tiny-en"), None, Settings(budget_ms=0))


@pytest.fixture(scope="module")
def table(shared_data: Path) -> dict[str, rows.Row]:
    return {row.name: row for row in rows.table(shared_data, None)}


def check(recogniser: MoonshineRecogniser, row: rows.Row, entry: dict[str, Any],
          every: int) -> None:
    lines = row.lines[::every]
    results = list(runner.run(recogniser, lines, context=True, noise=row.noise))
    found = row.measure(results)
    assert found is not None
    _value, low, high = entry["value"]
    # A sample scatters more than the whole: its own interval must reach the recorded one.
    if row.at_most:
        assert (found.low if every > 1 else found.value) <= high
    else:
        assert (found.high if every > 1 else found.value) >= low


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_is_as_good_as_recorded(recogniser: MoonshineRecogniser,
                                         table: dict[str, rows.Row], name: str) -> None:
    entry = next(e for e in RECORDED if e["row"] == name)
    check(recogniser, table[name], entry, SAMPLE[name])


@pytest.mark.long
@pytest.mark.parametrize("entry", ON_RECORDINGS, ids=lambda entry: entry["row"])
def test_the_whole_set_is_as_good_as_recorded(recogniser: MoonshineRecogniser,
                                              table: dict[str, rows.Row],
                                              entry: dict[str, Any]) -> None:
    check(recogniser, table[entry["row"]], entry, 1)

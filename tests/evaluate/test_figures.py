"""Intervals, summaries, fitting."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from agent.biasing.arbitration import Decision
from agent.evaluate import fitting, intervals, report
from agent.evaluate.cases import Row
from agent.evaluate.manifest import Line
from agent.evaluate.runner import Result


def result(name: str, said: str, heard: str, plain: str) -> Result:
    source = "context" if heard != plain else "plain"
    decision = Decision(heard, "context" if source == "context" else "plain", confirm=False)
    return Result(Line(name, Path("x"), said, True), heard, plain, decision, 0.1)


RESULTS = [result("mended", "meg bauer", "Meg Bauer", "make power"),
           result("broken", "power", "Bauer", "power"),
           result("right", "yes", "yes", "yes"), result("wrong", "no", "know", "know")]


def test_an_interval_holds_the_mean_and_narrows_with_clips() -> None:
    few, many = intervals.mean([0, 1] * 10), intervals.mean([0, 1] * 500)
    assert few is not None
    assert many is not None
    assert few.low < few.value == many.value == 0.5 < few.high
    assert many.high - many.low < few.high - few.low


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    chance = np.random.default_rng(3)
    covered = 0
    for _ in range(100):
        found = intervals.mean(chance.random(60) < 0.8)
        assert found is not None
        covered += found.low <= 0.8 <= found.high
    assert covered >= 87


def test_without_clips_there_is_no_figure() -> None:
    assert intervals.mean([]) is None
    assert intervals.ratio([0], [0]) is None


def test_what_context_mended_and_broke() -> None:
    assert report.mended(RESULTS) == ["mended"]
    assert report.broken(RESULTS) == ["broken"]


def test_the_json_has_every_key_and_every_line_in_order() -> None:
    table = json.loads(json.dumps(report.as_json(RESULTS)))
    assert {"clips", "exact", "accepted", "wer", "seconds_per_clip", "results"} <= set(table)
    assert table["clips"] == 4
    assert table["exact"] == 0.5
    assert table["accepted"] is None
    assert [r["id"] for r in table["results"]] == ["mended", "broken", "right", "wrong"]
    assert {"id", "text", "decision", "confirm"} <= set(table["results"][0])
    assert table["results"][0]["decision"] == "context"


def test_the_report_and_the_plot_show_both_sides() -> None:
    text = "\n".join(report.lines(RESULTS, context=True))
    assert "mended 1: mended" in text
    assert "50.0 %" in text
    assert report.plot(RESULTS, "a <set>").count("<rect") == 5


def row(clip: int, right: bool, gap: float) -> Row:
    return Row("case", str(clip), str(clip), "phrase", {"gap": gap}, right, False)


def test_a_fit_separates_what_can_be_separated() -> None:
    chance = np.random.default_rng(0)
    rows = [row(i, right, (0.5 if right else 3.0) + chance.normal() * 0.5)
            for i in range(200) for right in (i % 2 == 0,)]
    found = fitting.fit(rows)
    assert ((found.odds > 0) == found.right).mean() > 0.95
    table = fitting.thresholds(rows, "test")
    phrase = table["shapes"]["phrase"]
    assert phrase["weights"]["gap"] < 0
    assert phrase["sure"] >= phrase["accept"]
    assert phrase["curve"][0]["right_taken"] >= phrase["curve"][-1]["right_taken"]


def test_a_threshold_lets_no_more_wrong_ones_pass_than_a_case_allows() -> None:
    chance = np.random.default_rng(1)
    rows = [dataclasses.replace(row(i, False, 0), case=case)
            for i in range(100) for case in ("stray", "unrelated, menu", "orders")]
    odds = chance.normal(size=300)
    sizes = {"stray": 100, "unrelated, menu": 100, "orders": 100}
    for level in (0, 1):
        at = fitting.threshold(odds, rows, sizes, level)
        for case in ("stray", "unrelated, menu"):
            limit = next(v for k, v in fitting.LIMITS.items() if case.startswith(k))[level]
            passed = sum(o >= at and r.case == case for o, r in zip(odds, rows, strict=True))
            assert passed <= limit * 100

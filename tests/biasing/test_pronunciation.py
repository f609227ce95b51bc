"""Pronunciations of phrases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.biasing import Phrase, pronunciation
from agent.biasing.phones import spell


def spelled(text: str) -> list[str]:
    return [spell(phones) for phones in pronunciation.of_text(text)]


def test_a_phrase_keeps_the_pronunciations_it_brings() -> None:
    found = pronunciation.of_phrase(Phrase("Xiomara", pronunciations=("siomaɾa",)))
    assert [spell(p) for p in found] == ["siomaɾa"]


def test_a_name_in_no_dictionary_has_an_english_and_a_foreign_reading() -> None:
    assert {"jʌmɔŋ", "iumoŋ"} <= set(spelled("Yumong"))


def test_numbers_and_signs_are_said() -> None:
    assert spelled("50%") == spelled("fifty percent")


def test_accents_are_read_as_their_letters() -> None:
    assert spelled("José") == spelled("Jose")


def test_letters_alone_are_named() -> None:
    assert spelled("W")[0] == "dʌbəlju"


def test_korean_is_read_by_its_letters() -> None:
    assert spelled("김민수") == ["kimminsu"]


@pytest.mark.parametrize("text", ["", "🙂", "...", "¿?", "\0"])
def test_what_cannot_be_said_has_no_pronunciation(text: str) -> None:
    assert pronunciation.of_text(text) == ()


@given(st.text(max_size=30))
def test_no_text_is_too_odd(text: str) -> None:
    assert len(pronunciation.of_text(text)) <= pronunciation.MOST_VARIANTS

"""Missing words, spelled in words that sound like them."""

from __future__ import annotations

import numpy as np
import pytest

from agent.biasing import pronunciation
from agent.biasing.respelling import Respeller

WORDS = ("wood", "stock", "grab", "all", "skee", "lynch", "bob", "meg", "power", "a", "ski", "ten")
RESPELLER = Respeller.of(WORDS)


@pytest.mark.parametrize(("missing", "spelled"), [
    ("Woodstock", "wood stock"), ("Bauer", "power"), ("Linch", "lynch")])
def test_a_missing_word_is_spelled_by_known_ones(missing: str, spelled: str) -> None:
    found = RESPELLER.spell(pronunciation.of_text(missing)[0])
    assert found is not None
    assert found[0] == spelled
    assert found[1] < 1


def test_only_words_of_the_vocabulary_are_used() -> None:
    for name in ("Kepuska", "Grebolsky", "Yogendra"):
        found = RESPELLER.spell(pronunciation.of_text(name)[0])
        if found is not None:
            assert set(found[0].split()) <= set(WORDS)


def test_what_nothing_sounds_like_is_not_spelled() -> None:
    assert Respeller.of(["zoo"]).spell(pronunciation.of_text("Meg")[0]) is None
    assert Respeller.of([]).spell(pronunciation.of_text("Meg")[0]) is None
    assert RESPELLER.spell(np.zeros(0, np.uint8)) is None


def test_a_syllabic_script_spells_foreign_names() -> None:
    respeller = Respeller.of(["질", "라이", "언", "밥", "린", "즈", "치"])
    assert respeller.spell(pronunciation.of_text("Jill")[0]) is not None

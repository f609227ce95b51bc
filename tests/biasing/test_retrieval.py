"""Short lists by sound."""

from __future__ import annotations

import random

import pytest

from agent.biasing import Phrase, lexicon, pronunciation
from agent.biasing.retrieval import Retriever

NAMES = ("Veton Kepuska", "Rick Saltzman", "Jackie Shen", "Meg Bauer", "Meg Jones")


def phones(text: str):
    return pronunciation.of_text(text)[0]


@pytest.mark.parametrize(("heard", "meant"), [
    ("vedan kabuscha", "Veton Kepuska"), ("good saltman", "Rick Saltzman"),
    ("make power", "Meg Bauer"), ("Jackie shade", "Jackie Shen")])
def test_the_name_meant_is_nearest(heard: str, meant: str) -> None:
    retriever = Retriever.of([Phrase(name) for name in NAMES])
    assert NAMES[retriever.nearest(phones(heard), 1)[0].index] == meant


def test_it_is_found_among_twenty_thousand() -> None:
    words = [word for word in lexicon.spellings().decode().split() if word.isalpha()]
    chance = random.Random(0)
    phrases = [f"{chance.choice(words)} {chance.choice(words)}" for _ in range(20_000)]
    retriever = Retriever.of([Phrase(p) for p in (*phrases, *NAMES)])
    found = retriever.nearest(phones("vedan kabuscha"), 20)
    assert len(phrases) in [match.index for match in found]


def test_a_phrase_is_found_inside_a_sentence() -> None:
    retriever = Retriever.of([Phrase(name) for name in NAMES])
    words = [phones(word) for word in "please call meg power now".split()]
    best = retriever.within(words, 5, 3, 2.0)[0]
    assert (NAMES[best.index], best.start, best.words) == ("Meg Bauer", 2, 2)


def test_nothing_to_find_is_no_error() -> None:
    retriever = Retriever.of([Phrase("🙂"), Phrase("")])
    assert retriever.nearest(phones("hello"), 5) == []
    assert retriever.within([phones("hello")], 5, 3, 2.0) == []
    assert Retriever.of([]).nearest(phones("hello"), 5) == []

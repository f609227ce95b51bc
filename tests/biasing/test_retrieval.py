"""Short lists by sound."""

from __future__ import annotations

import random

import numpy as np
import pytest

from agent.biasing import Phrase, lexicon, pronunciation
from agent.biasing.retrieval import Retriever, Searchable, retriever

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


def test_of_names_that_sound_alike_the_likelier_comes_first() -> None:
    names = ("Jon Meyer", "John Maier", "Rick Saltzman")
    found = Retriever.of([Phrase(name) for name in names])
    heard = phones("john mayer")
    for likely in (0, 1):
        log_priors = np.zeros(3, np.float32)
        log_priors[likely] = 2.0
        matches = found.nearest(heard, 3, log_priors)
        assert [match.index for match in matches] == [likely, 1 - likely, 2]
    plain, level = (found.nearest(heard, 3, given) for given in (None, np.zeros(3, np.float32)))
    assert plain == level


def test_the_search_of_phrases_that_stay_is_made_once_and_shared() -> None:
    phrases = tuple(Phrase(name) for name in NAMES)
    names = Searchable(phrases)
    assert names.retriever is names.retriever is retriever(phrases)


def test_a_phrase_that_nobody_can_say_in_a_minute_takes_no_room() -> None:
    endless = Phrase("banana " * 10_000)
    made = Retriever.of((endless, Phrase("Meg Bauer")))
    assert made.rows.shape[1] < 100
    assert [match.index for match in made.nearest(phones("power"), 2)] == [1]

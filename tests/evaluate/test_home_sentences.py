"""Synthesised commands to homes, and what else is said."""

from __future__ import annotations

import random
from itertools import islice

import pytest

from agent.evaluate import houses, short_answers
from agent.evaluate.home_sentences import House, Source, draw
from agent.evaluate.sets import contacts


def house(seed: int = 1, stock: houses.Stock = houses.DEVELOPMENT) -> House:
    return houses.furnish(stock, random.Random(seed))


@pytest.mark.parametrize("seed", range(20))
def test_a_house_has_fourteen_different_names(seed: int) -> None:
    names = house(seed).names
    assert len(names) == len(set(names)) == 14


def test_the_stocks_share_no_name() -> None:
    one, other = ({name for names in stock.values() for name in names}
                  for stock in (houses.DEVELOPMENT, houses.HELD_OUT))
    assert not one & other


@pytest.mark.parametrize("source", Source)
def test_sentences_are_such_as_people_say(source: Source) -> None:
    made = list(islice(draw(house(), random.Random(3), source), 200))
    assert len(set(made)) > 80
    assert not any(sign in text for text in made for sign in "{}[]()|<>%°")
    assert all(2 <= len(text.split()) <= 12 for text in made)
    assert sum(any(name in text for name in house().names) for text in made) > 40


def test_the_same_seed_gives_the_same_sentences() -> None:
    first, second = (list(islice(draw(house(), random.Random(9), Source.HELD_OUT), 30))
                     for _ in range(2))
    assert first == second


def test_the_held_out_half_is_another() -> None:
    for texts in (short_answers.WORDS, short_answers.PHRASES, short_answers.MESSAGES):
        halves = [short_answers.halves(texts, held_out=held) for held in (False, True)]
        assert not set(halves[0]) & set(halves[1])
        assert len(halves[0]) + len(halves[1]) == len(texts)


def test_no_short_answer_is_in_the_address_book() -> None:
    known = {word for name in contacts() for word in name.lower().split()} - {"power"}
    said = [*short_answers.WORDS, *short_answers.PHRASES, *short_answers.FOREIGN_FIRST,
            *short_answers.FOREIGN_LAST]
    assert not [text for text in said if set(text.lower().split()) & (known - {"power"})]

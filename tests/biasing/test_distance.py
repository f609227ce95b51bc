"""Phonetic distance."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.biasing import distance, pronunciation
from agent.biasing.phones import PHONES, Phones

PHONE_LISTS = st.lists(st.integers(0, len(PHONES) - 1), max_size=10).map(
    lambda numbers: np.array(numbers, np.uint8))


def apart(one: str, other: str) -> float:
    return distance.between(pronunciation.of_text(one)[0], pronunciation.of_text(other)[0])


def test_power_is_near_bauer_and_far_from_jones() -> None:
    assert apart("power", "Bauer") < 0.5
    assert apart("power", "Jones") > 8


@given(PHONE_LISTS, PHONE_LISTS)
def test_distance_is_symmetric_and_zero_only_for_equals(one: Phones, other: Phones) -> None:
    assert np.isclose(distance.between(one, other), distance.between(other, one), atol=1e-4)
    assert distance.between(one, one) == 0


@given(PHONE_LISTS, PHONE_LISTS, PHONE_LISTS)
def test_a_detour_is_never_shorter(one: Phones, two: Phones, three: Phones) -> None:
    direct = distance.between(one, three)
    assert direct <= distance.between(one, two) + distance.between(two, three) + 1e-3


@given(PHONE_LISTS, st.lists(PHONE_LISTS, min_size=1, max_size=6))
def test_a_batch_gives_what_single_pairs_give(query: Phones, others: list[Phones]) -> None:
    batch = distance.to_many(query, distance.pack(others))
    assert np.allclose(batch, [distance.between(query, other) for other in others], atol=1e-4)


@given(st.lists(PHONE_LISTS, min_size=1, max_size=4), PHONE_LISTS)
def test_windows_are_the_distances_of_runs_of_words(words: list[Phones], phrase: Phones) -> None:
    table = distance.windows(words, distance.pack([phrase]), 3)
    for start in range(len(words)):
        for taken in range(min(3, len(words) - start)):
            run = np.concatenate(words[start:start + taken + 1])
            assert np.isclose(table[start, taken, 0], distance.between(run, phrase), atol=1e-3)


def test_a_part_is_found_wherever_it_stands() -> None:
    name, sentence = (pronunciation.of_text(t)[0] for t in ("Bauer", "please call meg power now"))
    assert distance.inside(name, sentence) < 0.2
    assert distance.inside(pronunciation.of_text("Jones")[0], sentence) > 0.5
    assert distance.inside(name, np.zeros(0, np.uint8)) > 1

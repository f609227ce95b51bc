"""Phones: the feature table and reading of IPA."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.biasing import phones


def test_stress_length_and_ties_are_left_out() -> None:
    assert phones.spell(phones.parse("t͡ʃˈɛɹiː")) == "tʃɛɹi"


def test_symbols_without_a_row_of_their_own_are_read_as_near_ones() -> None:
    assert phones.spell(phones.parse("bɝd")) == "bɜɹd"


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert phones.parse(text).dtype == np.uint8


@given(st.lists(st.sampled_from(phones.PHONES), max_size=12))
def test_what_is_spelled_is_read_back_the_same_length_or_joined(symbols: list[str]) -> None:
    read = phones.parse("".join(symbols))
    assert phones.spell(read) == "".join(symbols)


def test_a_voiced_and_an_unvoiced_stop_differ_in_voice_alone() -> None:
    costs = phones.substitution_costs()
    p, b, z = (phones.INDEX[symbol] for symbol in "pbz")
    assert costs[p, b] == 0.25
    assert costs[p, z] > 4 * costs[p, b]


def test_costs_are_symmetric_with_a_zero_diagonal() -> None:
    costs = phones.substitution_costs()
    assert np.allclose(costs, costs.T)
    assert not np.diag(costs).any()

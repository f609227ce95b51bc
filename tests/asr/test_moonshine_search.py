from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from agent.asr.moonshine import scoring, search
from agent.asr.moonshine.loops import looping
from agent.asr.moonshine.model import Encoded, Model
from agent.asr.moonshine.tokens import END

NO_TOKENS = np.zeros(0, np.int64)
NO_VALUES = np.zeros(0, np.float32)


class Indifferent:
    """A hook that changes nothing."""

    def begin(self) -> int:
        return 0

    def bonus(self, state: int) -> search.TokenBonus:
        return search.TokenBonus(NO_TOKENS, NO_VALUES)

    def advance(self, state: int, token: int) -> int:
        return state + 1


class Only:
    """A hook that lets one text through; its state is how many tokens have been taken."""

    def __init__(self, tokens: tuple[int, ...], value: float = 0.0) -> None:
        self.tokens = (*tokens, END)
        self.value = value

    def begin(self) -> int:
        return 0

    def bonus(self, state: int) -> search.TokenBonus:
        return search.TokenBonus(np.array([self.tokens[state]]),
                                 np.array([self.value], np.float32), -np.inf)

    def advance(self, state: int, token: int) -> int:
        assert token == self.tokens[state]
        return state + 1


def test_greedy_hears_what_is_said(model: Model, encoded: Encoded) -> None:
    heard = search.greedy(model, encoded)
    assert heard.text.lower().replace(",", "").rstrip(".") == "ever tried ever failed no matter"
    assert -0.5 < heard.mean < 0
    assert len(heard.log_probs) == len(heard.tokens) + 1


def test_decoding_repeats(model: Model, encoded: Encoded) -> None:
    assert search.greedy(model, encoded).tokens == search.greedy(model, encoded).tokens
    first, second = (search.beam(model, encoded, 4) for _ in range(2))
    assert [entry.tokens for entry in first] == [entry.tokens for entry in second]
    assert all((a.log_probs == b.log_probs).all() for a, b in zip(first, second, strict=True))


def test_beam_gives_different_texts_best_first(model: Model, encoded: Encoded) -> None:
    nbest = search.beam(model, encoded, 5)
    assert len(nbest) == 5
    assert len({entry.text for entry in nbest}) == 5
    assert all(a.mean >= b.mean for a, b in pairwise(nbest))


def test_a_wider_beam_finds_nothing_worse(model: Model, encoded: Encoded) -> None:
    greedy = search.greedy(model, encoded)
    best = search.beam(model, encoded, 6)[0]
    assert best.mean >= greedy.mean - 0.05  # batches are quantised together


def test_a_hook_that_adds_nothing_changes_nothing(model: Model, encoded: Encoded) -> None:
    plain = search.beam(model, encoded, 3)
    hooked = search.beam(model, encoded, 3, Indifferent())
    assert [entry.tokens for entry in plain] == [entry.tokens for entry in hooked]
    assert all(entry.bonus == 0 for entry in hooked)


def test_a_hook_can_force_a_text(model: Model, encoded: Encoded) -> None:
    text = "Ever cried."
    forced = search.beam(model, encoded, 3, Only(model.tokens.encode(text)))
    assert [entry.text for entry in forced] == [text]
    score, = scoring.score(model, encoded, [text])
    assert forced[0].log_probs == pytest.approx(score.log_probs, abs=0.3)


def test_the_bonus_is_kept_apart_from_the_likelihood(model: Model, encoded: Encoded) -> None:
    tokens = model.tokens.encode("Ever tried.")
    plain, = search.beam(model, encoded, 1, Only(tokens))
    boosted, = search.beam(model, encoded, 1, Only(tokens, 2.0))
    assert boosted.bonus == pytest.approx(2.0 * (len(tokens) + 1))
    assert boosted.mean == pytest.approx(plain.mean)


def test_a_search_can_be_stopped(model: Model, encoded: Encoded) -> None:
    answers = iter([False, False, True])
    assert len(search.greedy(model, encoded, lambda: next(answers)).tokens) == 3
    assert search.beam(model, encoded, 2, cancelled=lambda: True)[0].tokens


def test_a_strong_bonus_cannot_make_a_loop_win(model: Model, encoded: Encoded) -> None:
    """Everything but one word is forbidden, as by a boost that is far too strong."""
    word = model.tokens.encode("sugar")

    class Boost(Indifferent):
        def bonus(self, state: int) -> search.TokenBonus:
            return search.TokenBonus(np.array([word[state % len(word)], END]),
                                     np.array([5.0, 0.0], np.float32), -30.0)

    for entry in search.beam(model, encoded, 3, Boost()):
        assert entry.text.count("sugar") <= 6


@pytest.mark.parametrize(("tokens", "cut"), [
    ([], 0), ([5], 0), ([5] * 5, 0), ([5] * 6, 5), ([9, 8, 5, 5, 5, 5, 5, 5], 5),
    ([1, 2] * 4, 0), ([1, 2] * 5, 8), ([7, 1, 2, 3, 1, 2, 3, 1, 2, 3], 0),
    ([1, 2, 3] * 4, 9), ([1, 2, 3, 4, 5] * 2, 0), ([1, 2, 3, 4, 5] * 3, 10),
    ([1, 2, 3, 4, 5] * 3 + [6], 0)])
def test_loops_are_repetitions_without_end(tokens: list[int], cut: int) -> None:
    assert looping(tokens) == cut

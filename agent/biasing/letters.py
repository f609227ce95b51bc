"""How likely letters and number words follow each other: priors for spelled and counted answers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from agent.biasing import lexicon
from agent.biasing.answers import MONTHS
from agent.biasing.words import ONES, ORDINALS, TENS

Floats: TypeAlias = npt.NDArray[np.float32]

ORDER = 4
_SYMBOLS = 27
"""a to z, and the edge of a word."""
_SCALE = 0.5
"""Share of the letter model's nats that counts: names are less regular than a dictionary."""
_UNIFORM = 0.1
_WORD_KNOWN = 3.0
"""Nats given for a whole spelled word that the dictionary or the catalogue has."""


@lru_cache(maxsize=1)
def _model() -> tuple[Floats, ...]:
    """Interpolated n-gram probabilities, one table an order, of the dictionary's words."""
    data = np.frombuffer(lexicon.spellings(), np.uint8)
    is_letter = (data >= ord("a")) & (data <= ord("z"))
    symbols = np.where(is_letter, data.astype(np.int64) - ord("a"), _SYMBOLS - 1)
    below = np.full(_SYMBOLS, 1 / _SYMBOLS, np.float32)
    tables: list[Floats] = []
    for order in range(1, ORDER + 1):
        index = np.zeros(len(symbols) - order + 1, np.int64)
        for place in range(order):
            index = index * _SYMBOLS + symbols[place:len(symbols) - order + 1 + place]
        counts = np.bincount(index, minlength=_SYMBOLS ** order).reshape(-1, _SYMBOLS)
        total = counts.sum(axis=1, keepdims=True)
        kinds = (counts > 0).sum(axis=1, keepdims=True)
        # Witten-Bell: what was never seen gets as much as there are different successors.
        lower = np.tile(below, (len(counts) // len(below.reshape(-1, _SYMBOLS)), 1)).reshape(
            -1, _SYMBOLS)
        below = np.asarray((counts + kinds * lower) / np.maximum(1, total + kinds), np.float32)
        below[total[:, 0] == 0] = lower[total[:, 0] == 0]
        tables.append(below)
    return tuple(tables)


def spelling_cost(words: Sequence[str]) -> float:
    """Nats that the last of ``words`` costs after the others, for an answer that is spelled out.

    Words of more than one letter cost nothing.
    """
    if not words or len(words[-1]) != 1:
        return 0.0
    history = [_SYMBOLS - 1] * (ORDER - 1)
    history += [ord(word) - ord("a") for word in words if len(word) == 1 and "a" <= word <= "z"]
    last = history[-ORDER:]
    row = 0
    for symbol in last[:-1]:
        row = row * _SYMBOLS + symbol
    likely = float(_model()[-1][row, last[-1]])
    return -_SCALE * float(np.log((1 - _UNIFORM) * likely + _UNIFORM / _SYMBOLS))


def known_word_gain(words: Sequence[str]) -> float:
    """Nats given when the letters of ``words`` make a known word, or several in a row."""
    letters = "".join(word for word in words if len(word) == 1)
    return _WORD_KNOWN if len(letters) > 2 and _is_known(letters) else 0.0


def _is_known(letters: str) -> bool:
    """Whether ``letters`` is a known word, or two of at least four letters in a row."""
    return bool(lexicon.known(letters)) or any(
        lexicon.known(letters[:cut]) and lexicon.known(letters[cut:])
        for cut in range(4, len(letters) - 3))


def number_cost(words: Sequence[str]) -> float:
    """Nats that the last of ``words`` costs after the others, for an answer of numbers.

    Digits follow digits, tens and teens come in pairs, ordinals follow a month.
    """
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in ORDINALS or last == "thirtieth":
        return 0.0 if before in MONTHS or before in TENS[2:] else 4.0
    if last in MONTHS:
        return 0.0 if not before else 4.0
    single, wide = {*ONES[:10], "oh"}, {*ONES[10:], *TENS[2:]}
    if last in wide and len(words) > 2 and before in single and words[-3] in single:
        return 1.5
    if last in single and len(words) > 2 and before in {*ONES[10:]} and last != "oh":
        return 1.0
    if before in TENS and len(words) > 2 and words[-3] in MONTHS:
        return 1.0
    if last == "zero" and before == "zero" and len(words) > 2 and words[-3] == "zero":
        return 1.0
    half = len(words) // 2
    if len(words) > 3 and len(words) % 2 == 0 and list(words[:half]) == list(words[half:]):
        return 1.5
    return 0.0

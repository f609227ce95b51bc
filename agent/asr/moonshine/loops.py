"""Detection of a decoder that repeats itself ("sugar sugar sugar …")."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST_PERIOD = 12
_REPEATS = {1: 6, 2: 5, 3: 4, 4: 4}
_REPEATS_OF_LONGER = 3
"""Digits and short words are said several times in a row; a whole phrase hardly three times."""


def looping(tokens: Sequence[int]) -> int:
    """How many tokens at the end only repeat what stands before them; 0 when it is no loop.

    A loop is a sequence of 1 to 12 tokens that occurs at least six times in a row (one token),
    five (two tokens), four (three or four tokens) or three (longer ones). Cutting the answer's
    length off leaves the sequence once.
    """
    for period in range(1, min(_LONGEST_PERIOD, len(tokens) // 2) + 1):
        needed = _REPEATS.get(period, _REPEATS_OF_LONGER)
        repeats = 1
        unit = tuple(tokens[-period:])
        while tuple(tokens[-period * (repeats + 1):-period * repeats]) == unit:
            repeats += 1
        if repeats >= needed:
            return period * (repeats - 1)
    return 0

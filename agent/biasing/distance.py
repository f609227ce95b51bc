"""Phonetic distance: weighted edit distance over articulatory features, batched.

A substitution costs PanPhon's weighted feature difference; leaving out or putting in a phone
costs what it weighs on the ear: reduced vowels and glides little, stops and sibilants more.
Distances are in those units; divide by the number of phones for a measure that does not grow
with length. Source of the method: Mortensen et al. 2016 (PanPhon), Needleman and Wunsch 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from agent.biasing.phones import PHONES, SYLLABIC, Phones, substitution_costs

Floats: TypeAlias = npt.NDArray[np.float32]

PAD = len(PHONES)
"""Number that fills rows after their last phone; costs nothing to leave out."""
_VOWEL_GAP, _WEAK_GAP, _CONSONANT_GAP = 1.75, 1.25, 2.25
_WEAK = ("ə", "ɪ", "h", "j", "w", "ɹ", "ʔ", "ɾ", "ʌ")
_VOWEL_CONSONANT = 1.0
"""Added where a vowel would stand for a consonant: listeners do not confuse those."""


@dataclass(frozen=True)
class Costs:
    """What it costs to take one phone for another, where that has been learned; not symmetric."""

    substitution: Floats = field(repr=False)
    """``float32[phones + 1, phones + 1]``: phone heard, phone said; the last is the filling."""
    put_in: Floats = field(repr=False)
    """``float32[phones + 1]``: of a phone heard that nobody said."""
    left_out: Floats = field(repr=False)
    """``float32[phones + 1]``: of a phone said that was not heard; 0 for the filling."""


@lru_cache(maxsize=1)
def costs() -> tuple[Floats, Floats]:
    """Substitution costs ``float32[phones + 1, phones + 1]`` and gap costs ``[phones + 1]``."""
    count = len(PHONES)
    # A phone cannot stand for the filling after the end of a row.
    substitution = np.full((count + 1, count + 1), 1e3, np.float32)
    substitution[:count, :count] = substitution_costs()
    substitution[:count, :count] += _VOWEL_CONSONANT * (SYLLABIC[:, None] != SYLLABIC[None, :])
    gaps = np.where(SYLLABIC, _VOWEL_GAP, _CONSONANT_GAP).astype(np.float32)
    for symbol in _WEAK:
        gaps[PHONES.index(symbol)] = _WEAK_GAP
    return substitution, np.append(gaps, np.float32(0))


def between(one: Phones, other: Phones) -> float:
    """Distance of two pronunciations; symmetric, 0 only for equal ones."""
    return float(to_many(one, pack([other]))[0])


def per_phone(one: Phones, other: Phones) -> float:
    """Distance divided by the mean number of phones."""
    length = (len(one) + len(other)) / 2
    return between(one, other) / length if length else 0.0


def inside(part: Phones, whole: Phones) -> float:
    """Distance a phone of ``part`` to the stretch of ``whole`` that it is nearest to."""
    if not len(part):
        return 0.0
    substitution, gaps = costs()
    left_out = np.concatenate([np.zeros(1, np.float32), np.cumsum(gaps[part])])[None, :]
    best = left_out.astype(np.float32)
    nearest = float(best[0, -1])
    for phone in whole:
        best = _row(best, substitution[phone][part][None, :], float(gaps[phone]), left_out)
        best[0, 0] = 0.0  # It may begin anywhere.
        np.minimum(best, left_out, out=best)
        nearest = min(nearest, float(best[0, -1]))
    return nearest / len(part)


def pack(pronunciations: Sequence[Phones]) -> npt.NDArray[np.uint8]:
    """``uint8[n, longest]``, rows filled up with ``PAD``."""
    longest = max((len(p) for p in pronunciations), default=0)
    rows = np.full((len(pronunciations), longest), PAD, np.uint8)
    for row, phones in zip(rows, pronunciations, strict=True):
        row[:len(phones)] = phones
    return rows


@lru_cache(maxsize=1)
def unlearned() -> Costs:
    """The costs of ``costs``, the same in both directions."""
    substitution, gaps = costs()
    return Costs(substitution, gaps, gaps)


def to_many(query: Phones, rows: npt.NDArray[np.uint8], learned: Costs | None = None) -> Floats:
    """Distance of ``query``, what was heard, to each packed row: ``float32[n]``."""
    used = learned or unlearned()
    left_out = np.concatenate([np.zeros((len(rows), 1), np.float32),
                               np.cumsum(used.left_out[rows], axis=1)], axis=1)
    best = left_out.copy()
    for phone in query:
        best = _row(best, used.substitution[phone][rows], float(used.put_in[phone]), left_out)
    return np.asarray(best[:, -1], np.float32)


def windows(words: Sequence[Phones], rows: npt.NDArray[np.uint8], most: int) -> Floats:
    """Distance of each packed row to each run of up to ``most`` words.

    Returns:
        ``float32[words, most, n]``: start word, number of words less one, row; infinite where
        the run would go past the end.
    """
    substitution, gaps = costs()
    found = np.full((len(words), most, len(rows)), np.inf, np.float32)
    left_out = np.concatenate([np.zeros((len(rows), 1), np.float32),
                               np.cumsum(gaps[rows], axis=1)], axis=1)
    for start in range(len(words)):
        best = left_out.copy()
        for taken, word in enumerate(words[start:start + most]):
            for phone in word:
                best = _row(best, substitution[phone][rows], float(gaps[phone]), left_out)
            found[start, taken] = best[:, -1]
    return found


def _row(best: Floats, substitutions: Floats, gap: float, left_out: Floats) -> Floats:
    """The next row of the edit-distance table of every packed row at once.

    Leaving out phones of the packed row runs along the row; subtracting what has been left out
    so far turns that into a running minimum.
    """
    grown = best + np.float32(gap)
    np.minimum(grown[:, 1:], best[:, :-1] + substitutions, out=grown[:, 1:])
    grown -= left_out
    np.minimum.accumulate(grown, axis=1, out=grown)
    grown += left_out
    return grown

"""The free transcript with names put where something that sounds like them was heard.

"Remind me to tell make power about it": no carrier covers such a sentence, but one of its windows
of up to four words sounds like a name of the catalogue. Each variant has one window replaced, or
two; which of them is the likeliest under the audio is for forced scoring to say, and whether it is
to be believed for arbitration.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from agent.biasing import Phrase, pronunciation
from agent.biasing.retrieval import Match, Retriever
from agent.biasing.words import said

MOST_WORDS = 4
"""Words in a window at most."""
FURTHEST = 2.2
"""Distance a phone between window and phrase at most."""
LONGEST = 24
"""Words of a transcript beyond which it is left alone: no command is that long."""
_MATCHES = 24
_VARIANTS = 24
_PAIRED = 6
"""Nearest matches of which any two are tried together."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A transcript in which windows were replaced."""

    text: str = field(repr=False)
    """With the punctuation of the free transcript."""
    labels: tuple[str, ...] = field(repr=False)
    """The phrases put in."""
    words: int
    covered: int
    """Words that belong to the phrases."""


@dataclass(frozen=True, slots=True)
class _Replacement:
    start: int
    end: int
    phrase: str
    distance: float


def variants(text: str, lists: Iterable[tuple[Sequence[Phrase], Retriever]]) -> list[Variant]:
    """Up to ``_VARIANTS`` transcripts with phrases put in, the nearest in sound first."""
    words = text.split()
    if not 2 <= len(words) <= LONGEST:
        return []
    phones = [next(iter(pronunciation.of_text(word)), None) for word in words]
    heard = [at for at, one in enumerate(phones) if one is not None]
    sounds = [one for one in phones if one is not None]
    found: list[_Replacement] = []
    for phrases, retriever in lists:
        found += [_replacement(match, phrases[match.index].text, heard)
                  for match in retriever.within(sounds, _MATCHES, MOST_WORDS, FURTHEST)]
    right = [r for r in found if said(r.phrase) == said(" ".join(words[r.start:r.end]))]
    whole = (0, len(words))
    found = [r for r in _nearest(found) if r not in right and (r.start, r.end) != whole
             and not any(_spoils(r, other) for other in right)]
    made: dict[str, Variant] = {}
    for replaced in _choices(found):
        variant = _variant(words, replaced)
        made.setdefault(variant.text, variant)
    return list(made.values())[:_VARIANTS]


def _replacement(match: Match, phrase: str, heard: Sequence[int]) -> _Replacement:
    return _Replacement(heard[match.start], heard[match.start + match.words - 1] + 1, phrase,
                        match.per_phone)


def _spoils(replacement: _Replacement, right: _Replacement) -> bool:
    """Whether a replacement touches what was heard right already.

    A single word may be the beginning of a longer phrase ("bedroom certain" of "Bedroom Curtain").
    """
    if replacement.end <= right.start or right.end <= replacement.start:
        return False
    return right.end - right.start > 1 or replacement.phrase == right.phrase


def _nearest(found: Iterable[_Replacement]) -> list[_Replacement]:
    return sorted(found, key=lambda r: r.distance)[:_MATCHES]


def _choices(found: Sequence[_Replacement]) -> Iterator[tuple[_Replacement, ...]]:
    """Single replacements and pairs of them, those likely to be wanted early."""
    pairs = [tuple(sorted(pair, key=lambda r: r.start))
             for pair in itertools.combinations(found[:_PAIRED], 2)]
    apart = [pair for pair in pairs if pair[0].end <= pair[1].start]
    half = _VARIANTS // 2
    yield from ((one,) for one in found[:half])
    yield from apart
    yield from ((one,) for one in found[half:])


def _variant(words: Sequence[str], replaced: Sequence[_Replacement]) -> Variant:
    pieces: list[str] = []
    at = covered = 0
    for one in replaced:
        pieces += words[at:one.start]
        # What follows the window's last letter or digit: a comma, an "'s".
        tail = re.search(r"('s)?[^\w]*$", words[one.end - 1])
        pieces.append(one.phrase + (tail[0] if tail else ""))
        covered += len(said(one.phrase))
        at = one.end
    pieces += words[at:]
    text = " ".join(pieces)
    return Variant(text, tuple(one.phrase for one in replaced), len(said(text)), covered)

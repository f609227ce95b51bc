"""Pronunciations of any phrase, most likely first."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from agent.biasing import Phrase, foreign, lexicon
from agent.biasing.phones import Phones, parse
from agent.biasing.words import said

MOST_VARIANTS = 4
"""Pronunciations kept of a phrase."""
_LETTER_NAMES = {"w": "dʌbəlju", "a": "eɪ"}

LONGEST = 1000
"""Characters: a minute of speech. What compares pronunciations takes memory for the longest one, of
every phrase at once."""


def of_phrase(phrase: Phrase) -> tuple[Phones, ...]:
    """Phones of a phrase: its own pronunciations where it has some, else those of its text."""
    given = tuple(parse(ipa) for ipa in phrase.pronunciations if len(ipa) <= LONGEST)
    given = tuple(phones for phones in given if len(phones))
    return given or of_text(phrase.text)


@lru_cache(maxsize=50_000)
def of_text(text: str) -> tuple[Phones, ...]:
    """Phones of a text, most likely first; empty when nothing in it can be said.

    A text of more than ``LONGEST`` characters counts as one that nobody says.
    """
    if len(text) > LONGEST:
        return ()
    words = [of_word(word) for word in said(text)]
    words = [variants for variants in words if variants]
    if not words:
        return ()
    found: dict[bytes, Phones] = {}
    # Variants are combined by their rank summed over words: one unusual word before two.
    ranked = sorted(itertools.islice(itertools.product(*(range(len(w)) for w in words)), 64),
                    key=sum)
    for choice in ranked:
        phones = parse("".join(words[at][rank] for at, rank in enumerate(choice)))
        if len(phones):
            found.setdefault(phones.tobytes(), phones)
        if len(found) == MOST_VARIANTS:
            break
    return tuple(found.values())


@lru_cache(maxsize=50_000)
def of_word(word: str) -> tuple[str, ...]:
    """IPA of one word as ``words.said`` gives it, most likely first; empty if it has no sound."""
    if foreign.is_hangul(word):
        return (foreign.hangul(word),)
    plain = word.replace("'", "")
    known = lexicon.known(word) or lexicon.known(plain)
    if len(plain) == 1 and plain.isascii() and plain.isalpha():
        return (_LETTER_NAMES.get(plain) or known[-1], *known)
    if known:
        return known
    if not re.fullmatch(r"[a-z]+", plain):
        return ()
    if not re.search(r"[aeiouy]", plain):
        return ("".join(of_word(letter)[0] for letter in plain), lexicon.guess(plain))
    parts = _compound(plain)
    readings = [parts] if parts else []
    readings += [lexicon.guess(plain), foreign.continental(plain)]
    return tuple(dict.fromkeys(reading for reading in readings if reading))


def _compound(word: str) -> str:
    """A word that two dictionary words make ("nightstand"), each of at least four letters."""
    for cut in range(4, len(word) - 3):
        first, second = lexicon.known(word[:cut]), lexicon.known(word[cut:])
        if first and second:
            return first[0] + second[0]
    return ""

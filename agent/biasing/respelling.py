"""Spells phrases in the words that a recogniser's vocabulary has, by how they sound.

A name that is missing from a vocabulary can still be heard as a row of words that sound like it
("wood" + "stock"). Words are looked up by broad phonetic classes, so that near misses are found
without comparing with half a million words; the cheapest row comes by dynamic programming.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from agent.biasing import distance, pronunciation
from agent.biasing.phones import PHONES, SYLLABIC, Phones

MOST_PHONES = 9
"""Phones of the longest word that is used."""
WORD_COST = 1.0
"""Added for every word: few long words rather than many short ones."""
_KEPT = 3
"""Words kept of each class; the first in the vocabulary's order."""
_CLASSES = {
    "P": "p b pf ɸ β", "T": "t d ʈ ɖ ts dz", "K": "k ɡ q x ɣ χ c ɟ", "F": "f v ʋ", "S": "s z θ ð",
    "C": "tʃ dʒ ʃ ʒ tɕ dʑ ɕ ʑ ʂ ʐ", "M": "m", "N": "n ɲ ɳ", "G": "ŋ", "L": "l ɫ ɹ r ɾ ʁ ʎ",
    "A": "ɑ a æ ʌ ə ɐ ɜ ɒ", "E": "e ɛ ø œ", "I": "i ɪ y ɨ", "O": "o ɔ ɤ", "U": "u ʊ ʉ ɯ",
    "W": "w ɥ j", "H": "h ɦ ʔ"}
_CLASS_OF = {symbol: letter for letter, symbols in _CLASSES.items() for symbol in symbols.split()}
_BROAD = [_CLASS_OF.get(symbol, "H") for symbol in PHONES]


@dataclass(frozen=True)
class Respeller:
    """A vocabulary, looked up by sound."""

    _words: dict[str, list[tuple[str, Phones]]] = field(repr=False)

    @classmethod
    def of(cls, vocabulary: Iterable[str]) -> Respeller:
        """Index a vocabulary; words without a sound or of too many phones are left out."""
        words: dict[str, list[tuple[str, Phones]]] = {}
        for word in vocabulary:
            for phones in pronunciation.of_text(word)[:1]:
                kept = words.setdefault(_key(phones), [])
                if len(phones) <= MOST_PHONES and len(kept) < _KEPT:
                    kept.append((word, phones))
        return cls(words)

    def spell(self, phones: Phones) -> tuple[str, float] | None:
        """The row of words nearest to ``phones``, and its distance a phone; None without any."""
        count = len(phones)
        best: list[tuple[float, tuple[str, ...]]] = [(0.0, ())]
        for end in range(1, count + 1):
            options = [(cost + best[start][0], (*best[start][1], word))
                       for start in range(max(0, end - MOST_PHONES), end)
                       if best[start][0] < np.inf
                       for word, cost in self._nearest(phones[start:end])]
            best.append(min(options, default=(np.inf, ())))
        cost, words = best[-1]
        if not count or cost == np.inf:
            return None
        return " ".join(words), (cost - WORD_COST * len(words)) / count

    def _nearest(self, phones: Phones) -> list[tuple[str, float]]:
        found = [(word, distance.between(phones, other) + WORD_COST)
                 for key in _keys(phones) for word, other in self._words.get(key, ())]
        return [min(found, key=lambda pair: pair[1])] if found else []


def _key(phones: Phones) -> str:
    return "".join(_BROAD[phone] for phone in phones)


def _keys(phones: Phones) -> list[str]:
    """Keys under which words that sound like ``phones`` may stand."""
    key = _key(phones)
    keys = [key]
    for at, phone in enumerate(phones):
        if not SYLLABIC[phone]:
            continue
        # Vowels are where languages differ most.
        keys += [key[:at] + vowel + key[at + 1:] for vowel in "AEIOU" if vowel != key[at]]
    keys += [key.replace("F", "P"), key.replace("G", "N")]
    # Many languages cannot end a syllable as another can: a weak vowel is put in or left out.
    keys += [key + vowel for vowel in "UI"]
    keys += [key[:at] + "U" + key[at:] for at in range(1, len(key))
             if not SYLLABIC[phones[at]] and not SYLLABIC[phones[at - 1]]]
    keys += [key[:at] + key[at + 1:] for at in range(len(key)) if key[at] in "HW" and len(key) > 1]
    return keys

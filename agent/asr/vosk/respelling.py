"""A ``Speller`` that spells what the model's vocabulary lacks by words that sound like it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from agent.asr.vosk import vocabulary
from agent.asr.vosk.grammar import Knows, PlainSpeller, plain_words
from agent.biasing import Phrase, foreign, pronunciation
from agent.biasing.respelling import Respeller

FURTHEST = 2.2
"""Distance a phone from which a spelling is of no use."""
_LONGEST_NAME = 5
"""Syllables of the longest Korean word that is taken to pieces."""
_MOST_SPELLINGS = 4
_LONGEST_WORD = 2
"""Syllables of the longest word used of a syllabic script: longer ones are made of these."""


class PhoneticSpeller:
    """The phrase's own words where the model knows them, words of like sound where it does not.

    The vocabulary is read and indexed when a word is first missing.

    Args:
        folder: The model's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._respeller: Respeller | None = None
        self._spelled: dict[str, tuple[str, ...]] = {}

    def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
        """Spellings in known words, likeliest first; none when nothing sounds like it."""
        rows: list[tuple[str, ...]] = []
        for word in plain_words(phrase.text):
            spellings = _in_pieces(word, knows) if foreign.is_hangul(word) else tuple(
                PlainSpeller().spell(Phrase(word), knows))
            spellings = spellings or self._by_sound(word, knows)
            if not spellings:
                return ()
            rows.append(spellings)
        if not rows:
            return ()
        longest = max(len(spellings) for spellings in rows)
        joined = [" ".join(spellings[min(rank, len(spellings) - 1)] for spellings in rows)
                  for rank in range(longest)]
        return tuple(dict.fromkeys(joined))

    def _by_sound(self, word: str, knows: Knows) -> tuple[str, ...]:
        with self._lock:
            found = self._spelled.get(word)
            if found is None:
                found = self._spelled[word] = self._search(word, knows)
        return found

    def _search(self, word: str, knows: Knows) -> tuple[str, ...]:
        if self._respeller is None:
            words = vocabulary.read(self._folder)
            self._respeller = Respeller.of(w for w in words if _usable(w) and knows(w))
        found: dict[str, float] = {}
        for phones in pronunciation.of_text(word)[:3]:
            spelled = self._respeller.spell(phones)
            if spelled is not None and spelled[1] <= FURTHEST:
                found.setdefault(*spelled)
        return tuple(sorted(found, key=lambda text: found[text]))


def _in_pieces(word: str, knows: Knows) -> tuple[str, ...]:
    """A Korean word whole, and in pieces that the model knows, as written and as linked.

    The model knows many family and given names, and joined to a full name few.
    """
    found: list[str] = []
    for spoken in dict.fromkeys((word, foreign.linked(word))):
        found += [spoken] * knows(spoken)
        cuts = [(spoken[:at], spoken[at:]) for at in (1, 2) if at < len(spoken) <= _LONGEST_NAME]
        found += [f"{one} {other}" for one, other in cuts if knows(one) and knows(other)]
        if not found and len(spoken) <= _LONGEST_NAME and all(map(knows, spoken)):
            found.append(" ".join(spoken))
    return tuple(found[:_MOST_SPELLINGS])


def _usable(word: str) -> bool:
    """Whether a word's spelling says how it sounds: a syllabic script, or lower-case Latin."""
    if re.fullmatch(r"[가-힣]+", word):
        return len(word) <= _LONGEST_WORD
    return bool(re.fullmatch(r"[a-z]+", word))

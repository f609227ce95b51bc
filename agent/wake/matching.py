"""Whether a text that was heard holds the wake word, or something that sounds like it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.biasing import distance, pronunciation
from agent.biasing.words import said

_SPREAD = 1
"""Words more than the wake word has that a recogniser may have made of it."""


def contains(text: str, word: str, near: float) -> bool:
    """Whether ``word`` (one word or more) is in ``text`` by letters or by sound.

    Args:
        text: What was heard.
        word: The wake word.
        near: Phonetic distance a phone up to which words count as the same. On that scale
            "elexa" is 0.17 from "alexa", "a lexus" 0.38, "Alexis" 0.54, "relax" 0.71.
    """
    return any(similar(heard, word, near) for heard in _runs(said(text), len(said(word)) + _SPREAD))


def similar(heard: str, word: str, near: float) -> bool:
    """Whether two words or phrases are spelled alike, or pronounced so within ``near``.

    What is only the beginning of ``word`` is another word ("Alex").
    """
    one, other = "".join(said(heard)), "".join(said(word))
    if one == other:
        return True
    if not one or not other or other.startswith(one):
        return False
    return _per_phone(heard, word) <= near


def _per_phone(heard: str, word: str) -> float:
    """The least distance of their pronunciations, a phone of ``word``."""
    return min((distance.between(one, other) / len(other)
                for one in pronunciation.of_text(heard) for other in pronunciation.of_text(word)),
               default=float("inf"))


def _runs(words: Sequence[str], longest: int) -> Iterator[str]:
    """Every run of up to ``longest`` consecutive words."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            yield " ".join(words[start:end])

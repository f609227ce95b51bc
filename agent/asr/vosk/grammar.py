"""A bias as a Vosk grammar: phrases spelled in words the model knows, and the way back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp
from types import MappingProxyType
from typing import Protocol

from agent.biasing import Bias, Phrase

MAX_REPEATS = 20
"""Heaviest weight of a phrase: how often its line stands in the grammar."""
LONGEST = 120
"""Characters of a phrase; nobody says a longer one in one breath, and spelling it takes long."""
_MAX_LINES = 60_000
LEAST_LIKELY, MOST_LIKELY = -0.7, 1.1
"""Limits, in nats, of what a turn's context does to a weight: lines weigh as much as their count,
and a heavy line is heard where it was not said."""

Knows = Callable[[str], bool]


class Speller(Protocol):
    """Spells phrases in words that a model knows."""

    def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
        """Spellings of a phrase in known words, likeliest first; none when there is no way.

        Args:
            phrase: The phrase, as the user's catalogue spells it.
            knows: Whether the model knows a word.
        """
        ...


class PlainSpeller:
    """The phrase's own words, in lower case or as written, when the model knows all of them."""

    def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
        """One spelling or none."""
        words = []
        for word in plain_words(phrase.text):
            lower = word.lower()
            if not knows(lower):
                if not knows(word):
                    return ()
                lower = word
            words.append(lower)
        return (" ".join(words),) if words else ()


@dataclass(frozen=True, slots=True)
class Grammar:
    """What a recogniser is given, and how its answers are written."""

    lines: tuple[str, ...] = field(default=(), repr=False)
    """Known words only; a line repeats as often as its weight says. Empty: no grammar."""
    originals: MappingProxyType[str, str] = field(
        default_factory=lambda: MappingProxyType({}), repr=False)
    """The catalogue's writing of each line."""
    missing: tuple[str, ...] = field(default=(), repr=False)
    """Phrases that could not be spelled in known words."""

    def spellings(self) -> dict[str, list[str]]:
        """The lines that stand for each text of the catalogue."""
        found: dict[str, list[str]] = {}
        for line, text in self.originals.items():
            found.setdefault(text, []).append(line)
        return found

    def restore(self, text: str) -> str:
        """A decoded text with every line that occurs in it written as the catalogue does.

        The longest line wins where several could be meant.
        """
        words = text.split()
        longest = max((line.count(" ") + 1 for line in self.originals), default=0)
        written: list[str] = []
        at = 0
        while at < len(words):
            for length in range(min(longest, len(words) - at), 0, -1):
                original = self.originals.get(" ".join(words[at:at + length]))
                if original is not None:
                    written.append(original)
                    at += length
                    break
            else:
                written.append(words[at])
                at += 1
        return " ".join(written)


def plain_words(text: str) -> list[str]:
    """Words of a text without punctuation: letters, digits and inner apostrophes."""
    text = unicodedata.normalize("NFC", text).replace("’", "'")
    return re.findall(r"[^\W_]+(?:'[^\W_]+)*", text)


def build(bias: Bias, speller: Speller, knows: Knows) -> Grammar:
    """The grammar of a bias.

    A phrase's weight becomes repetition: weight 3 puts its line there three times; its log prior
    raises or lowers that. Several spellings share the repetitions, at least one each. Weights of 0
    and less leave it out; a phrase of more than ``LONGEST`` characters counts as missing.
    """
    lines: list[str] = []
    originals: dict[str, tuple[float, str]] = {}
    missing: list[str] = []
    for phrase in bias.phrases:
        if phrase.weight <= 0:
            continue
        spelled = speller.spell(phrase, knows) if len(phrase.text) <= LONGEST else ()
        spellings = [spelling for spelling in map(_spaced, spelled)
                     if spelling and all(map(knows, spelling.split()))]
        if not spellings:
            missing.append(phrase.text)
        weight = phrase.weight * exp(min(MOST_LIKELY, max(LEAST_LIKELY, phrase.log_prior)))
        share = max(1, round(min(weight, MAX_REPEATS) / max(1, len(spellings))))
        for spelling in dict.fromkeys(spellings):
            lines.extend([spelling] * share)
            if weight > originals.get(spelling, (0.0, ""))[0]:
                originals[spelling] = (weight, phrase.text)
    table = {spelling: text for spelling, (_, text) in originals.items()}
    return Grammar(tuple(_thinned(lines)), MappingProxyType(table), tuple(missing))


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _thinned(lines: list[str]) -> list[str]:
    """Without repetitions where there are too many lines for a grammar in good time."""
    return lines if len(lines) <= _MAX_LINES else list(dict.fromkeys(lines))

"""Spelled names: "b, a, u, e, r", "B. A. U.", "b as in boy", "double l", "bravo alpha"."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.dialogue.text import distance, fold

_NATO = {"alpha": "a", "alfa": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e",
         "foxtrot": "f", "golf": "g", "hotel": "h", "india": "i", "juliet": "j", "juliett": "j",
         "kilo": "k", "lima": "l", "mike": "m", "november": "n", "oscar": "o", "papa": "p",
         "quebec": "q", "romeo": "r", "sierra": "s", "tango": "t", "uniform": "u", "victor": "v",
         "whiskey": "w", "whisky": "w", "xray": "x", "yankee": "y", "zulu": "z"}
_NAMES = {"ay": "a", "eh": "a", "bee": "b", "be": "b", "cee": "c", "see": "c", "sea": "c",
          "dee": "d", "ee": "e", "eff": "f", "ef": "f", "gee": "g", "aitch": "h", "haitch": "h",
          "eye": "i", "jay": "j", "kay": "k", "okay": "k", "el": "l", "ell": "l", "elle": "l",
          "em": "m", "en": "n", "oh": "o", "pee": "p", "cue": "q", "queue": "q", "are": "r",
          "ar": "r", "ess": "s", "tee": "t", "tea": "t", "you": "u", "vee": "v", "ex": "x",
          "why": "y", "wye": "y", "zee": "z", "zed": "z"}
_LIKE = frozenset({"as", "like", "for"})
_SKIP = frozenset({"and", "then", "space", "hyphen", "dash", "apostrophe", "capital", "its", "is",
                   "that", "thats", "the", "it", "letter", "letters", "spelled", "spelt", "um",
                   "uh", "so", "name", "period", "dot", "new", "word", "i'm", "please"})


def letters(text: str) -> str:
    """The letters that ``text`` spells, in lower case; empty when it does not spell."""
    words = re.findall(r"[^\W\d_]+", fold(text).replace("'", "").replace("double u", "w")
                       .replace("double you", "w").replace("double-u", "w"))
    found, position, repeat = [], 0, 1
    while position < len(words):
        word = words[position]
        if word in ("double", "triple"):
            repeat = 2 if word == "double" else 3
            position += 1
            continue
        letter, length = _letter_at(words, position)
        if letter:
            found.append(letter * repeat)
        elif word not in _SKIP:
            return ""
        repeat = 1
        position += length
    return "".join(found) if len(found) > 1 else ""


def _letter_at(words: list[str], position: int) -> tuple[str, int]:
    """The letter, or empty, that begins at ``position``, and how many words it takes."""
    word = words[position]
    letter = word if len(word) == 1 else _NATO.get(word) or _NAMES.get(word, "")
    rest = words[position + 1:position + 4]
    if letter and rest[:2] == ["as", "in"] and len(rest) > 2:
        return letter, 4
    if letter and rest[:1] and rest[0] in _LIKE and len(rest) > 1 and _explains(letter, rest[1]):
        return letter, 3
    if word in _SKIP:
        return "", 1
    return letter, 1


def _explains(letter: str, word: str) -> bool:
    return len(word) > 1 and word.startswith(letter)


def nearest(spelled: str, spellings: Mapping[str, str]) -> tuple[str, ...]:
    """The values of the spellings that are nearest, if any is near.

    Near means at most one letter in four (and at least one letter) added, left out or mistaken.
    """
    limit = max(1, len(spelled) // 4)
    best: list[str] = []
    if len(spelled) < 3:
        return ()
    wanted = frozenset(spelled)
    for spelling, value in spellings.items():
        # A changed letter puts at most two letters into one text that the other does not have:
        # most names are ruled out by that alone.
        if (len(spelling) < 3 or abs(len(spelling) - len(spelled)) > limit
                or len(wanted.symmetric_difference(spelling)) > 2 * limit):
            continue
        length = distance(spelled, spelling, limit)
        if length < limit or (length == limit and not best):
            best, limit = [value], length
        elif length == limit:
            best.append(value)
    return tuple(best)

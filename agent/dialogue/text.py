"""One canonical form for what was heard, for templates and for the user's own names.

Both sides of every comparison go through ``canonical``, so it does not matter whether a
recogniser writes "50%" or "fifty percent", "Blue-Bottle" or "blue bottle", "What's" or "what is".
"""

from __future__ import annotations

import re
import unicodedata

from agent.dialogue.numbers import ORDINALS, digits

MAX_CHARS = 2_000
"""Longer texts are cut: no command is that long, and time must stay bounded."""

_SYMBOLS = {"%": " percent ", "°": " degrees ", "½": " half ", "&": " and ", "+": " plus ",
            "@": " at ", "£": " pounds ", "$": " dollars ", "€": " euros "}
_WORDS = {"whats": "what is", "wheres": "where is", "hows": "how is", "whos": "who is",
          "whens": "when is", "its": "it is", "thats": "that is", "lets": "let us",
          "im": "i am", "id": "i would", "ill": "i will", "dont": "do not", "ive": "i have",
          "nevermind": "never mind", "okay": "ok", "colour": "color", "theatre": "theater",
          "theatres": "theaters", "centre": "center", "grey": "gray"}
_ORDINAL_FIGURE = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DECIMAL = re.compile(r"(?<=\d)[.,](?=\d)")
_JOINT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
_OTHER = re.compile(r"[^\w\x00]|_")
_DEGREES = re.compile(r"\bdegrees (?:c|f|celsius|fahrenheit|degrees)\b")


def canonical(text: str) -> str:
    """Lower case, no accents or punctuation, numbers as digits, contractions spelled out."""
    text = fold(text[:MAX_CHARS]).replace("'", "").replace("1/2", " half ")
    text = _INITIALS.sub(lambda match: match[0].replace(".", "") + " ", text)
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    text = _ORDINAL_FIGURE.sub(_ordinal_word, text)
    text = _DECIMAL.sub("\0", _THOUSANDS.sub("", text))
    text = _OTHER.sub(" ", _JOINT.sub(" ", text)).replace("\0", ".")
    words = " ".join(_WORDS.get(word, word) for word in text.split())
    words = words.replace("per cent", "percent")
    return _DEGREES.sub("degrees", " ".join(digits(words.split())))


def fold(text: str) -> str:
    """Lower case without accents; typographic quotes and dashes become plain ones."""
    text = text.replace("½", " half ").translate(_PLAIN)
    # Decomposed before and after folding: "𝕬" becomes "A" by the one and "a" by the other.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "`": "'", "´": "'", "–": "-", "—": "-",
                        "\0": " "})


def _ordinal_word(match: re.Match[str]) -> str:
    number = int(match[1])
    return ORDINALS[number - 1] if 0 < number <= len(ORDINALS) else match[0]


def compact(text: str) -> str:
    """``canonical`` without its spaces: "Bluebottle" and "Blue Bottle" are the same."""
    return canonical(text).replace(" ", "")


def without_article(text: str) -> str:
    """A canonical text without a leading "the", "a" or "an"."""
    for article in ("the ", "a ", "an "):
        if text.startswith(article) and len(text) > len(article):
            return text[len(article):]
    return text


def distance(one: str, other: str, limit: int) -> int:
    """Levenshtein distance of two texts, or ``limit + 1`` once it is known to exceed ``limit``."""
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
        if min(row) > limit:
            return limit + 1
    return row[-1]

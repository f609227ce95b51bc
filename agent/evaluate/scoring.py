"""How a transcript is compared with what was said."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from agent.biasing.words import ONES, ORDINALS, TENS
from agent.events import Expectation

_UNITS = {"oz": "ounce", "ounces": "ounce"}


def normalise(text: str) -> str:
    """Lower case, no punctuation, small numbers in words, a doubled first word once."""
    text = text.lower().replace("-", " ")
    text = re.sub("['’‘ʼ]", "", text)
    text = text.replace("%", " percent ")
    text = re.sub(r"[^\w\s]|_", " ", text)
    words: list[str] = []
    for word in text.split():
        words.extend(_in_words(word).split())
    joined = " ".join(_UNITS.get(word, word) for word in words)
    words = re.sub(r"\bnever mind\b", "nevermind", joined).split()
    if len(words) > 1 and words[0] == words[1]:
        del words[0]
    return " ".join(words)


def _in_words(word: str) -> str:
    if not re.fullmatch(r"[0-9]+", word) or len(word.lstrip("0")) > 3 or int(word) > 100:
        return word
    value = int(word)
    if value == 100:
        return "one hundred"
    if value < 20:
        return ONES[value]
    return TENS[value // 10] + (f" {ONES[value % 10]}" if value % 10 else "")


def compared(text: str, expects: Expectation | None) -> str:
    """The form in which exactness is judged."""
    if expects is Expectation.NUMBER:
        return in_digits(text)
    plain = normalise(text)
    return plain.replace(" ", "") if expects is Expectation.SPELLING else plain


def in_digits(text: str) -> str:
    """Numbers and ordinals as digits, strung together; other words stay."""
    text = re.sub(r"\b(\d+)(?:st|nd|rd|th)\b", r"\1", text.lower())
    text = re.sub("['’]", "", text)
    text = text.replace("%", " percent ")
    words = re.sub(r"[^\w\s]|_", " ", text).split()
    pieces: list[str] = []
    at = 0
    while at < len(words):
        figures, used = _figures(words, at)
        if used:
            if pieces and pieces[-1].isdigit():
                pieces[-1] += figures
            else:
                pieces.append(figures)
            at += used
        else:
            pieces.append(words[at])
            at += 1
    return " ".join(pieces)


def _figures(words: Sequence[str], at: int) -> tuple[str, int]:
    """Digits of the number or ordinal at ``at``, and how many words it takes."""
    word = words[at]
    if word.isascii() and word.isdigit():
        return word, 1
    if word in ("oh", "o"):
        return "0", 1
    value, used = _below_hundred(words, at)
    if used and value < 100:
        following = words[at + used] if at + used < len(words) else ""
        scale = {"hundred": 100, "thousand": 1000}.get(following)
        if scale and value:
            return str(value * scale), used + 1
        return str(value), used
    return "", 0


def _below_hundred(words: Sequence[str], at: int) -> tuple[int, int]:
    word = words[at]
    if word in ONES:
        return ONES.index(word), 1
    if word in ORDINALS:
        return ORDINALS.index(word) + 1, 1
    if word == "thirtieth":
        return 30, 1
    if word not in TENS[2:]:
        return 0, 0
    ten = 10 * TENS.index(word)
    following = words[at + 1] if at + 1 < len(words) else ""
    if following in ONES[1:10]:
        return ten + ONES.index(following), 2
    if following in ORDINALS[:9]:
        return ten + ORDINALS.index(following) + 1, 2
    return ten, 1


def exact(text: str, reference: str | None, expects: Expectation | None = None) -> bool:
    """Whether a transcript is what was said."""
    return compared(text, expects) == compared(reference or "", expects)


def accepted(text: str, slots: Mapping[str, str]) -> bool:
    """Whether every slot value occurs in the transcript, as whole words."""
    heard = f" {normalise(text)} "
    return all(f" {normalise(value)} " in heard for value in slots.values())


def word_errors(text: str, reference: str, expects: Expectation | None = None) -> tuple[int, int]:
    """Word errors (Levenshtein) and words of the reference."""
    heard, said = _words(text, expects), _words(reference, expects)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1,
                                           diagonal + (word != other))
    return row[-1], len(said)


def _words(text: str, expects: Expectation | None) -> list[str]:
    return (in_digits(text) if expects is Expectation.NUMBER else normalise(text)).split()

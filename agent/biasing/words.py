"""The words of a text as they are said: lower case, no punctuation, numbers in words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

ONES = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen").split()
ORDINALS = ("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth "
            "thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth "
            "twentieth").split()
TENS = ("", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split())

_SYMBOLS = {"%": " percent ", "&": " and ", "+": " plus ", "@": " at ", "°": " degrees "}
_FOLDED = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "ß": "ss", "æ": "ae", "Æ": "ae",
                         "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d",
                         "ı": "i", "þ": "th", "ð": "th", "œ": "oe"})


@lru_cache(maxsize=100_000)
def said(text: str) -> tuple[str, ...]:
    """Words of ``text`` as said; letters of any script stay, accents of Latin letters go."""
    if text.isascii() and text.isalpha():
        return (text.lower(),)
    text = text.translate(_FOLDED)
    for symbol, word in _SYMBOLS.items():
        text = text.replace(symbol, word)
    if not text.isascii():
        text = "".join(_unaccented(c) for c in unicodedata.normalize("NFC", text))
    text = text.lower()
    text = re.sub(r"(?<=\d)[,.](?=\d{3}\b)", "", text)
    text = re.sub(r"\d+", lambda match: f" {number(match[0])} ", text)
    return tuple(re.findall(r"[^\W_]+(?:'[^\W_]+)*", text))


def number(digits: str) -> str:
    """Words of a whole number: up to three digits as a number, longer ones digit by digit."""
    if len(digits) > 3 or (digits.startswith("0") and len(digits) > 1):
        return " ".join(ONES[int(c)] for c in digits)
    value = int(digits)
    if value < 20:
        return ONES[value]
    if value < 100:
        return f"{TENS[value // 10]} {ONES[value % 10] if value % 10 else ''}".strip()
    rest = number(str(value % 100)) if value % 100 else ""
    return f"{ONES[value // 100]} hundred {rest}".strip()


def _unaccented(character: str) -> str:
    decomposed = unicodedata.normalize("NFD", character)
    is_latin = "a" <= decomposed[0].lower() <= "z"
    return decomposed[0] if is_latin else character

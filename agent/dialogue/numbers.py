"""Numbers as people say them: ``fifty five``, ``one hundred and twenty``, ``seven point five``.

Digits are the canonical form, so that a template needs one form only. A lone "one" stays a word
unless a unit follows it: "the second one" is no number.
"""

from __future__ import annotations

ONES = {"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
        "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
        "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18,
        "nineteen": 19}
TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
        "eighty": 80, "ninety": 90}
SCALES = {"hundred": 100, "thousand": 1000}
UNITS = frozenset({"percent", "degree", "degrees", "hour", "hours", "minute", "minutes", "second",
                   "seconds", "brightness"})
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
            "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth",
            "seventeenth", "eighteenth", "nineteenth", "twentieth")

_SMALL = {value: word for word, value in {**ONES, **TENS}.items()}


def digits(words: list[str]) -> list[str]:
    """Replace every number in ``words`` by its digits."""
    result: list[str] = []
    position = 0
    while position < len(words):
        value, length = _number_at(words, position)
        following = words[position + length] if position + length < len(words) else ""
        if length == 0:
            result.append(words[position])
            position += 1
        elif value == "1" and not (following in UNITS or _ends_setting(result, following)):
            result.append("one")
            position += length
        else:
            result.append(value)
            position += length
    return result


def _ends_setting(before: list[str], following: str) -> bool:
    """Whether a lone "one" is what something is set to ("… brightness to one")."""
    return not following and len(before) > 1 and before[-1] in ("to", "by")


def _number_at(words: list[str], start: int) -> tuple[str, int]:
    """The number that begins at ``start`` and how many words it takes; 0 words if none does."""
    if words[start].replace(".", "", 1).isdecimal():
        return words[start], 1
    whole, length = _whole_at(words, start)
    if length == 0:
        return "", 0
    decimals, used = "", start + length
    if used + 1 < len(words) and words[used] == "point":
        used += 1
        while used < len(words) and (digit := _digit(words[used])):
            decimals += digit
            used += 1
    if decimals:
        return f"{whole}.{decimals}", used - start
    return str(whole), length


def _digit(word: str) -> str:
    if word in ("oh", "o"):
        return "0"
    value = ONES.get(word, 10)
    return str(value) if value < 10 else word if word.isdecimal() and len(word) == 1 else ""


def _whole_at(words: list[str], start: int) -> tuple[int, int]:
    total, current, position, seen = 0, 0, start, ""
    if words[start] == "a" and start + 1 < len(words) and words[start + 1] in SCALES:
        current, position, seen = 1, start + 1, "one"
    while position < len(words):
        word = words[position]
        if word in TENS and seen in ("", "scale", "and"):
            current, seen = current + TENS[word], "ten"
        elif word in ONES and (seen in ("", "scale", "and")
                               or (seen == "ten" and 0 < ONES[word] < 10)):
            current, seen = current + ONES[word], "one"
        elif word in SCALES and seen in ("one", "ten") and current:
            if word == "thousand":
                total, current = total + current * 1000, 0
            else:
                current *= 100
            seen = "scale"
        elif word == "and" and seen == "scale" and position + 1 < len(words) and (
                words[position + 1] in ONES or words[position + 1] in TENS):
            seen = "and"
        else:
            break
        position += 1
    return total + current, position - start if seen else 0


def spell_out(value: int) -> str:
    """Words of a whole number from 0 to 999: ``45`` is ``forty five``."""
    if value in _SMALL:
        return _SMALL[value]
    if value < 100:
        return f"{_SMALL[value - value % 10]} {_SMALL[value % 10]}"
    rest = f" and {spell_out(value % 100)}" if value % 100 else ""
    return f"{_SMALL[value // 100]} hundred{rest}"

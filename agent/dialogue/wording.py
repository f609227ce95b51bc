"""Small pieces of spoken English."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialogue.numbers import spell_out


def listed(items: Sequence[str], conjunction: str) -> str:
    """``A``, ``A or B``, ``A, B or C``."""
    if len(items) < 2:
        return "".join(items)
    # A comma before the conjunction where an item has one itself: "A, B and C, and D".
    joined = any(inner in item for item in items for inner in (" and ", " or "))
    comma = "," if len(items) > 2 and joined else ""
    return f"{', '.join(items[:-1])}{comma} {conjunction} {items[-1]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """``one timer``, ``three timers``."""
    number = spell_out(count) if 0 <= count < 1000 else str(count)
    return f"{number} {noun if count == 1 else plural or noun + 's'}"


def span(seconds: float) -> str:
    """A span of time: ``1 hour and 5 minutes``. Seconds are left out from an hour on."""
    total = max(0, round(seconds))
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    parts = [f"{value} {unit}{'' if value == 1 else 's'}"
             for value, unit in ((hours, "hour"), (minutes, "minute"),
                                 (0 if hours else rest, "second")) if value]
    return listed(parts, "and") or "0 seconds"


def sentence(text: str) -> str:
    """The text with a capital first letter and a full stop, unless it ends like a sentence."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")

"""What an answer to a question says: which option, a position, yes or no.

Options are matched by every part of them that tells them apart: of "Meg Jones" and "Meg Bauer",
"Bauer" is enough, and "Meg" says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from agent.dialogue.slots import text_list
from agent.dialogue.templates import answers
from agent.dialogue.text import canonical, distance, without_article
from agent.dialogue.turns import Option
from agent.dialogue.understanding import Intent, best

_EMPTY_WORDS = frozenset({"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "one",
                          "or", "the", "to", "with", "is", "it", "no", "yes", "other", "last",
                          "first", "second"})
_MAX_WORDS = 4


class Meaning(Enum):
    """What kind of thing an answer says."""

    OPTIONS = "options"
    YES = "yes"
    NO = "no"
    OTHER = "other"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, understood."""

    meaning: Meaning
    options: tuple[Option, ...] = field(default=(), repr=False)
    """The options it fits: one when it decides, several when it only narrows them down."""
    close: bool = False
    """Whether it is only near the option's text, not the same."""


def understand(text: str, options: tuple[Option, ...]) -> Answer | None:
    """What ``text`` says about ``options``; None when it says nothing about them."""
    parts = _parts(options)
    values = [(part, part) for part in parts]
    lists = {"option": text_list("option", values), "refused": text_list("refused", values)}
    intent = best(text, answers(), lists)
    if intent is not None:
        return _meaning(intent, options, parts)
    return _by_figure(text, options) or _joined(text, options)


def near(text: str, options: tuple[Option, ...]) -> Answer | None:
    """The option of which a part that tells it from the others is nearly ``text``, if just one."""
    heard = without_article(canonical(text)).replace(" ", "")
    found = {option for part, owners in _parts(options).items() if len(owners) == 1
             for option in owners if _is_near(heard, part.replace(" ", ""))}
    return Answer(Meaning.OPTIONS, tuple(found), close=True) if len(found) == 1 else None


def _is_near(heard: str, wanted: str) -> bool:
    limit = max(1, min(len(heard), len(wanted)) // 4)
    return min(len(heard), len(wanted)) > 3 and distance(heard, wanted, limit) <= limit


def _meaning(intent: Intent, options: tuple[Option, ...],
             parts: Mapping[str, tuple[Option, ...]]) -> Answer | None:
    fixed = {"Yes": Meaning.YES, "No": Meaning.NO, "Other": Meaning.OTHER,
             "NoneOfThem": Meaning.NONE}
    if intent.name in fixed:
        return Answer(fixed[intent.name])
    if intent.name == "Option":
        return Answer(Meaning.OPTIONS, parts[intent.text("option")])
    if intent.name == "Refuse":
        refused = parts[intent.text("refused")]
        return Answer(Meaning.OPTIONS, tuple(o for o in options if o not in refused))
    position = int(intent.number("ordinal") or intent.number("position"))
    return at_position(position, options)


def at_position(position: int, options: tuple[Option, ...]) -> Answer | None:
    """The option at a position from 1; -1 is the last."""
    index = position - 1 if position > 0 else position
    if position == 0 or not -len(options) <= index < len(options):
        return None
    return Answer(Meaning.OPTIONS, (options[index],))


def _by_figure(text: str, options: tuple[Option, ...]) -> Answer | None:
    figure = canonical(text)
    return at_position(int(figure), options) if figure.isdecimal() and len(figure) < 3 else None


def _joined(text: str, options: tuple[Option, ...]) -> Answer | None:
    """An option written as other words: "Bluebottle" for "Blue Bottle"."""
    heard = without_article(canonical(text)).replace(" ", "")
    found = tuple(option for option in options
                  if any(heard == form.replace(" ", "") for form in option.forms))
    return Answer(Meaning.OPTIONS, found) if found else None


def _parts(options: tuple[Option, ...]) -> dict[str, tuple[Option, ...]]:
    """Every run of words by which options can be named, and the options that have it.

    Whole texts come first: "Anna" is Anna, although it is a part of "Anna Smith" too.
    """
    parts: dict[str, tuple[Option, ...]] = {}
    for option in options:
        for form in option.forms:
            parts[form] = tuple(dict.fromkeys((*parts.get(form, ()), option)))
    whole = frozenset(parts)
    for option in options:
        for run in _runs(option.forms):
            if run not in whole:
                parts[run] = tuple(dict.fromkeys((*parts.get(run, ()), option)))
    return {run: found for run, found in parts.items()
            if run in whole or len(found) < len(options) or len(options) == 1}


def _runs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        words = text.split()
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + _MAX_WORDS) + 1):
                if not _EMPTY_WORDS.issuperset(words[start:end]):
                    yield " ".join(words[start:end])

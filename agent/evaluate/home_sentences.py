"""Commands to a home as people might word them, drawn from Home Assistant's sentence templates.

The templates are those of its open-vocabulary matcher, which are far wider than the closed ones
that biasing is made from (``agent.dialogue.carriers``): what is drawn here tests whether those
cover what people say. Some templates are kept for a held-out set.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from zlib import crc32

from agent.dialogue.templates import home_assistant
from agent.errors import AgentError

if TYPE_CHECKING:
    from hassil.expression import Expression
    from hassil.intents import IntentData, Intents

OPTIONAL = 0.25
"""How often an optional part of a template is said."""
USUAL = 0.5
"""How often the first of several wordings is taken; the others share the rest."""
LEFT_OUT = frozenset({
    "HassBroadcast", "HassMediaSearchAndPlay", "HassRespond", "HassLawnMowerDock",
    "HassLawnMowerStartMowing", "HassVacuumCleanArea"})
"""Intents of free speech, and of machines that are in none of the houses."""
_ITEMS = ("milk", "bread", "eggs", "apples", "paper towels", "orange juice", "toothpaste",
          "batteries", "coffee", "bananas", "dog food", "olive oil")
_WORDS: Mapping[str, Sequence[str]] = {
    "shopping_list_item": _ITEMS, "todo_list_item": _ITEMS,
    "timer_name": ("pizza", "laundry", "tea", "pasta")}
_STEPS = tuple(range(5, 101, 5))
_RULES = {"the": "[the]", "in": "in", "light": "(lights|light|lamps)", "all": "(all the|all|every)",
          "is": "is", "are": "are [the]", "any": "any", "what_is": "(what is|what's|tell me)",
          "turn": "(turn|switch)", "set": "(set|change)", "media": "(music|tv show|<track>)",
          "numeric_value_set": "(set|change|turn)", "open": "(open|raise)",
          "close": "(close|shut|lower)"}
"""Rules of Home Assistant's cut down to what people are likely to say."""
_OPENINGS = frozenset(
    "turn switch set change open close shut lower raise lock unlock is are what what's how which "
    "tell start stop pause resume unpause continue skip next previous play replay go mute unmute "
    "volume increase decrease add put check complete delete remove cancel create clean vacuum "
    "return dim illuminate activate run lights take light".split())
_ODD = re.compile(r"\b(for|by|add|take|remove|in|after) \d+ (hour|minute|second)\b|\bdegree$"
                  r"|\b1 (hours|minutes|seconds)\b|\b(\w+) \3\b|\bis (lights|windows|doors)\b")


@dataclass(frozen=True, slots=True)
class House:
    """What a home calls its things."""

    areas: tuple[str, ...] = field(repr=False)
    devices: Mapping[str, tuple[str, ...]] = field(repr=False)
    """Names by Home Assistant's domain: ``light``, ``scene``, ``todo`` …"""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, rooms first."""
        return (*self.areas, *(name for names in self.devices.values() for name in names))


class Source(StrEnum):
    """Which templates sentences are drawn from."""

    DEVELOPMENT = "development"
    """Half of the wide ones."""
    HELD_OUT = "held-out"
    """The other half, kept for testing."""
    CLOSED = "closed"
    """The plain sentences that Home Assistant gives to recognisers of a closed vocabulary."""


def draw(house: House, chance: random.Random, source: Source) -> Iterator[str]:
    """Sentences without end: an intent at random, one of its templates, one of its wordings.

    Args:
        house: Whose names are said.
        chance: Source of all choices.
        source: Which templates.
    """
    kinds = [blocks for blocks in _blocks(source).values() if blocks]
    while True:
        data, template = chance.choice(chance.choice(kinds))
        said = _Wording(house, chance, data, _intents(source is Source.CLOSED)).say(template)
        if said is not None and _is_likely(said):
            yield said


def _is_likely(text: str) -> bool:
    """Whether people would say it so; templates take much that nobody says."""
    words = text.split()
    opens = words[0].lower() in _OPENINGS or words[-1] in ("on", "off")
    return opens and 2 <= len(words) <= 12 and not _ODD.search(text)


@lru_cache(maxsize=2)
def _intents(closed: bool) -> Intents:
    from hassil.intents import Intents

    if closed:
        return Intents.from_dict(home_assistant())
    text = (resources.files("home_assistant_intents") / "data" / "en.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    table["expansion_rules"] |= _RULES
    return Intents.from_dict({key: table[key] for key in (
        "language", "intents", "lists", "expansion_rules", "skip_words")})


@lru_cache(maxsize=3)
def _blocks(source: Source) -> Mapping[str, list[tuple[IntentData, Expression]]]:
    return {name: [(data, template.expression) for data in intent.data
                   for template in data.sentences
                   if source is _half(template.text or "") or source is Source.CLOSED]
            for name, intent in _intents(source is Source.CLOSED).intents.items()
            if name not in LEFT_OUT}


def _half(template: str) -> Source:
    return Source.HELD_OUT if crc32(template.encode()) % 2 else Source.DEVELOPMENT


class _Wording:
    """Says one template in one way."""

    def __init__(self, house: House, chance: random.Random, data: IntentData,
                 intents: Intents) -> None:
        self._house, self._chance, self._intents = house, chance, intents
        self._rules = {**intents.expansion_rules, **data.expansion_rules}
        domain = data.requires_context.get("domain", ())
        self._domains = (domain,) if isinstance(domain, str) else tuple(domain)

    def say(self, expression: Expression) -> str | None:
        """The sentence, numbers in figures; None where the house has nothing to fill it with."""
        try:
            text = self._text(expression)
        except LookupError:
            return None
        for sign, word in (("%", " percent"), ("°", " degrees"), ("1/2", "half"), ("-", " ")):
            text = text.replace(sign, word)
        return re.sub(r"\s+", " ", text).strip()

    def _text(self, expression: Expression) -> str:
        from hassil.expression import (
            Alternative,
            ListReference,
            Permutation,
            RuleReference,
            Sequence,
            TextChunk,
        )

        if isinstance(expression, TextChunk):
            return expression.original_text
        if isinstance(expression, RuleReference):
            return self._text(self._rules[expression.rule_name].expression)
        if isinstance(expression, ListReference):
            return self._value(expression.list_name)
        if isinstance(expression, Alternative):
            items = expression.items
            if expression.is_optional:
                if self._chance.random() >= OPTIONAL:
                    return ""
                items = [item for item in items if self._text_of_nothing(item)]
            return self._text(self._pick(items))
        if isinstance(expression, Permutation):
            items = list(expression.items)
            if self._chance.random() >= USUAL:
                self._chance.shuffle(items)
            return " ".join(self._text(item) for item in items)
        if isinstance(expression, Sequence):
            return "".join(self._text(item) for item in expression.items)
        raise AgentError(f"a template has an unknown part {type(expression).__name__}")

    @staticmethod
    def _text_of_nothing(item: Expression) -> bool:
        """Whether an alternative says anything at all."""
        return bool(getattr(item, "text", True) and getattr(item, "items", True))

    def _pick(self, items: Sequence[Any]) -> Any:
        if len(items) == 1 or self._chance.random() < USUAL:
            return items[0]
        return self._chance.choice(items[1:])

    def _value(self, name: str) -> str:
        from hassil.intents import RangeSlotList, TextSlotList

        if name == "area":
            return self._chance.choice(self._house.areas)
        if name == "name":
            known = [n for kind, names in self._house.devices.items() for n in names
                     if kind in self._domains or not self._domains]
            return known[self._chance.randrange(len(known))] if known else self._nothing(name)
        if name in _WORDS:
            return self._chance.choice(_WORDS[name])
        slot_list = self._intents.slot_lists.get(name)
        if isinstance(slot_list, TextSlotList):
            return self._text(self._chance.choice(slot_list.values).text_in)
        if isinstance(slot_list, RangeSlotList) and slot_list.stop <= 100:
            return str(self._chance.choice(_STEPS))
        return self._nothing(name)

    @staticmethod
    def _nothing(name: str) -> str:
        raise LookupError(name)

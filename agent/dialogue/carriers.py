"""What can be said, for biasing: whole commands with slots for the user's own names.

A ``Carrier`` is a command as a row of words and slots: ``turn on the {name:light,switch} in the
{area}``. A ``Grammar`` is all carriers with the values that each slot can take, so that a prefix
tree of carriers can branch into the tree of a slot's values: its size is the sum, not the product,
of both. ``expand`` gives whole sentences where a plain list is wanted, bounded.

Words and values are written as they are spoken: numbers as words, names as the catalogue spells
them. Templates with free words (``add {*} to my shopping list``) stand apart. Rare combinations of
optional words are left out, so that the size stays bounded; see ``PER_TEMPLATE``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice, product
from typing import TYPE_CHECKING, TypeAlias

from agent.biasing import Phrase
from agent.dialogue.carrier_values import RANGES, values
from agent.dialogue.catalogue import Catalogue
from agent.dialogue.templates import answers, commands, from_home_assistant
from agent.dialogue.text import canonical

if TYPE_CHECKING:
    from hassil.expression import Expression, Sentence
    from hassil.intents import IntentData, Intents

PER_TEMPLATE = 160
"""Most carriers that one of Home Assistant's templates gives: all of them, as it is."""

PER_OWN_TEMPLATE = 32
"""Most carriers that one of this package's templates, which are wide, gives; common forms first."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a carrier for one of many values."""

    name: str
    """Key of ``Grammar.slots``: ``contact``, ``area``, ``name:light,switch``, ``0..100`` …

    ``*`` stands for any words.
    """


ANY = Slot("*")
"""The slot for any words."""

Part: TypeAlias = str | Slot


@dataclass(frozen=True, slots=True)
class Carrier:
    """A command as words and slots."""

    parts: tuple[Part, ...]
    intent: str

    @property
    def text(self) -> str:
        """The carrier in one line: ``call {contact}``."""
        return " ".join(part if isinstance(part, str) else f"{{{part.name}}}"
                        for part in self.parts)

    @property
    def slots(self) -> tuple[str, ...]:
        """Names of its slots, in order."""
        return tuple(part.name for part in self.parts if isinstance(part, Slot))

    @property
    def is_open(self) -> bool:
        """Whether it has a place for any words."""
        return ANY.name in self.slots


@dataclass(frozen=True, slots=True)
class Grammar:
    """Carriers and what their slots can hold; every slot of every carrier has values."""

    carriers: tuple[Carrier, ...]
    slots: Mapping[str, tuple[str, ...]] = field(repr=False)
    open_carriers: tuple[Carrier, ...] = ()
    """Carriers with a place for any words, as well."""


def grammar(catalogue: Catalogue) -> Grammar:
    """All commands over a catalogue; those whose slots nothing can fill are left out."""
    names = {name for carrier in command_carriers() for name in carrier.slots}
    slots = {name: found for name in names if (found := values(name, catalogue))}
    return filled(command_carriers(), slots)


def filled(carriers: Iterable[Carrier], slots: Mapping[str, tuple[str, ...]]) -> Grammar:
    """The carriers whose slots have values."""
    known = frozenset(slots) | {ANY.name}
    kept = [carrier for carrier in carriers if known.issuperset(carrier.slots)]
    used = {name for carrier in kept for name in carrier.slots}
    return Grammar(tuple(carrier for carrier in kept if not carrier.is_open),
                   {name: found for name, found in slots.items() if name in used},
                   tuple(carrier for carrier in kept if carrier.is_open))


def answer_grammar(options: Sequence[str]) -> Grammar:
    """The answers to a question that offers ``options``: ``make it {option}``, ``the first one``.

    The options are given whole; which part of one tells it from the others is for biasing to say.
    """
    slots = {"option": tuple(options), "ordinal": values("ordinal", Catalogue())}
    return filled(answer_carriers(), slots)


def expand(source: Grammar, limit: int = 20_000) -> Iterator[Phrase]:
    """Whole sentences, at most ``limit``: carriers take turns, so that none is starved."""
    pending = [iter(_expanded(carrier, source.slots)) for carrier in source.carriers]
    seen: set[str] = set()
    while pending and len(seen) < limit:
        alive = []
        for phrases in pending:
            phrase = next(phrases, None)
            if phrase is None:
                continue
            alive.append(phrases)
            if phrase.text not in seen and len(seen) < limit:
                seen.add(phrase.text)
                yield phrase
        pending = alive


def sentences(catalogue: Catalogue, limit: int = 20_000) -> Iterator[Phrase]:
    """Every command over the user's own names, written out; ``kind`` is ``carrier``."""
    return expand(grammar(catalogue), limit)


def _expanded(carrier: Carrier, slots: Mapping[str, tuple[str, ...]]) -> Iterator[Phrase]:
    choices = [(part,) if isinstance(part, str) else slots[part.name] for part in carrier.parts]
    for words in product(*choices):
        yield Phrase(" ".join(words), kind="carrier", source=carrier.intent)


@lru_cache(maxsize=1)
def command_carriers() -> tuple[Carrier, ...]:
    """The carriers of every command, Home Assistant's first; each once."""
    intents = commands()
    own = [(name, data) for name, intent in intents.intents.items() for data in intent.data]
    own.sort(key=lambda pair: not from_home_assistant(pair[1]))
    return _unique(carrier for name, data in own for carrier in _carriers(name, data, intents))


@lru_cache(maxsize=1)
def answer_carriers() -> tuple[Carrier, ...]:
    """The carriers of the answers to a question; ``{option}`` stands for what it offers."""
    intents = answers()
    return _unique(carrier for name, intent in intents.intents.items() for data in intent.data
                   for carrier in _carriers(name, data, intents))


def _unique(carriers: Iterable[Carrier]) -> tuple[Carrier, ...]:
    by_text: dict[str, Carrier] = {}
    for carrier in carriers:
        by_text.setdefault(carrier.text, carrier)
    return tuple(by_text.values())


def _carriers(intent: str, data: IntentData, intents: Intents) -> Iterator[Carrier]:
    rules: dict[str, Sentence] = {**intents.expansion_rules, **data.expansion_rules}
    kinds = data.requires_context.get("domain", ())
    most = PER_TEMPLATE if from_home_assistant(data) else PER_OWN_TEMPLATE
    for template in data.sentences:
        rows = Expansion(rules, kinds, intents, most).rows(template.expression)
        for row in islice(rows, most):
            if row and row != (ANY,):
                yield Carrier(row, intent)


class Expansion:
    """Writes out one template, forms with the fewest optional words first.

    Args:
        rules: Expansion rules by name.
        kinds: Kinds of device that the template's names must be of.
        intents: Where the template's lists are.
        most: Forms given of each part at most.
    """

    def __init__(self, rules: Mapping[str, Sentence], kinds: Sequence[str],
                 intents: Intents, most: int) -> None:
        self._rules, self._intents, self._most = rules, intents, most
        self._kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)

    def rows(self, expression: Expression) -> Iterator[tuple[Part, ...]]:
        """Every way to say an expression; text is joined before it is cut into words."""
        for pieces in self._pieces(expression):
            yield _words(pieces)

    def _pieces(self, expression: Expression) -> Iterator[tuple[Part, ...]]:
        from hassil.expression import (
            Alternative,
            ListReference,
            Permutation,
            RuleReference,
            Sequence,
            TextChunk,
        )

        if isinstance(expression, TextChunk):
            yield (expression.original_text,)
        elif isinstance(expression, RuleReference):
            yield from self._pieces(self._rules[expression.rule_name].expression)
        elif isinstance(expression, ListReference):
            yield from self._slot(expression.list_name)
        elif isinstance(expression, Alternative):
            if expression.is_optional:
                yield ("",)
            for item in expression.items:
                yield from (row for row in self._pieces(item)
                            if not expression.is_optional or row not in ((), ("",)))
        elif isinstance(expression, Permutation):
            for item, rest in expression.iterate_permutations():
                tail = (rest.items and self._pieces(rest)) or iter([()])
                yield from ((*head, " ", *end) for end in tail for head in self._pieces(item))
        elif isinstance(expression, Sequence):
            yield from self._row(expression.items)

    def _row(self, items: Sequence[Expression]) -> Iterator[tuple[Part, ...]]:
        """All combinations of the items' forms, those nearest to the first forms first."""
        choices = [list(islice(self._pieces(item), self._most)) for item in items]
        for picks in _nearest_first([len(choice) for choice in choices], self._most * 4):
            yield tuple(part for choice, pick in zip(choices, picks, strict=True)
                        for part in choice[pick])

    def _slot(self, name: str) -> Iterator[tuple[Part, ...]]:
        from hassil.intents import RangeSlotList, TextSlotList, WildcardSlotList

        slot_list = self._intents.slot_lists.get(name)
        if isinstance(slot_list, WildcardSlotList):
            yield (ANY,)
        elif isinstance(slot_list, RangeSlotList):
            yield (Slot(RANGES.format(slot_list.start, min(slot_list.stop, 100))),)
        elif isinstance(slot_list, TextSlotList) and name not in ("place_kind", "ordinal"):
            for value in slot_list.values:
                yield from self._pieces(value.text_in)
        elif name == "name":
            yield (Slot(f"name:{','.join(self._kinds)}"),)
        else:
            yield (Slot(name),)


def _nearest_first(sizes: Sequence[int], limit: int) -> Iterator[tuple[int, ...]]:
    """Index rows of a product, by how many indices differ from 0, then in order."""
    count = 0
    for changed in range(len(sizes) + 1):
        for row in _with_changes(sizes, changed):
            yield row
            count += 1
            if count >= limit:
                return


def _with_changes(sizes: Sequence[int], changed: int) -> Iterator[tuple[int, ...]]:
    if not sizes:
        if changed == 0:
            yield ()
        return
    if changed <= sum(size > 1 for size in sizes[1:]):
        yield from ((0, *rest) for rest in _with_changes(sizes[1:], changed))
    if changed:
        for index in range(1, sizes[0]):
            yield from ((index, *rest) for rest in _with_changes(sizes[1:], changed - 1))


def _words(pieces: Sequence[Part]) -> tuple[Part, ...]:
    """Join neighbouring texts, cut them into words, and put slots between."""
    result: list[Part] = []
    text = ""
    for piece in (*pieces, None):
        if isinstance(piece, str):
            text += piece
            continue
        result += _spoken(text)
        text = ""
        if piece is not None:
            result.append(piece)
    return tuple(result)


def _spoken(text: str) -> list[str]:
    """The words of a template's text as they are spoken."""
    said = text.replace("%", " percent").replace("°", " degrees").replace("1/2", "half")
    return [word for word in said.replace("-", " ").split() if canonical(word)]

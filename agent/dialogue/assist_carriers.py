"""Carriers of what Home Assistant itself understands beyond this agent's own commands.

A device may serve as Home Assistant's ears, so what can be said to *it* must be heard well too.
Its full English templates allow far more than anybody says ("across our bedroom"); the rules that
multiply are cut down to the usual words first.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.dialogue.carrier_values import values
from agent.dialogue.carriers import (
    ANY,
    Carrier,
    Expansion,
    Grammar,
    Part,
    Slot,
    command_carriers,
    filled,
)
from agent.dialogue.catalogue import Catalogue

if TYPE_CHECKING:
    from hassil.intents import Intents

LIST = "list:"
"""Beginning of the name of a slot that holds a list of Home Assistant's own."""
MOST = 40
"""Carriers that one template gives at most, those with the fewest optional words first."""
LEFT_OUT = frozenset({
    "HassBroadcast", "HassMediaSearchAndPlay", "HassRespond", "HassNevermind", "HassStartTimer",
    "HassIncreaseTimer", "HassDecreaseTimer", "HassLawnMowerDock", "HassLawnMowerStartMowing"})
"""Intents of free speech, and those that this package's own templates cover."""
USUAL_RULES = {
    # An article before a name may always be said or left out: see ``biasing.grammar``.
    "the": "[the]", "in": "in", "is": "(is|are)", "are": "are [the]", "any": "any",
    "all": "(all the|all|every)", "which": "(which|what)", "here": "[in] here",
    "light": "(lights|light|lamps)", "media": "(music|movie|tv show|media)",
    "track": "(song|track)", "turn": "(turn|switch)", "set": "(set|change|make)",
    "numeric_value_set": "(set|change|turn|increase|decrease)", "open": "(open|raise)",
    "close": "(close|shut|lower)", "what_is": "(what is|what's|tell me)",
    "how_is": "(how is|how's)", "lockable": "(doors|locks|windows)",
}


@lru_cache(maxsize=1)
def spoken_carriers() -> tuple[Carrier, ...]:
    """The agent's own commands and Home Assistant's, each once."""
    by_text = {carrier.text: carrier for carrier in command_carriers()}
    for carrier in assist_carriers():
        by_text.setdefault(carrier.text, carrier)
    return tuple(by_text.values())


def spoken_grammar(catalogue: Catalogue) -> Grammar:
    """All that may be said over a catalogue; see ``may_be_heard``."""
    names = {name for carrier in spoken_carriers() for name in carrier.slots}
    slots = {name: found for name in names if (found := spoken_values(name, catalogue))}
    made = filled(spoken_carriers(), slots)
    return replace(made, open_carriers=tuple(filter(may_be_heard, made.open_carriers)))


def may_be_heard(carrier: Carrier) -> bool:
    """Whether a carrier is fit for recognition.

    With a place for any words it would fit whatever was said, and "turn on {*} in the {area}" would
    win over the name that was meant. Only what is put on a list of the user's own, or taken off it,
    can be anything.
    """
    if not carrier.is_open:
        return True
    return "List" in carrier.intent and any(map(is_own_name, carrier.slots))


def is_own_name(slot: str) -> bool:
    """Whether a slot holds what the user has named."""
    return slot in ("contact", "place", "area", "floor") or slot.startswith("name:")


@lru_cache(maxsize=1)
def assist_carriers() -> tuple[Carrier, ...]:
    """The carriers of Home Assistant's full English templates."""
    return tuple(_carriers(_intents()))


@lru_cache(maxsize=1)
def _intents() -> Intents:
    from hassil.intents import Intents

    text = (resources.files("home_assistant_intents") / "data" / "en.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    table["expansion_rules"] |= USUAL_RULES
    return Intents.from_dict({key: table[key] for key in (
        "language", "intents", "lists", "expansion_rules", "skip_words")})


def _carriers(intents: Intents) -> Iterator[Carrier]:
    for name, intent in intents.intents.items():
        for data in intent.data if name not in LEFT_OUT else ():
            rules = {**intents.expansion_rules, **data.expansion_rules}
            domain = data.requires_context.get("domain", ())
            for template in data.sentences:
                if not _is_wanted(template.text or ""):
                    continue
                rows = _Expansion(rules, domain, intents, MOST).rows(template.expression)
                yield from (Carrier(row, name) for row in islice(rows, MOST)
                            if len(row) > 1 and row[0] != ANY)


def _is_wanted(template: str) -> bool:
    """Whether a template has a place for the user's own names, or for what is on a list."""
    return (any(slot in template for slot in ("{name", "{area", "_list_item"))
            and not any(slot in template for slot in ("{floor", "{zone", "{color_temperature:")))


class _Expansion(Expansion):
    """Keeps a list of fixed texts as one slot, so that carriers do not multiply by it."""

    def _slot(self, name: str) -> Iterator[tuple[Part, ...]]:
        from hassil.intents import TextSlotList

        known = isinstance(self._intents.slot_lists.get(name), TextSlotList)
        return iter([(Slot(f"{LIST}{name}"),)]) if known else super()._slot(name)


def spoken_values(slot: str, catalogue: Catalogue) -> tuple[str, ...]:
    """What can stand in a slot of ``spoken_carriers``."""
    if slot.startswith(LIST):
        return _texts_of(slot.removeprefix(LIST))
    return values(slot, catalogue)


@lru_cache(maxsize=64)
def _texts_of(name: str) -> tuple[str, ...]:
    """What the list ``name`` of Home Assistant's templates holds."""
    from hassil.intents import TextSlotList

    intents = _intents()
    found = intents.slot_lists.get(name)
    if not isinstance(found, TextSlotList):
        return ()
    rules = dict(intents.expansion_rules)
    texts = (Carrier(row, "").text for value in found.values
             for row in Expansion(rules, (), intents, MOST).rows(value.text_in))
    return tuple(dict.fromkeys(text for text in texts if text))

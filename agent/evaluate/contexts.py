"""From the context of a recording to the bias that the agent would have made of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from agent.biasing import Bias, builders
from agent.biasing.words import said
from agent.dialogue.assist_carriers import may_be_heard, spoken_carriers, spoken_values
from agent.dialogue.carriers import ANY, Carrier, answer_carriers, command_carriers
from agent.dialogue.catalogue import Catalogue
from agent.evaluate.manifest import Context
from agent.events import Expectation

_DEVICE = "device"
"""The slot for rooms, devices, scenes, lists: a recording's context does not tell them apart."""


@lru_cache(maxsize=256)
def bias_of(context: Context, expects: Expectation | None) -> Bias:
    """The bias for a recording made in ``context``, as an answer of the kind ``expects``."""
    catalogue = builders.Catalogue(context.contacts, context.devices, context.places,
                                   context.screen)
    question = asked(context)
    expectation = expects or _expectation(context, question)
    if not question and not _is_answer(expectation):
        carriers, slots = _commands(catalogue, spoken_carriers())
        return builders.standing(catalogue, carriers, slots)
    related = [c for c in command_carriers() if "contact" in c.slots or "place" in c.slots]
    carriers, slots = _commands(catalogue, related)
    base = builders.standing(catalogue, carriers, slots)
    return builders.turn(base, expectation, _alternatives(context, question), _answers())


def asked(context: Context) -> str:
    """The question that is pending; empty when there is none."""
    last = context.previous[-1] if context.previous else None
    return last.text if last is not None and last.speaker == "agent" else ""


def _is_answer(expectation: Expectation) -> bool:
    return expectation in (Expectation.SPELLING, Expectation.NUMBER, Expectation.YES_NO)


def _expectation(context: Context, question: str) -> Expectation:
    if not question:
        return Expectation.FREE
    if context.screen:
        return Expectation.LIST_ITEM
    return Expectation.NAME if context.contacts else Expectation.FREE


def _alternatives(context: Context, question: str) -> tuple[str, ...]:
    """The names that the question itself gives."""
    heard = " ".join(said(question))
    return tuple(name for name in (*context.contacts, *context.places, *context.screen)
                 if re.search(rf"\b{re.escape(' '.join(said(name)) or '-')}\b", heard))


@lru_cache(maxsize=1)
def _answers() -> tuple[str, ...]:
    texts = (c.text.replace("{option}", "{answer}") for c in answer_carriers()
             if set(c.slots) <= {"option"} and not c.is_open)
    return tuple(dict.fromkeys((*builders.ANSWER_CARRIERS, *texts)))


def _commands(catalogue: builders.Catalogue,
              carriers: Iterable[Carrier]) -> tuple[tuple[str, ...], Mapping[str, list[str]]]:
    """Carriers whose slots can be filled, and what with.

    What kind of thing each device is, a recording's context does not say: every name may be a
    room, a light, a scene.
    """
    slots: dict[str, list[str]] = {}
    kept: dict[str, None] = {}
    for carrier in carriers:
        named = [_slot_for(name) for name in carrier.slots if name != ANY.name]
        filled = all(_fill(slots, name, catalogue) for name in named)
        if not filled or not may_be_heard(carrier):
            continue
        kept[" ".join(part if isinstance(part, str) else f"{{{_slot_for(part.name)}}}"
                      for part in carrier.parts)] = None
    return tuple(kept), {name: held for name, held in slots.items() if held}


def _slot_for(name: str) -> str:
    return _DEVICE if name in ("area", "floor") or name.startswith("name:") else name


def _fill(slots: dict[str, list[str]], name: str, catalogue: builders.Catalogue) -> bool:
    if name not in slots:
        names = {"contact": catalogue.contacts, "place": catalogue.places,
                 _DEVICE: catalogue.devices}
        slots[name] = list(names[name] if name in names else spoken_values(name, Catalogue()))
    return bool(slots[name])

"""The user's own names as hassil slot lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.dialogue.catalogue import Catalogue
from agent.dialogue.catalogue.devices import KINDS
from agent.dialogue.templates import commands
from agent.dialogue.text import canonical

if TYPE_CHECKING:
    from hassil.intents import SlotList, TextSlotList


def slot_lists(catalogue: Catalogue) -> dict[str, SlotList]:
    """Slot lists for the commands: ``contact``, ``name``, ``area``, ``floor``, ``place``.

    Values come out as the canonical text that was said, save for devices, rooms and floors,
    which come out as the catalogue spells them.
    """
    return {
        "contact": text_list("contact", ((key, key) for key in catalogue.contacts.names())),
        "name": text_list("name", _device_names(catalogue)),
        "area": text_list("area", ((key, area.name) for area in catalogue.home.areas
                                   for key in area.names)),
        "floor": text_list("floor", ((canonical(floor), floor)
                                     for floor in catalogue.home.floors)),
        "place": text_list("place", ((key, key) for place in catalogue.places.places
                                     for key in place.names)),
        "place_kind": text_list("place_kind", _kinds(catalogue)),
    }


def text_list(name: str, values: Iterable[tuple[Any, ...]]) -> TextSlotList:
    """A slot list of plain texts: (what is said, what it means, what it implies)."""
    from hassil.intents import TextSlotList

    unique = {(value[0], str(value[2:])): value for value in values if value[0]}
    return TextSlotList.from_tuples(unique.values(), allow_template=False, name=name)


def _device_names(catalogue: Catalogue) -> Iterator[tuple[str, str, dict[str, str]]]:
    for device in catalogue.home.devices:
        for kind in (device.kind,) if device.kind else KINDS:
            for key in device.names:
                yield key, device.name, {"domain": kind}


def _kinds(catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    synonyms = kind_synonyms()
    yield from synonyms.items()
    for kind in catalogue.places.kinds:
        key = canonical(kind)
        if key not in synonyms:
            yield key, kind
            yield plural(key), kind


@lru_cache(maxsize=1)
def kind_synonyms() -> Mapping[str, str]:
    """What people call each common kind of place, and the kind."""
    from hassil.sample import sample_expression

    values = commands().slot_lists["place_kind"].values  # type: ignore[attr-defined]
    return {" ".join(text.split()): value.value_out for value in values
            for text in sample_expression(value.text_in)}


def plural(word: str) -> str:
    """The plural of an English noun, as well as spelling tells."""
    if word.endswith(("s", "x", "ch", "sh")):
        return f"{word}es"
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return f"{word[:-1]}ies"
    return f"{word}s"

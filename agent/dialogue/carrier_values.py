"""The values that a carrier's slot can take, as they are spoken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from agent.dialogue.catalogue import Catalogue
from agent.dialogue.numbers import ORDINALS, spell_out
from agent.dialogue.slots import kind_synonyms, plural
from agent.dialogue.text import canonical, without_article

RANGES = "{}..{}"
"""Name of a slot for whole numbers, both ends included."""


def values(slot: str, catalogue: Catalogue) -> tuple[str, ...]:
    """What can stand in a slot; names as the catalogue spells them, numbers as words."""
    if ".." in slot:
        low, _, high = slot.partition("..")
        return tuple(spell_out(number) for number in range(int(low), int(high) + 1))
    if slot.startswith("name:"):
        return _unique(_devices(slot.partition(":")[2], catalogue))
    if slot == "ordinal":
        return (*ORDINALS[:10], "last")
    sources = {"contact": _contacts, "place": _places, "area": _areas, "floor": _floors,
               "place_kind": _kinds}
    return _unique(sources[slot](catalogue)) if slot in sources else ()


def _unique(names: Iterator[str]) -> tuple[str, ...]:
    """Each name once; spellings that differ only in case or punctuation count as one."""
    by_key: dict[str, str] = {}
    for name in names:
        if key := canonical(name):
            by_key.setdefault(key, name)
    return tuple(by_key.values())


def _devices(kinds: str, catalogue: Catalogue) -> Iterator[str]:
    wanted = frozenset(kinds.split(",")) if kinds else frozenset()
    if {"light", "switch"} <= wanted and "sensor" not in wanted:
        yield from _shared_words("light", catalogue)
    for device in catalogue.home.devices:
        if not wanted or not device.kind or device.kind in wanted:
            yield from (device.name, *device.aliases)


def _shared_words(kind: str, catalogue: Catalogue) -> Iterator[str]:
    """The last word of several names, such as ``light``: said alone, the agent asks which."""
    words = Counter(canonical(device.name).rpartition(" ")[2]
                    for device in catalogue.home.devices if device.kind == kind)
    yield from (word for word, count in words.items() if count > 1)


def _contacts(catalogue: Catalogue) -> Iterator[str]:
    for contact in catalogue.contacts.contacts:
        yield contact.name
    for contact in catalogue.contacts.contacts:
        yield from (contact.given, contact.family, *contact.nicknames)


def _places(catalogue: Catalogue) -> Iterator[str]:
    for place in catalogue.places.places:
        for name in (place.name, *place.aliases):
            article = canonical(name) != without_article(canonical(name))
            yield name.partition(" ")[2] if article else name


def _areas(catalogue: Catalogue) -> Iterator[str]:
    for area in catalogue.home.areas:
        yield from (area.name, *area.aliases)


def _floors(catalogue: Catalogue) -> Iterator[str]:
    yield from catalogue.home.floors


def _kinds(catalogue: Catalogue) -> Iterator[str]:
    yield from kind_synonyms()
    for kind in catalogue.places.kinds:
        yield from (kind, plural(kind))

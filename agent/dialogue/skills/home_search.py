"""Finds the devices that are meant when they are not called by their whole name."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialogue.catalogue import Device, Home
from agent.dialogue.skills.home_words import CLASS_WORDS, KIND_WORDS
from agent.dialogue.text import canonical, distance, without_article
from agent.dialogue.turns import Option

_FILLERS = frozenset({"the", "my", "our", "in", "on", "of", "at", "one", "that"})


def matching(thing: str, kinds: Sequence[str], home: Home, area: str = "") -> tuple[Device, ...]:
    """Devices of some kinds that ``thing`` may mean: each of its words is one of theirs.

    A device's words are those of its names, its room and its kind; where names alone hold all
    the words, only those devices are meant.
    """
    words = frozenset(canonical(thing).split()) - _FILLERS
    if not words:
        return ()
    devices = [d for d in home.devices if d.kind in kinds or not d.kind]
    if area:
        devices = [d for d in devices if canonical(d.area) == canonical(area)]
    named = tuple(d for d in devices if words <= _name_words(d))
    return _in_this_room(named or tuple(d for d in devices if words <= _words(d, home)), home)


def _in_this_room(devices: tuple[Device, ...], home: Home) -> tuple[Device, ...]:
    """The one device of several that is in the agent's own room, if there is one."""
    here = [d for d in devices if home.here and canonical(d.area) == canonical(home.here)]
    return tuple(here) if len(here) == 1 else devices


def _name_words(device: Device) -> frozenset[str]:
    return frozenset(word for name in device.names for word in name.split())


def _words(device: Device, home: Home) -> frozenset[str]:
    words = _name_words(device)
    words |= KIND_WORDS.get(device.kind, frozenset())
    words |= CLASS_WORDS.get(device.device_class, frozenset())
    area = home.area(device.area) if device.area else None
    if area:
        words |= {word for name in area.names for word in name.split()}
    return frozenset(words)


def near(thing: str, kinds: Sequence[str], home: Home) -> tuple[Device, ...]:
    """Devices of some kinds whose name is written nearly like ``thing``."""
    heard = without_article(canonical(thing)).replace(" ", "")
    limit = max(1, len(heard) // 5)
    return tuple(d for d in home.devices if (d.kind in kinds or not d.kind) and len(heard) > 3
                 and any(distance(heard, name.replace(" ", ""), limit) <= limit
                         for name in d.names))


def options(devices: Sequence[Device]) -> tuple[Option, ...]:
    """Options to choose among devices: by room where that tells them all apart."""
    areas = [canonical(d.area) for d in devices]
    if all(areas) and len(set(areas)) == len(areas):
        return tuple(Option(d.area, d, (d.name, *d.aliases)) for d in devices)
    return tuple(Option(d.name, d, tuple(filter(None, (*d.aliases, d.area)))) for d in devices)

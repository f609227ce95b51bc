"""Catalogues of several devices as one: what a device gives to the others, and takes of them.

Of contacts only names and numbers are given, not the rest of their cards. What a device has of
its own wins over what others gave; among the others, the last one who wrote wins.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from agent.dialogue.catalogue.contacts import Contact, ContactBook, parse_contacts
from agent.dialogue.catalogue.devices import Device, Home, read_home
from agent.dialogue.catalogue.files import SAMPLES, Catalogue, CatalogueFiles
from agent.dialogue.catalogue.places import Places, read_places
from agent.dialogue.text import canonical
from agent.errors import AgentError

T = TypeVar("T")
Documents = Mapping[str, Sequence[str]]
"""Documents of other devices by name, the last written first."""

CONTACTS, DEVICES, PLACES, PREFERENCES = "contacts", "devices", "places", "preferences"
_TYPES = {"mobile": "CELL", "home": "HOME", "work": "WORK"}
_ESCAPES = str.maketrans({"\\": "\\\\", ",": "\\,", ";": "\\;", "\n": "\\n"})


@dataclass(frozen=True)
class Shared:
    """A device's own names together with those of the others."""

    catalogue: Catalogue
    preferences: tuple[str, ...] = field(default=(), repr=False)


def own_documents(files: CatalogueFiles, catalogue: Catalogue,
                  preferences: Sequence[str] = ()) -> dict[str, str]:
    """What this device gives: its own catalogues, without the samples and without broken files.

    Args:
        files: Where they are.
        catalogue: What they held when they were last read.
        preferences: What the user prefers.
    """
    given = {}
    if _is_own(files.contacts) and catalogue.contacts.contacts:
        given[CONTACTS] = vcards(catalogue.contacts.contacts)
    for name, path, read in ((DEVICES, files.devices, read_home),
                             (PLACES, files.places, read_places)):
        text = _sound_text(path, read) if _is_own(path) else None
        if text is not None:
            given[name] = text
    if preferences:
        given[PREFERENCES] = json.dumps(list(preferences), ensure_ascii=False)
    return given


def shared(files: CatalogueFiles, own: Catalogue, preferences: Sequence[str],
           documents: Documents) -> Shared:
    """This device's names with those that the others gave.

    Samples stand in only for what nobody in the household has. What cannot be read of the others
    is in ``problems``; the rest is used.
    """
    if not documents:
        return Shared(own, tuple(preferences))
    problems = list(own.problems)
    books = [parse_contacts(text, "a device of the household")
             for text in documents.get(CONTACTS, ())]
    problems += (problem for book in books for problem in book.problems)
    homes = list(_each(documents.get(DEVICES, ()), read_home, "devices.toml", problems))
    places = list(_each(documents.get(PLACES, ()), read_places, "places.toml", problems))
    contacts = own.contacts if _is_own(files.contacts) or not books else ContactBook(())
    home = own.home if _is_own(files.devices) or not homes else Home()
    known = own.places if _is_own(files.places) or not places else Places()
    return Shared(
        Catalogue(_contacts(contacts, books), _home(home, homes), _places(known, places),
                  tuple(problems)),
        _preferences(preferences, documents.get(PREFERENCES, ())))


def vcards(contacts: Iterable[Contact]) -> str:
    """Contacts as vCard 3.0, with their names and numbers alone."""
    return "".join(f"{line}\n" for contact in contacts for line in _card(contact))


def _card(contact: Contact) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    yield f"FN:{_escaped(contact.name)}"
    yield f"N:{_escaped(contact.family)};{_escaped(contact.given)};;;"
    if contact.nicknames:
        yield f"NICKNAME:{','.join(_escaped(name) for name in contact.nicknames)}"
    for number in contact.numbers:
        types = [_TYPES[number.label]] if number.label in _TYPES else []
        types += ["PREF"] if number.preferred else []
        yield f"TEL{''.join(f';TYPE={kind}' for kind in types)}:{number.number}"
    yield "END:VCARD"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _is_own(path: Path) -> bool:
    return path.parent != SAMPLES


def _sound_text(path: Path, read: Callable[[Path, str], object]) -> str | None:
    """A file's text if the others can read it."""
    try:
        text = path.read_text(encoding="utf-8")
        read(path, text)
    except (OSError, UnicodeDecodeError, AgentError):
        return None
    return text


def _each(texts: Iterable[str], read: Callable[[Path, str], T], name: str,
          problems: list[AgentError]) -> Iterator[T]:
    for text in texts:
        try:
            yield read(Path(f"{name} of a device of the household"), text)
        except AgentError as error:
            problems.append(error)


def _contacts(own: ContactBook, others: Iterable[ContactBook]) -> ContactBook:
    found = {canonical(c.name): c for c in own.contacts}
    for book in others:
        for contact in book.contacts:
            found.setdefault(canonical(contact.name), contact)
    return ContactBook(found.values(), own.problems)


def _home(own: Home, others: Iterable[Home]) -> Home:
    """Rooms by name, devices by name and room; where this agent stands is its own to say."""
    areas = {canonical(a.name): a for a in own.areas}
    devices = {_spot(d): d for d in own.devices}
    for home in others:
        for area in home.areas:
            areas.setdefault(canonical(area.name), area)
        for device in home.devices:
            devices.setdefault(_spot(device), device)
    return replace(own, areas=tuple(areas.values()), devices=tuple(devices.values()))


def _spot(device: Device) -> tuple[str, str]:
    return canonical(device.name), canonical(device.area)


def _places(own: Places, others: Iterable[Places]) -> Places:
    found = {(canonical(p.name), canonical(p.address)): p for p in own.places}
    for places in others:
        for place in places.places:
            found.setdefault((canonical(place.name), canonical(place.address)), place)
    return Places(tuple(found.values()))


def _preferences(own: Sequence[str], texts: Iterable[str]) -> tuple[str, ...]:
    found = list(own)
    for text in texts:
        try:
            values = json.loads(text)
        except ValueError:
            continue
        if isinstance(values, list):
            found += (v for v in values if isinstance(v, str))
    return tuple(dict.fromkeys(found))

"""Contacts from vCard files (versions 2.1, 3.0 and 4.0), by ``vobject``.

Every card is parsed on its own, so that a broken one costs only itself: it becomes a problem that
names the file, the line and the contact, and the others stay usable.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from agent.dialogue.text import canonical, without_article
from agent.errors import AgentError

_LABELS = {"cell": "mobile", "mobile": "mobile", "iphone": "mobile", "home": "home",
           "work": "work"}
_BEGIN = re.compile(r"^\s*BEGIN\s*:\s*VCARD\s*$", re.IGNORECASE)
_END = re.compile(r"^\s*END\s*:\s*VCARD\s*$", re.IGNORECASE)
_NAME_LINE = re.compile(r"^(?:[\w-]+\.)?FN[^:]*:(.*)$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """One of a contact's telephone numbers."""

    number: str = field(repr=False)
    """Digits, with ``+``, ``*`` and ``#`` where the card has them."""
    label: str = "other"
    """``mobile``, ``home``, ``work`` or ``other``."""
    preferred: bool = False
    """Whether the card marks it so."""


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who can be called."""

    name: str = field(repr=False)
    """As the card spells it: what is spoken and shown."""
    given: str = field(default="", repr=False)
    family: str = field(default="", repr=False)
    nicknames: tuple[str, ...] = field(default=(), repr=False)
    numbers: tuple[PhoneNumber, ...] = field(default=(), repr=False)

    def keys(self) -> Iterator[str]:
        """The canonical texts by which people name this contact."""
        names = [self.name, f"{self.given} {self.family}", self.given, self.family]
        names += [*self.nicknames, self.given.split(" ")[0] if self.given else ""]
        names += [f"{nick} {self.family}" for nick in self.nicknames]
        for name in names:
            if key := canonical(name):
                yield key
                yield without_article(key)

    def number(self, label: str = "") -> PhoneNumber | None:
        """The number with this label; without one, the number to call; None if that is open."""
        if label:
            return next((n for n in self.numbers if n.label == label), None)
        if len(self.numbers) == 1:
            return self.numbers[0]
        preferred = [n for n in self.numbers if n.preferred]
        return preferred[0] if len(preferred) == 1 else None


class ContactBook:
    """All contacts, found by any of their names.

    Args:
        contacts: The contacts; cards of the same name become one contact with all the numbers.
        problems: What could not be read, one error a card or file.
    """

    def __init__(self, contacts: Iterable[Contact], problems: Iterable[AgentError] = ()) -> None:
        self.contacts = tuple(_merged(contacts))
        self.problems = tuple(problems)
        self._by_key: dict[str, list[Contact]] = {}
        for contact in self.contacts:
            for key in dict.fromkeys(contact.keys()):
                self._by_key.setdefault(key, []).append(contact)

    def find(self, name: str) -> tuple[Contact, ...]:
        """Contacts of whom ``name`` is a name; those whose whole name it is come alone."""
        found = self._by_key.get(canonical(name), [])
        whole = [c for c in found if canonical(c.name) == canonical(name)]
        return tuple(whole or found)

    def names(self) -> tuple[str, ...]:
        """Every canonical text that names a contact."""
        return tuple(self._by_key)

    @cached_property
    def spellings(self) -> Mapping[str, str]:
        """Every name without its spaces, and the name."""
        return {name.replace(" ", ""): name for name in self._by_key}


def _merged(contacts: Iterable[Contact]) -> Iterator[Contact]:
    by_name: dict[str, Contact] = {}
    for contact in contacts:
        key = canonical(contact.name)
        if key in by_name:
            known = by_name[key]
            numbers = {n.number: n for n in (*contact.numbers, *known.numbers)}
            nicknames = tuple(dict.fromkeys((*known.nicknames, *contact.nicknames)))
            contact = Contact(known.name, known.given, known.family, nicknames,
                              tuple(numbers.values()))
        by_name[key] = contact
    yield from by_name.values()


def read_contacts(path: Path) -> ContactBook:
    """Read a vCard file, or every ``*.vcf`` file of a folder.

    A file that cannot be read and a card that cannot be understood are in ``problems``.
    """
    files = sorted(path.glob("*.vcf")) if path.is_dir() else [path]
    contacts: list[Contact] = []
    problems: list[AgentError] = []
    for file in files:
        try:
            text = _decode(file.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
            problems.append(AgentError(f"cannot read contacts {file}: {reason}",
                                       "save it again as vCard with UTF-8 text"))
            continue
        book = parse_contacts(text, str(file))
        contacts += book.contacts
        problems += book.problems
    return ContactBook(contacts, problems)


def parse_contacts(text: str, where: str) -> ContactBook:
    """The contacts of a vCard text.

    Args:
        text: Any number of cards.
        where: What the problems call it.
    """
    contacts: list[Contact] = []
    problems: list[AgentError] = []
    for line, card in _cards(text):
        try:
            contacts.append(_contact(card))
        except AgentError as error:
            problems.append(AgentError(f"{where}, line {line}: {error.what}", error.mend))
    if not text.strip():
        problems.append(AgentError(f"contacts {where} is empty",
                                   "export your contacts as vCard again"))
    return ContactBook(contacts, problems)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _cards(text: str) -> Iterator[tuple[int, str]]:
    """Each card's first line number, from 1, and text; stray text is a card of its own."""
    lines: list[str] = []
    start = 1
    for number, line in enumerate(text.splitlines(), 1):
        if _BEGIN.match(line) and any(part.strip() for part in lines):
            yield start, "\n".join(lines)
            lines, start = [line], number
            continue
        if not lines:
            start = number
        if line.strip() or lines:
            lines.append(line)
        if _END.match(line):
            yield start, "\n".join(lines)
            lines = []
    if any(part.strip() for part in lines):
        yield start, "\n".join(lines)


def _contact(card: str) -> Contact:
    """The contact of one card.

    Raises:
        AgentError: The card is broken; without the file name, which the caller adds.
    """
    import vobject

    match = _NAME_LINE.search(card)
    who = f"the card of {match[1].strip()!r}" if match and match[1].strip() else "a card"
    if not _BEGIN.match(card.split("\n", 1)[0]):
        raise AgentError("text outside of any card",
                         "every card must begin with BEGIN:VCARD and end with END:VCARD")
    if not _END.match(card.rstrip().rsplit("\n", 1)[-1]):
        raise AgentError(f"{who} is never closed", "add the line END:VCARD after its last line")
    try:
        # vobject raises many kinds of exception on damaged cards, AssertionError among them.
        component = next(iter(vobject.readComponents(card)), None)
    except Exception as error:
        raise AgentError(f"{who} cannot be read: {_reason(error)}",
                         "correct that line, or export the contact again") from None
    if component is None:
        raise AgentError(f"{who} is empty", "delete it, or export the contact again")
    return _from_component(component, who, _nicknames(card))


def _nicknames(card: str) -> tuple[str, ...]:
    """All nicknames of a card, from its lines: vobject keeps the first of a list only."""
    from vobject.base import getLogicalLines, parseLine

    found: list[str] = []
    for line, _ in getLogicalLines(io.StringIO(card)):
        if "NICKNAME" in line.upper() and ":" in line:
            name, _, value, _ = parseLine(line)
            if name.upper() == "NICKNAME":
                found += re.split(r"(?<!\\),", value)
    return tuple(text.replace("\\,", ",").strip() for text in found if text.strip())


def _reason(error: Exception) -> str:
    text = str(error).partition(": ")[2] or type(error).__name__
    return text.splitlines()[0][:80]


def _from_component(component: Any, who: str, nicknames: tuple[str, ...]) -> Contact:
    contents = component.contents
    given, family = _structured_name(contents)
    name = _text(contents, "fn") or f"{given} {family}".strip() or _text(contents, "org")
    if not canonical(name):
        raise AgentError(f"{who} has no name", "give it a line FN:First Last")
    if not (given or family):
        given, _, family = name.rpartition(" ")
        given, family = (given, family) if given else (family, "")
    numbers = [n for line in contents.get("tel", ()) if (n := _number(line))]
    return Contact(name, given, family, nicknames, tuple(numbers))


def _structured_name(contents: dict[str, Any]) -> tuple[str, str]:
    if "n" not in contents:
        return "", ""
    value = contents["n"][0].value
    return _joined(getattr(value, "given", "")), _joined(getattr(value, "family", ""))


def _joined(value: Any) -> str:
    return " ".join(value).strip() if isinstance(value, list) else str(value).strip()


def _text(contents: dict[str, Any], name: str) -> str:
    lines = contents.get(name, ())
    return " ".join(_joined(lines[0].value).split()) if lines else ""


def _number(line: Any) -> PhoneNumber | None:
    value = str(line.value).strip()
    value = value[4:] if value.lower().startswith("tel:") else value
    number = re.sub(r"[^\d+*#]", "", value.partition(";")[0])
    if not any(c.isdigit() for c in number):
        return None
    types = [part.strip().lower() for value in line.params.get("TYPE", ())
             for part in str(value).split(",")]
    types += [str(part).lower() for part in getattr(line, "singletonparams", ())]
    label = next((_LABELS[t] for t in types if t in _LABELS), "other")
    return PhoneNumber(number, label, "pref" in types or "PREF" in line.params)

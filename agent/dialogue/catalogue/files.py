"""Which catalogue files are in use, and reading them again when they change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from agent.dialogue.catalogue.contacts import Contact, ContactBook, read_contacts
from agent.dialogue.catalogue.devices import Area, Device, Home, read_home
from agent.dialogue.catalogue.places import Place, Places, read_places
from agent.errors import AgentError

SAMPLES = Path(__file__).parent / "samples"
"""The catalogues that are used until the user has their own."""


@dataclass(frozen=True)
class Catalogue:
    """Everything that the user can name."""

    contacts: ContactBook = field(default_factory=lambda: ContactBook(()))
    home: Home = field(default_factory=Home)
    places: Places = field(default_factory=Places)
    problems: tuple[AgentError, ...] = ()
    """What could not be read; the rest is usable."""


def of_names(*, contacts: Iterable[str] = (), devices: Iterable[str] = (),
             places: Iterable[str] = ()) -> Catalogue:
    """A catalogue of bare names, as an evaluation manifest gives them.

    A device whose kind is not known fits every sentence that takes a device, and its name may be
    that of a room, a scene or a list.
    """
    names = tuple(devices)
    people = []
    for name in contacts:
        given, _, family = name.rpartition(" ")
        people.append(Contact(name, given or name, family if given else ""))
    return Catalogue(
        ContactBook(people),
        Home(tuple(Area(name) for name in names), tuple(Device(name) for name in names)),
        Places(tuple(Place(name, "place") for name in places)))


class CatalogueFiles:
    """The three catalogue files; a missing path means the sample.

    Args:
        contacts: A vCard file, or a folder of them.
        devices: ``devices.toml``.
        places: ``places.toml``.
    """

    def __init__(self, contacts: Path | None = None, devices: Path | None = None,
                 places: Path | None = None) -> None:
        self.contacts = contacts or SAMPLES / "contacts.vcf"
        self.devices = devices or SAMPLES / "devices.toml"
        self.places = places or SAMPLES / "places.toml"
        self._stamp: object = None
        self._catalogue = Catalogue()

    def load(self) -> Catalogue:
        """The catalogue as the files are now; read again only when one of them changed.

        A file with an error leaves what it held before, and the error is in ``problems``.
        """
        stamp = self._stamps()
        if stamp != self._stamp:
            self._catalogue = self._read()
            self._stamp = stamp
        return self._catalogue

    def changed(self) -> bool:
        """Whether ``load`` would read anything anew."""
        return self._stamps() != self._stamp

    def _stamps(self) -> tuple[tuple[str, int, int], ...]:
        files: list[Path] = [self.devices, self.places, self.contacts]
        if self.contacts.is_dir():
            files += sorted(self.contacts.glob("*.vcf"))
        stamps = []
        for file in files:
            try:
                status = file.stat()
                stamps.append((str(file), status.st_mtime_ns, status.st_size))
            except OSError:
                stamps.append((str(file), 0, -1))
        return tuple(stamps)

    def _read(self) -> Catalogue:
        before = self._catalogue
        contacts = read_contacts(self.contacts)
        problems = list(contacts.problems)
        if contacts.problems and not contacts.contacts:
            contacts = before.contacts
        home, places = before.home, before.places
        try:
            home = read_home(self.devices)
        except AgentError as error:
            problems.append(error)
        try:
            places = read_places(self.places)
        except AgentError as error:
            problems.append(error)
        return Catalogue(contacts, home, places, tuple(problems))

"""The home: rooms, devices, scenes, scripts and lists, from ``devices.toml``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.dialogue.catalogue.tables import Tables
from agent.dialogue.text import canonical, without_article
from agent.errors import AgentError
from agent.settings import setting

KINDS = ("light", "switch", "fan", "cover", "lock", "climate", "media_player", "sensor",
         "weather", "scene", "script", "vacuum", "valve", "input_boolean", "todo")
"""What a device may be: Home Assistant's domains."""

COVER_CLASSES = ("awning", "blind", "curtain", "door", "garage", "gate", "shade", "shutter",
                 "window")
"""What a cover may be: Home Assistant's device classes."""

_ENTRANCES = frozenset({"door", "garage", "gate", "window"})


@dataclass(frozen=True)
class Area:
    """A room or another part of the home."""

    name: str = setting("", "what people call it")
    floor: str = setting("", "the floor it is on")
    aliases: tuple[str, ...] = setting((), "other names for it")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical texts by which people name this room."""
        return tuple(spoken_names(self.name, self.aliases))


@dataclass(frozen=True)
class Device:
    """Something in the home that can be controlled or asked, a scene, a script or a list."""

    name: str = setting("", "what people call it")
    kind: str = setting("", "what it is; empty means unknown: it fits every sentence")
    area: str = setting("", "the room it is in")
    aliases: tuple[str, ...] = setting((), "other names for it")
    id: str = setting("", "what the configured command calls it")
    device_class: str = setting("", "what sort of cover it is, such as garage or blind")
    confirm: bool | None = setting(None, "ask before acting when unsure; by default where an "
                                         "entrance is unlocked or opened")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical texts by which people name this device."""
        return tuple(spoken_names(self.name, self.aliases))

    def confirms(self, intent: str) -> bool:
        """Whether ``intent`` cannot be taken back for this device."""
        if self.confirm is not None:
            return self.confirm
        unlocks = self.kind == "lock" and intent == "HassTurnOff"
        opens = self.kind == "cover" and intent in ("HassTurnOn", "HassSetPosition")
        return unlocks or (opens and self.device_class in _ENTRANCES)


def spoken_names(name: str, aliases: Iterable[str]) -> Iterator[str]:
    """The canonical forms of names, with and without a leading article."""
    for text in (name, *aliases):
        if key := canonical(text):
            yield key
            if without_article(key) != key:
                yield without_article(key)


@dataclass(frozen=True)
class Home:
    """All that can be controlled, and where this agent stands."""

    areas: tuple[Area, ...] = ()
    devices: tuple[Device, ...] = ()
    here: str = ""
    """The room this agent stands in: what "the lights" means. Empty: it asks."""

    def named(self, text: str, kinds: Iterable[str] = ()) -> tuple[Device, ...]:
        """Devices called ``text``, of one of ``kinds`` (any when empty, or theirs is unknown)."""
        key, kinds = canonical(text), frozenset(kinds)
        return tuple(d for d in self.devices if key in d.names
                     and (not kinds or not d.kind or d.kind in kinds))

    def of_kind(self, kinds: Iterable[str], area: str = "") -> tuple[Device, ...]:
        """Devices of one of ``kinds``, in one room or anywhere."""
        wanted = frozenset(kinds)
        room = canonical(area)
        return tuple(d for d in self.devices if d.kind in wanted
                     and (not room or canonical(d.area) == room))

    def area(self, text: str) -> Area | None:
        """The room called ``text``."""
        key = canonical(text)
        return next((a for a in self.areas if key in a.names), None)

    @property
    def floors(self) -> tuple[str, ...]:
        """The floors that rooms are on, each once."""
        return tuple(dict.fromkeys(area.floor for area in self.areas if area.floor))


def read_home(path: Path, text: str | None = None) -> Home:
    """Read ``devices.toml``, or a text of that form; ``path`` then only names it.

    Raises:
        AgentError: The file is missing or wrong; names the line and how to mend it.
    """
    tables = Tables(path, ("here", "area", "device"), text)
    areas, devices = tables.entries("area", Area), tables.entries("device", Device)
    for number, area in enumerate(areas):
        if not canonical(area.name):
            raise tables.error("area", number, "name", "a room needs a name",
                               'add name = "Kitchen"')
    known = {name for area in areas for name in area.names}
    for number, device in enumerate(devices):
        _check_device(tables, number, device, known)
    here = tables.text("here")
    if here and canonical(here) not in known:
        raise AgentError(f"{path}: here: there is no room {here!r}",
                         f'add [[area]] with name = "{here}", or correct it')
    return Home(areas, devices, here)


def _check_device(tables: Tables, number: int, device: Device, areas: set[str]) -> None:
    if not canonical(device.name):
        raise tables.error("device", number, "name", "a device needs a name",
                           'add name = "Kitchen Light"')
    if device.kind and device.kind not in KINDS:
        raise tables.error("device", number, "kind", f"{device.kind!r} is not a kind of device",
                           f"known: {', '.join(KINDS)}")
    if device.area and canonical(device.area) not in areas:
        raise tables.error("device", number, "area", f"there is no room {device.area!r}",
                           f'add [[area]] with name = "{device.area}", or correct it')
    if device.device_class and device.device_class not in COVER_CLASSES:
        raise tables.error("device", number, "device_class",
                           f"{device.device_class!r} is not a sort of cover",
                           f"known: {', '.join(COVER_CLASSES)}")

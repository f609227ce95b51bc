"""Places nearby, from ``places.toml``: restaurants, coffee shops, petrol stations, cinemas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from agent.dialogue.catalogue.devices import spoken_names
from agent.dialogue.catalogue.tables import Tables
from agent.dialogue.text import canonical
from agent.settings import setting


@dataclass(frozen=True)
class Place:
    """Somewhere to go."""

    name: str = setting("", "what people call it")
    kind: str = setting("", "what it is, in the singular: restaurant, coffee shop, …")
    address: str = setting("", "street and number, as it should be spoken")
    metres: float = setting(0.0, "distance in metres; 0 when unknown", minimum=0)
    note: str = setting("", "one more thing to tell: opening hours, what is on")
    aliases: tuple[str, ...] = setting((), "other names for it")

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The canonical texts by which people name this place."""
        return tuple(spoken_names(self.name, self.aliases))


@dataclass(frozen=True)
class Places:
    """All places, nearest first where distances are known."""

    places: tuple[Place, ...] = ()

    def named(self, text: str) -> tuple[Place, ...]:
        """Places called ``text``."""
        key = canonical(text)
        return tuple(p for p in self.places if key in p.names)

    def of_kind(self, kind: str) -> tuple[Place, ...]:
        """Places of a kind, nearest first."""
        wanted = canonical(kind)
        found = [p for p in self.places if canonical(p.kind) == wanted]
        return tuple(sorted(found, key=lambda p: p.metres or float("inf")))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds there are, each once."""
        return tuple(dict.fromkeys(p.kind for p in self.places if p.kind))


def read_places(path: Path, text: str | None = None) -> Places:
    """Read ``places.toml``, or a text of that form; ``path`` then only names it.

    Raises:
        AgentError: The file is missing or wrong; names the line and how to mend it.
    """
    tables = Tables(path, ("place",), text)
    places = tables.entries("place", Place)
    for number, place in enumerate(places):
        for key, example in (("name", "Blue Door Café"), ("kind", "coffee shop")):
            if not canonical(getattr(place, key)):
                raise tables.error("place", number, key, f"a place needs a {key}",
                                   f'add {key} = "{example}"')
    return Places(places)

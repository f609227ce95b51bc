"""A synthetic user's world: thousands of names, and what each of them is.

Names are drawn from short lists of common words and surnames, so that no real person or business
is meant. The same seed gives the same world.
"""

from __future__ import annotations

import random
import tomllib
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from agent.context import Entry

GIVEN = tuple("""Adam Alice Anna Ben Carla Chloe Clara Colin Daniel David Diana Edith Ella Emma
Eric Eva Felix Fiona Frank Gina Grace Harold Helen Henry Ida Iris Jack James Jane Jason Joan John
Julia Karen Kevin Laura Leo Linda Lisa Lucy Maria Mark Martha Martin Meg Mia Nancy Nina Noah Nora
Oliver Oscar Paul Peter Rachel Robert Rosa Ruth Sam Sarah Simon Sophie Stella Susan Theo Thomas Tina
Tom Vera Victor Walter Wendy William Zoe""".split())
FAMILY = tuple("""Abbott Adler Archer Bailey Baker Barnes Bauer Becker Bennett Berg Bishop Blake
Bond Bowen Brandt Brennan Briggs Brooks Burke Burton Carter Castle Chapman Clark Cole Collins Conrad
Cooper Costa Cross Curtis Dalton Dawson Dean Dixon Doyle Drake Dunn Eaton Ellis Evans Farmer Fischer
Fleming Fletcher Foster Fowler Franklin Fuller Garcia Gibson Gordon Grant Griffin Gruber Hale Hansen
Harper Hart Hayes Hill Hoffman Holmes Howard Hughes Hunt Ingram Jensen Jones Keller Kelly Kent Klein
Knight Kramer Lane Larsen Lopez Lowell Lynch Marsh Mason Mercer Meyer Miller Moore Moreno Morgan
Nash Nelson Newman Nolan Norris Olsen Osborne Palmer Parker Perry Porter Price Quinn Ramsey Reed
Rivera Rossi Russell Sanders Schmidt Sharp Shaw Silva Spencer Stone Sutton Taylor Thorne Turner
Vance Vogel Wagner Walsh Ward Warren Weber Weston Wheeler Wolf Wright Young Ziegler""".split())
ADJECTIVES = tuple("""Amber Ancient Blue Bright Broken Bronze Copper Crooked Crystal Crimson Distant
Dusty Eastern Emerald Gentle Gilded Golden Grand Green Happy Hidden Hollow Hungry Iron Ivory Jolly
Little Lonely Lucky Merry Misty Northern Old Orange Painted Pearl Polished Purple Quiet Red Royal
Rusty Sapphire Scarlet Silent Silver Southern Striped Sunny Velvet Western White Wild Yellow"""
.split())
NOUNS = tuple("""Acorn Anchor Apple Arrow Badger Barrel Beacon Bell Bird Bottle Bridge Bull Candle
Canyon Castle Cherry Cloud Compass Crane Crown Dolphin Dragon Eagle Elm Falcon Feather Forest Fox
Garden Harbour Hare Harp Heron Horse Island Juniper Kettle Lantern Lemon Lily Lion Maple Mill Moon
Mountain Oak Olive Orchard Otter Owl Peacock Pelican Pepper Pine Plough Raven River Rose Saddle Ship
Sparrow Star Stone Swan Thistle Tiger Tower Valley Willow Windmill Wolf""".split())
STREETS = tuple("""Abbey Bridge Canal Castle Church Corner Dock Garden Grove High Hill King Lake
Market Meadow Mill North Park Queen Quay River School South Square Station Temple Tower Victoria
West Wharf""".split())
ROOMS = tuple(f"{where}{room}" for where in ("", "Upstairs ", "Downstairs ", "Guest ", "Back ")
              for room in ("Kitchen", "Bedroom", "Hallway", "Study", "Nursery", "Bathroom",
                           "Living Room", "Dining Room", "Cellar", "Attic", "Porch"))
UNKNOWN_SHARE = 0.25
"""Share of contacts of whom nothing but the name is known."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of entries, and what people say who want one."""

    kind: str
    label: str
    said: tuple[str, ...] = field(repr=False)
    names: tuple[str, ...] = ()

    def sayings(self, measuring: bool) -> tuple[str, ...]:
        """Those for measuring, or those for tuning."""
        return self.said[1::2] if measuring else self.said[::2]


@dataclass(frozen=True)
class World:
    """Everything that a synthetic user can name."""

    entries: tuple[Entry, ...] = field(repr=False)
    by_class: dict[str, tuple[Entry, ...]] = field(repr=False)
    """Entries by the label of their class."""


@lru_cache(maxsize=1)
def classes() -> tuple[Kind, ...]:
    """The classes of ``experiment_classes.toml``."""
    text = (resources.files("agent.evaluate") / "experiment_classes.toml").read_text("utf-8")
    return tuple(Kind(e["kind"], e["label"], tuple(e["said"]), tuple(e.get("names", ())))
                 for e in tomllib.loads(text)["class"])


@lru_cache(maxsize=8)
def world(size: int, seed: int = 0) -> World:
    """About ``size`` entries: 45 % contacts, 50 % places, the rest devices, if rooms suffice."""
    draw = random.Random(f"world {seed}")
    shares = {"contact": 0.45, "place": 0.50, "device": 0.05}
    counts = {kind: sum(c.kind == kind for c in classes()) for kind in shares}
    made: dict[str, Entry] = {}
    by_class: dict[str, list[Entry]] = defaultdict(list)
    for entry_class in classes():
        wanted = round(size * shares[entry_class.kind] / counts[entry_class.kind])
        for _ in range(20 * wanted):
            if len(by_class[entry_class.label]) == wanted:
                break
            entry = _entry(entry_class, draw)
            if made.setdefault(entry.text, entry) is entry:
                by_class[entry_class.label].append(entry)
    entries = list(made.values())
    draw.shuffle(entries)
    return World(tuple(entries), {label: tuple(found) for label, found in by_class.items()})


def _entry(of: Kind, draw: random.Random) -> Entry:
    if of.kind == "contact":
        name = f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}"
        return Entry(name, "contact", "" if draw.random() < UNKNOWN_SHARE else of.label)
    name = draw.choice(of.names)
    while "{" in name:
        name = name.replace("{family}", draw.choice(FAMILY), 1)
        name = name.replace("{adj}", draw.choice(ADJECTIVES), 1)
        name = name.replace("{noun}", draw.choice(NOUNS), 1)
        name = name.replace("{street}", draw.choice(STREETS), 1)
        name = name.replace("{room}", draw.choice(ROOMS), 1)
    return Entry(name, of.kind, of.label)

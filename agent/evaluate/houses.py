"""Names of rooms, devices, scenes and lists as people give them, for synthesised homes.

Two stocks without a name in common: one to develop on, one held out.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from agent.evaluate.home_sentences import House

AREAS = "area"
Stock = Mapping[str, Sequence[str]]

DEVELOPMENT: Stock = {
    AREAS: ("Bedroom", "Dining Room", "Guest Room", "Attic", "Laundry Room", "Garden", "Playroom",
            "Upstairs Bathroom", "Hallway", "Cellar", "Sunroom"),
    "light": ("Desk Lamp", "Porch Light", "Reading Lamp", "Island Lights", "Mirror Light",
              "Tree Lights", "Kids Light", "Counter Spots", "Bedside Lamp"),
    "lock": ("Back Door", "Side Gate", "Cellar Door", "Garden Gate", "Hallway Door"),
    "cover": ("Roller Blind", "Bedroom Curtains", "Awning", "Skylight", "Dining Room Shade"),
    "fan": ("Tower Fan", "Ceiling Fan", "Attic Fan"),
    "switch": ("Coffee Machine", "Electric Kettle", "Garden Sprinkler", "Space Heater"),
    "climate": ("Main Thermostat", "Heat Pump", "Bedroom Radiator"),
    "media_player": ("Bedroom TV", "Sonos Speaker", "Living Room Stereo"),
    "scene": ("Good Night", "Dinner Time", "Away Mode", "Sunset", "Homework", "Rainy Day"),
    "todo": ("Grocery List", "Packing List", "Weekend Tasks"),
    "vacuum": ("Robot Vacuum", "Rover"),
    "sensor": ("Outdoor Humidity", "Freezer Temperature", "Solar Power"),
}
HELD_OUT: Stock = {
    AREAS: ("Lounge", "Nursery", "Master Bedroom", "Entryway", "Study", "Utility Room", "Loft",
            "Den", "Pantry", "Terrace", "Family Room"),
    "light": ("Table Lamp", "Floor Lamp", "Closet Light", "Driveway Lights", "Vanity Light",
              "Stair Lights", "Chandelier", "Night Light", "Wall Sconce"),
    "lock": ("Patio Door", "Main Entrance", "Shed Lock", "Balcony Door", "Office Door"),
    "cover": ("Garage Shutter", "Nursery Blind", "Left Curtain", "Pool Cover", "Bay Window"),
    "fan": ("Exhaust Fan", "Bathroom Fan", "Tall Fan"),
    "switch": ("Water Pump", "Slow Cooker", "Christmas Tree", "Air Purifier"),
    "climate": ("Upstairs Radiator", "Wall Heater", "Air Conditioner"),
    "media_player": ("Record Player", "Projector", "Kitchen Radio"),
    "scene": ("Bedtime", "Cozy Evening", "Romantic Dinner", "Wake Up", "Focus Time", "Guest Mode"),
    "todo": ("Chores", "Wish List", "Hardware Store"),
    "vacuum": ("Roomba", "Dusty"),
    "sensor": ("Rain Gauge", "Battery Level", "Outside Temperature"),
}
_DEVICES = (("light", 2), ("lock", 1), ("cover", 1), ("climate", 1), ("media_player", 1),
            ("scene", 1), ("todo", 1))
_EITHER = ("fan", "switch", "vacuum", "sensor", "scene")
_ROOMS = 4


def furnish(stock: Stock, chance: random.Random) -> House:
    """A house of 14 names: four rooms, eight things every house has, two others."""
    rooms = chance.sample(stock[AREAS], _ROOMS)
    devices = {kind: tuple(chance.sample(stock[kind], count)) for kind, count in _DEVICES}
    for kind in chance.sample(_EITHER, 2):
        free = [name for name in stock[kind] if name not in devices.get(kind, ())]
        devices[kind] = (*devices.get(kind, ()), chance.choice(free))
    return House(tuple(rooms), devices)

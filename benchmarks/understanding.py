"""How long does the dialogue take, from a text to its directives?

Loads 1,000 contacts, 100 devices and 200 places that it makes up, and times: the first turn after
start (templates parsed, names indexed), every further turn, and the carriers that biasing is given.

    .venv/bin/python benchmarks/understanding.py --json understanding.json
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import statistics
import sys
import time
from pathlib import Path

from agent.dialogue import Dialogue, Heard
from agent.dialogue.carriers import command_carriers, grammar
from agent.dialogue.catalogue import (
    Area,
    Catalogue,
    Contact,
    ContactBook,
    Device,
    Home,
    PhoneNumber,
    Place,
    Places,
)

_SYLLABLES = "ba co da fe gi ha jo ka li mo na pe ri so ta ve wa xi yo zu".split()
_ROOMS = "kitchen bedroom hall office attic cellar garage study nursery lounge".split()
_KINDS = ("light", "switch", "fan", "cover", "lock", "climate", "media_player", "sensor", "scene",
          "todo")
COMMANDS = (
    "call {contact}", "phone {contact} at work", "call somebody unknown to anyone",
    "turn on the {device}", "set {device} brightness to fifty percent", "is the {device} locked",
    "turn off the lights in the kitchen", "dim the lamp to 20 percent", "what's the weather like",
    "set a timer for ten minutes", "set a pasta timer for an hour and a half",
    "how much time is left on the pasta timer", "find a coffee shop nearby",
    "directions to {place}", "take me to the second one", "add oat milk to my shopping list",
    "what time is it", "never mind", "this is a sentence about nothing that anybody can do",
)


def catalogue(seed: int, contacts: int, devices: int, places: int) -> Catalogue:
    """A catalogue of made-up names."""
    chance = random.Random(seed)

    def name() -> str:
        return "".join(chance.choices(_SYLLABLES, k=chance.choice((2, 3)))).capitalize()

    people = [Contact(f"{given} {family}", given, family, (), (PhoneNumber("123"),))
              for given, family in ((name(), name()) for _ in range(contacts))]
    things = [Device(f"{room.capitalize()} {name()} {kind.replace('_', ' ')}", kind,
                     room.capitalize())
              for room, kind in itertools.islice(itertools.cycle(
                  itertools.product(_ROOMS, _KINDS)), devices)]
    spots = [Place(f"{name()} {name()}", chance.choice(("restaurant", "coffee shop", "cinema")),
                   "1 High Street", chance.random() * 5000) for _ in range(places)]
    return Catalogue(ContactBook(people),
                     Home(tuple(Area(room.capitalize()) for room in _ROOMS), tuple(things)),
                     Places(tuple(spots)))


def texts(book: Catalogue, rounds: int, seed: int) -> list[str]:
    """Every command of the list, ``rounds`` times, with names drawn from the catalogue."""
    chance = random.Random(seed)
    return [command.format(contact=chance.choice(book.contacts.contacts).name,
                           device=chance.choice(book.home.devices).name,
                           place=chance.choice(book.places.places).name)
            for command in COMMANDS for _ in range(rounds)]


def measure(args: argparse.Namespace) -> dict[str, float]:
    """All figures, in milliseconds."""
    book = catalogue(args.seed, args.contacts, args.devices, args.places)
    started = time.perf_counter()
    dialogue = Dialogue(book)
    dialogue.warm()
    first = time.perf_counter() - started
    turns: list[float] = []
    work: list[float] = []
    for text in texts(book, args.rounds, args.seed):
        dialogue.close()
        started, used = time.perf_counter(), time.process_time()
        dialogue.respond(Heard(text))
        turns.append(time.perf_counter() - started)
        work.append(time.process_time() - used)
    started = time.perf_counter()
    command_carriers()
    templates = time.perf_counter() - started
    started = time.perf_counter()
    grammar(book)
    filled = time.perf_counter() - started
    turns.sort()
    work.sort()
    return {"first turn (templates and index)": first * 1000,
            "turn, median": statistics.median(turns) * 1000,
            "turn, p95": turns[int(len(turns) * 0.95)] * 1000,
            "turn, longest": turns[-1] * 1000,
            "turn, median of processor time": statistics.median(work) * 1000,
            "turn, p95 of processor time": work[int(len(work) * 0.95)] * 1000,
            "turn, most processor time": work[-1] * 1000,
            "carriers, once a process": templates * 1000,
            "grammar of a catalogue": filled * 1000}


def main() -> int:
    """Print the table and write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=20, help="times each command is given")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    figures = measure(args)
    print(f"{args.contacts} contacts, {args.devices} devices, {args.places} places, "
          f"Python {sys.version.split()[0]}")
    for name, value in figures.items():
        print(f"{name:36} {value:9.2f} ms")
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Development sets that are synthesised: follow-up answers, stray answers, commands to a home.

    python -m agent.evaluate.sets FOLDER

writes a manifest for each, with its recordings beside it. The same texts and voices always give
the same clips.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from agent.audio import files
from agent.evaluate import houses, short_answers, synthesis
from agent.evaluate.home_sentences import Source, draw
from agent.evaluate.synthesis import Voice

FIRST = ("Meg Anna Omar Lucia Tom Priya Stefan Chloe Ravi Ingrid Marco Hannah").split()
SURNAMES = ("Bauer Jones Power Kowalski Nguyen Okafor Schneider Delgado Fraser Iyer Lindqvist "
            "Moreau Novak Petrov Rossi Takahashi Ullman Vasquez Whitlock Yildiz Abbott Brennan "
            "Castillo Dvorak Eriksen Faulkner Goldberg Hartley Ivanova Jankowski Keller Lombardi "
            "Mahoney Nakamura Ortega Pfeiffer Quigley Romero Salazar Thornton Underhill "
            "Vandermeer Wagner Xiong Yates Zimmerman Haddad Bianchi").split()
STRAY = (
    "power|no thanks|maybe later|I don't know|what time is it|never mind|hold on|the weather|"
    "turn it off|play music|not now|good morning|thank you|stop|louder|the kitchen|tomorrow|"
    "who is that|say that again|nobody|something else|cancel that|go back|a pizza|blue|"
    "seventeen|next week|open the window|my brother|the doctor|wait a minute|forget it|"
    "how about lunch|coffee please|sorry|help|the second one|neither of them|hang up|"
    "Dmitri|Sun Yee|Fatima Zahra|Guillermo|Bjorn Larsen|Wei Zhang|Aleksandra|Hiroshi Tanaka|"
    "Xavier Dupont|Olufemi|Katarzyna|Rajesh Patel|Siobhan|Giovanni|Ahmed Hassan|Nguyen Van Minh|"
    "Thandiwe|Jorge Ramirez|Svetlana|Mehmet|Eun Ji|Bartholomew").split("|")
HOME = ("Bed Light", "Ceiling Lights", "Kitchen", "Living Room", "Front Door", "Garage Door",
        "Office Fan", "Hallway Thermostat", "Movie Night", "Party Mode", "Shopping List",
        "Patio Heater", "Basement", "Studio Speaker")
COMMANDS = (
    "turn on the {0}|turn off the {0}|is the {4} locked|lock the {4}|unlock the {4}|"
    "open the {5}|close the {5}|set {0} brightness to 50 percent|"
    "set the {0} brightness to 20 percent|turn on the lights in the {2}|"
    "turn off the lights in the {3}|what is the temperature in the {12}|"
    "set the {7} to 68 degrees|activate {8}|run {9}|turn on {8}|set {1} to blue|"
    "turn on the {11}|turn off {6}|set {6} speed to 40 percent|add milk to the {10}|"
    "what is on my {10}|pause {13}|set {13} volume to 30 percent|is the {5} open|"
    "what is the temperature of {7}|turn {1} on|turn {11} off|set {2} brightness to 75 percent|"
    "set the {1} to red|turn on all the lights in the {12}|is {5} closed|skip on {13}").split("|")

_HOUSES, _NAMED, _UNNAMED = 12, 18, 3
"""Synthesised homes, and the sentences for each that name something of it and that do not."""

Rows = Iterator[tuple[dict[str, Any], str, Voice]]
Maker = Callable[[Sequence[Voice]], Rows]


def write_all(folder: Path) -> list[Path]:
    """Write every set; those already there stay as they are.

    Raises:
        AgentError: A synthesiser failed.
    """
    voices = synthesis.installed()
    makers: dict[str, Maker] = {
        "follow-ups": _follow_ups, "stray": _stray, "home": _home,
        "homes": partial(_homes, houses.DEVELOPMENT, Source.DEVELOPMENT),
        "homes-held-out": partial(_homes, houses.HELD_OUT, Source.HELD_OUT),
        "homes-closed": partial(_homes, houses.HELD_OUT, Source.CLOSED),
        "strays": partial(_strays, False), "strays-held-out": partial(_strays, True),
        "messages": partial(_messages, False), "messages-held-out": partial(_messages, True)}
    return [_write(folder / name, make(voices)) for name, make in makers.items()]


def _write(folder: Path, rows: Rows) -> Path:
    manifest = folder / "manifest.jsonl"
    if manifest.exists():
        return manifest
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    written: list[str] = []
    for row, text, voice in rows:
        row = {"id": row.pop("id"), "audio": f"clips/{len(written):04}.wav", **row,
               "voice": voice.id}
        files.write_wav(folder / row["audio"], synthesis.speak(text, voice))
        written.append(json.dumps(row, ensure_ascii=False))
    manifest.write_text("\n".join(written) + "\n", encoding="utf-8")
    return manifest


def contacts() -> list[str]:
    """The address book of the synthesised dialogues: four surnames a first name."""
    return [f"{FIRST[at % len(FIRST)]} {surname}" for at, surname in enumerate(SURNAMES)]


def _follow_ups(voices: Sequence[Voice]) -> Rows:
    """"Meg Jones or Meg Bauer?": the surname alone, and the whole name."""
    book = contacts()
    chance = random.Random("follow-ups")
    for voice in voices:
        for name in book:
            first, surname = name.split()
            others = [n for n in book if n.startswith(f"{first} ") and n != name]
            offered = [name, *chance.sample(others, min(len(others), chance.choice([1, 2])))]
            chance.shuffle(offered)
            context = {"previous": [{"speaker": "user", "text": f"call {first}"},
                                    {"speaker": "agent", "text": " or ".join(offered) + "?"}],
                       "contacts": book}
            said = surname if chance.random() < .5 else name
            yield {"id": f"{voice.id}-{name}-{said == name}".replace(" ", "-"), "text": said,
                   "expects": "name", "set": "in-context", "context": context}, said, voice


def _stray(voices: Sequence[Voice]) -> Rows:
    """Short answers that have nothing to do with the address book."""
    context = {"previous": [{"speaker": "user", "text": "make a call"},
                            {"speaker": "agent", "text": "Who would you like to call?"}],
               "contacts": contacts()}
    for at, text in enumerate(STRAY):
        for step in range(3):
            voice = voices[(at + 3 * step) % len(voices)]
            yield {"id": f"{voice.id}-{at}", "text": text, "expects": "name",
                   "set": "anti-context", "context": context}, text, voice


def _home(voices: Sequence[Voice]) -> Rows:
    """Commands to a home with 14 named rooms, devices, scenes and lists."""
    context = {"previous": [], "devices": list(HOME)}
    for at, template in enumerate(COMMANDS):
        text = template.format(*HOME)
        for step in range(5):
            voice = voices[(at + step) % len(voices)]
            yield {"id": f"{voice.id}-{at}", "text": text, "context": context}, text, voice


def _homes(stock: houses.Stock, source: Source, voices: Sequence[Voice]) -> Rows:
    """Commands to many homes, worded as Home Assistant's templates allow; most name something."""
    chance = random.Random(f"homes {source}")
    for number in range(_HOUSES):
        house = houses.furnish(stock, chance)
        context = {"previous": [], "devices": list(house.names)}
        sentences = draw(house, chance, source)
        named = (text for text in sentences if any(name in text for name in house.names))
        texts = [*islice(named, _NAMED), *islice(sentences, _UNNAMED)]
        for at, text in enumerate(texts):
            voice = chance.choice(voices)
            yield {"id": f"{voice.id}-{number}.{at}", "text": text,
                   "context": context}, text, voice


def _strays(held_out: bool, voices: Sequence[Voice]) -> Rows:
    """More short answers that have nothing to do with the address book, each text once or twice."""
    chance = random.Random(f"strays {held_out}")
    book = contacts()[::-1] if held_out else contacts()
    texts = short_answers.halves(short_answers.WORDS + short_answers.PHRASES, held_out=held_out)
    texts += short_answers.foreign_names(chance, 60)
    questions = ("Who would you like to call?", "Whom shall I call?", "Which contact?")
    for at, text in enumerate(texts * 2):
        voice = chance.choice(voices)
        context = {"previous": [{"speaker": "user", "text": "make a call"},
                                {"speaker": "agent", "text": questions[at % 3]}],
                   "contacts": chance.sample(book, 40)}
        yield {"id": f"{voice.id}-{at}", "text": text, "expects": "name",
               "set": "anti-context", "context": context}, text, voice


def _messages(held_out: bool, voices: Sequence[Voice]) -> Rows:
    """Sentences with a contact inside, no question before."""
    chance = random.Random(f"messages {held_out}")
    book = contacts()
    context = {"previous": [], "contacts": book}
    templates = short_answers.halves(short_answers.MESSAGES, held_out=held_out)
    texts = [(template.format(name), name)
             for name in short_answers.halves(book, held_out=held_out)
             for template in chance.sample(templates, 4)]
    for at, (text, name) in enumerate(texts):
        voice = chance.choice(voices)
        yield {"id": f"{voice.id}-{at}", "text": text, "slots": {"contact": name},
               "set": "in-context", "context": context}, text, voice


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="synthesise the development sets")
    parser.add_argument("folder", type=Path)
    for path in write_all(parser.parse_args().folder):
        print(path)


if __name__ == "__main__":
    main()

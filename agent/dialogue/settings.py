"""Settings of the dialogue: whose names it knows, when it asks, and what carries out its wishes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """What the dialogue knows and how it behaves."""

    contacts: Path | None = setting(None, "vCard file, or folder of *.vcf files; the samples "
                                          "when not given")
    devices: Path | None = setting(None, "devices.toml: rooms, devices, scenes and lists; the "
                                         "samples when not given")
    places: Path | None = setting(None, "places.toml: places nearby; the samples when not given")
    lists: Path | None = setting(None, "file in which shopping and to-do lists are kept; "
                                       "in memory only when not given")
    follow_up: float = setting(8.0, "seconds the microphone stays open for an answer",
                               minimum=1, maximum=60)
    confirm: Literal["unsure", "always", "never"] = setting(
        "unsure", "when to ask before a call, unlocking a door or opening a garage")
    spoken_items: int = setting(4, "items of a list that are read aloud; all are shown",
                                minimum=1, maximum=10)
    carry_over: float = setting(300.0, "seconds for which a list shown or a place told can be "
                                       "referred to", minimum=0)
    repair: float = setting(60.0, "seconds in which \"no, the other one\" mends the last choice",
                            minimum=0)


@dataclass(frozen=True)
class CommandSettings:
    """Programs that carry out what the dialogue wants; none is run through a shell.

    Each is a list of arguments, in which ``{placeholders}`` are replaced.
    """

    call: tuple[str, ...] = setting((), "places a call; {contact} and {number}")
    home: tuple[str, ...] = setting((), "changes or asks the home; {intent}, {name}, {id}, "
                                        "{area}, {domain}, {json} and the intent's other slots; "
                                        "what it prints answers a question")
    directions: tuple[str, ...] = setting((), "shows the way; {place} and {address}")
    display: tuple[str, ...] = setting((), "shows a list; {title} and {json}")
    timeout: float = setting(10.0, "seconds after which such a program is stopped",
                             minimum=0.1, maximum=300)
    json_input: bool = setting(False, "also give the program all slots as JSON on standard input")

"""Loads the sentence templates: Home Assistant's own English ones and this package's.

Templates are written in hassil's language; ``docs/skills.md`` shows what can be said with them.
"""

from __future__ import annotations

import copy
import json
import tomllib
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hassil.intents import IntentData, Intents

OWN_FILES = ("general", "call", "places", "home", "timers", "lists")
"""Files of ``sentences/`` with commands; ``answers`` has the answers to the agent's questions."""


@lru_cache(maxsize=1)
def commands() -> Intents:
    """Every command: Home Assistant's English sentences, then this package's."""
    from hassil.intents import Intents
    from hassil.util import merge_dict

    table = home_assistant()
    for name in OWN_FILES:
        merge_dict(table, copy.deepcopy(own(name)))
    return _digits_only(Intents.from_dict(table))


@lru_cache(maxsize=1)
def answers() -> Intents:
    """The answers to the agent's questions; shares lists and rules with the commands."""
    from hassil.intents import Intents
    from hassil.util import merge_dict

    table = copy.deepcopy(own("answers"))
    general = own("general")
    merge_dict(table, {"language": "en", "lists": copy.deepcopy(general["lists"]),
                       "skip_words": list(general["skip_words"])})
    return _digits_only(Intents.from_dict(table))


def _digits_only(intents: Intents) -> Intents:
    """Match numbers as digits only: ``canonical`` writes them so, and word tables are slow."""
    from hassil.intents import RangeSlotList

    for slot_list in intents.slot_lists.values():
        if isinstance(slot_list, RangeSlotList):
            slot_list.words = False
    return intents


def home_assistant() -> dict[str, Any]:
    """Home Assistant's English sentences for closed-vocabulary recognisers, as parsed JSON."""
    package = resources.files("home_assistant_intents")
    text = (package / "speech_to_phrase" / "en.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return {key: table[key] for key in ("language", "intents", "lists", "expansion_rules",
                                        "skip_words")}


def from_home_assistant(data: IntentData) -> bool:
    """Whether a block of sentences is Home Assistant's, not this package's."""
    return "slot_combination" in (data.metadata or {})


def own(name: str) -> dict[str, Any]:
    """One of this package's sentence files, as parsed TOML."""
    file = resources.files("agent.dialogue") / "sentences" / f"{name}.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))

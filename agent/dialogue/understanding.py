"""From text to intent, by hassil's sentence templates over the user's own names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from agent.dialogue.catalogue import Catalogue
from agent.dialogue.slots import slot_lists
from agent.dialogue.templates import commands
from agent.dialogue.text import canonical

if TYPE_CHECKING:
    from hassil.intents import Intents, SlotList
    from hassil.recognize import RecognizeResult

MAX_COMMAND = 240
"""Canonical characters beyond which a text is no command; matching time grows with length."""

HERE = ""
"""The room of a command that names none, where it is not known which room the agent stands in."""

SlotValue: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class Intent:
    """What somebody wants, with the details."""

    name: str
    slots: Mapping[str, SlotValue] = field(default_factory=dict, repr=False)
    kind: str = ""
    """Kind of the device that ``slots["name"]`` names; empty when none is named."""
    guess: tuple[str, ...] = ()
    """Kinds of device among which ``slots["thing"]``, free words, must be looked for."""

    def text(self, slot: str) -> str:
        """A slot as text; empty when it was not said."""
        return str(self.slots.get(slot, ""))

    def number(self, slot: str, default: float = 0.0) -> float:
        """A slot as a number."""
        value = self.slots.get(slot, default)
        return float(value) if isinstance(value, (int, float)) else default


class Understanding:
    """Recognises commands over one catalogue; make a new one when the catalogue changes.

    The first command costs the parsing of the templates (see ``warm``), every further one little.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @cached_property
    def _lists(self) -> dict[str, SlotList]:
        return slot_lists(self._catalogue)

    def warm(self) -> None:
        """Do the slow part of the first command now: parse templates, index names."""
        self.command("turn on the light")
        self.command("call nobody at all")

    def command(self, text: str) -> Intent | None:
        """The command that ``text`` is; None when it is none."""
        room = self._catalogue.home.here or HERE
        return best(text, commands(), self._lists, {"area": room})


def best(text: str, intents: Intents, lists: Mapping[str, SlotList],
         context: Mapping[str, Any] | None = None) -> Intent | None:
    """The best intent for ``text`` among templates; None when no template fits."""
    from hassil.recognize import recognize_all

    heard = canonical(text)
    if not heard or len(heard) > MAX_COMMAND:
        return None
    results = recognize_all(heard, intents, slot_lists=dict(lists),
                            intent_context=dict(context or {}))
    found = min(results, key=_preference, default=None)
    return _intent(found) if found else None


def _preference(result: RecognizeResult) -> tuple[int, int, int]:
    """Smaller is better: few free words, then long names of the user's own, then literal words."""
    free = sum(len(e.text) for e in result.entities_list if e.is_wildcard)
    named = sum(len(e.text) for e in result.entities_list
                if not e.is_wildcard and isinstance(e.value, str))
    return free, -named, -result.text_chunks_matched


def _intent(result: RecognizeResult) -> Intent:
    slots = {name: _plain(entity.value) for name, entity in result.entities.items()}
    metadata = result.intent_metadata or {}
    kind = str(result.context.get("domain", "")) if "name" in slots else ""
    return Intent(result.intent.name, slots, kind, tuple(metadata.get("guess", ())))


def _plain(value: Any) -> SlotValue:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, (str, int, float)) else str(value)

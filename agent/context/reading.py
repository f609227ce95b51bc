"""From stored texts to the context of a turn."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Protocol

from agent.context import Round, Situation, TurnContext
from agent.events import ExpectSpeech

MOST_NAMES = 200
"""Names of stored lists that are taken into account."""


class StoredText(Protocol):
    """A text that was unsealed."""

    @property
    def interaction_id(self) -> str:
        """The turn that it belongs to."""
        ...

    @property
    def kind(self) -> str:
        """``said``, ``reply``, ``screen``, ``places``, ``consulted``, or another."""
        ...

    @property
    def text(self) -> str:
        """The text; a JSON list of names for the last three kinds."""
        ...


def turn_context(rounds: Iterable[StoredText], carried: Iterable[StoredText],
                 situation: Situation, question: ExpectSpeech) -> TurnContext:
    """What the signals may look at.

    Args:
        rounds: The texts of the dialogue's last turns, oldest first.
        carried: The live carry-over texts of all dialogues, newest first.
        situation: What the agent is doing.
        question: What it asks.
    """
    said: dict[str, list[str]] = {}
    replies: dict[str, list[str]] = {}
    screen: tuple[str, ...] = ()
    for item in rounds:
        said.setdefault(item.interaction_id, [])
        if item.kind == "said":
            said[item.interaction_id].append(item.text)
        elif item.kind == "reply":
            replies.setdefault(item.interaction_id, []).append(item.text)
        elif item.kind == "screen":
            screen = names_in(item.text)
    return TurnContext(
        tuple(Round(" ".join(texts), " ".join(replies.get(turn, ())))
              for turn, texts in said.items()),
        screen, _names(carried), situation, question.expectation, question.alternatives)


def _names(items: Iterable[StoredText]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for item in items:
        found.update(dict.fromkeys(names_in(item.text)))
        if len(found) >= MOST_NAMES:
            break
    return tuple(found)[:MOST_NAMES]


def names_in(text: str) -> tuple[str, ...]:
    """The names of a stored list; none where the text is no list."""
    try:
        found = json.loads(text)
    except ValueError:
        return ()
    if not isinstance(found, list):
        return ()
    return tuple(name for name in found[:MOST_NAMES] if isinstance(name, str))

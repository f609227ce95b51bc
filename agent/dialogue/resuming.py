"""Taking up a question that was asked in another dialogue, perhaps by another device.

A question is code and names, not data, so it is not stored: the dialogue's turns are played
again, from what was said. Whether that led to the same question is told by what was replied.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import product

from agent.dialogue.manager import Dialogue
from agent.dialogue.turns import Heard, Reply
from agent.events import ExpectSpeech, Speak


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of a dialogue, as it was stored."""

    said: str = field(repr=False)
    reply: str = field(repr=False)


def resume(dialogue: Dialogue, rounds: Sequence[Round]) -> ExpectSpeech | None:
    """Make the question at the end of ``rounds`` the pending one.

    An answer is then understood after a wake word; any command leaves the question alone.

    Returns:
        What the question expects; None, with nothing changed, when the turns come out otherwise
        here, such as with other contacts.
    """
    before = copy(dialogue.state)
    question: ExpectSpeech | None = None
    try:
        for played in rounds:
            question = _again(dialogue, played)
            if question is None:
                break
    except BaseException:
        dialogue.state = before
        raise
    if question is None or dialogue.state.question is None:
        dialogue.state = before
        return None
    dialogue.state.resumed = True
    return question


def _again(dialogue: Dialogue, played: Round) -> ExpectSpeech | None:
    """Play one turn; how sure the recogniser was, and what opened it, was not stored."""
    before = dialogue.state
    for unsure, after_wake in product((False, True), (True, False)):
        dialogue.state = copy(before)
        reply = dialogue.respond(Heard(played.said, unsure=unsure, after_wake=after_wake))
        if _spoken(reply) == played.reply:
            return next((d for d in reply.directives if isinstance(d, ExpectSpeech)), None)
    return None


def _spoken(reply: Reply) -> str:
    return "\n".join(d.text for d in reply.directives if isinstance(d, Speak))

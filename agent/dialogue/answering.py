"""Reads a text as the answer to the pending question, or as a pick from the list on the screen."""

from __future__ import annotations

from dataclasses import replace

from agent.dialogue.answers import Answer, Meaning, near, understand
from agent.dialogue.asking import narrowed, others, refused
from agent.dialogue.text import canonical
from agent.dialogue.turns import Act, Option, Question, Turn
from agent.events import Expectation

OPEN = Question("", "", Expectation.FREE)
"""Stands for "say anything": the microphone reopens, but nothing was asked."""


_MENDING = ("no", "not that", "sorry", "i meant", "i mean", "i said", "wrong")


def answer(text: str, question: Question, turn: Turn) -> Act | None:
    """What the answer ``text`` leads to; None when it does not answer ``question``."""
    if question.expectation is Expectation.YES_NO:
        return _yes_no(text, question, turn)
    understood = understand(text, question.options) if question.options else None
    act = _options(understood, question, turn) if understood else None
    if act is None and question.free:
        act = question.free(text, turn)
    return act


def repeats(text: str, question: Question) -> bool:
    """Whether a text is only the agent's own question coming back into the microphone.

    "Call Meg Bauer?" would confirm itself, as "call Meg Bauer" is a command.
    """
    said, asked = canonical(text), canonical(question.prompt)
    if question.expectation is Expectation.YES_NO:
        return " " in said and asked.endswith(said)
    return said == asked


def nearly(text: str, question: Question, turn: Turn) -> Act | None:
    """What an answer that is nearly one of the options leads to; the choice counts as unsure."""
    asked = question.before if question.expectation is Expectation.YES_NO else question
    understood = near(text, asked.options) if asked else None
    if asked is None or understood is None:
        return None
    return _options(understood, asked, replace(turn, heard=replace(turn.heard, unsure=True)))


def on_screen(text: str, turn: Turn) -> Act | None:
    """Pick an item of the list that is being shown."""
    screen = turn.state.screen
    if screen is None or screen.choose is None:
        return None
    understood = understand(text, screen.options)
    if understood is None or len(understood.options) != 1:
        return None
    return screen.choose(understood.options[0], turn)


def mended(text: str, turn: Turn) -> Act | None:
    """Take another option of the last choice: "no, the bedroom", "I said Jones"."""
    said = canonical(text)
    if turn.state.chosen is None or not said.startswith(_MENDING):
        return None
    question, chosen = turn.state.chosen
    for lead in _MENDING:
        said = said.removeprefix(f"{lead} ")
    understood = understand(said, others(question, chosen))
    if understood is None or understood.meaning is not Meaning.OPTIONS:
        return None
    return _options(understood, question, turn)


def choose(option: Option, question: Question, turn: Turn) -> Act | None:
    """Go on with an option of ``question``; a later "no, the other one" can mend it."""
    if question.choose is None:
        return None
    act = question.choose(option, replace(turn, answering=(question, option)))
    return act if act.chosen or act.question else replace(act, chosen=(question, option))


def _options(understood: Answer, question: Question, turn: Turn) -> Act | None:
    options = understood.options
    if understood.meaning in (Meaning.NO, Meaning.NONE):
        return refused()
    if understood.meaning is Meaning.YES and len(question.options) == 1:
        options = question.options
    if len(options) == 1:
        return choose(options[0], question, turn)
    if 1 < len(options) < len(question.options):
        return narrowed(question, options)
    return None


def _yes_no(text: str, question: Question, turn: Turn) -> Act | None:
    yes, no = question.options
    before = question.before
    understood = understand(text, before.options if before else ())
    if understood is None or question.choose is None:
        return None
    if understood.meaning is Meaning.YES:
        if _contradicted(turn):
            return Act(question.intent, "yes or no?", f"Sorry, yes or no? {question.prompt}",
                       question=question)
        return _confirmed(yes, question, turn)
    if understood.meaning in (Meaning.NO, Meaning.NONE):
        return question.choose(no, turn)
    if before is None:
        return None
    if understood.meaning is Meaning.OTHER:
        understood = Answer(Meaning.OPTIONS, others(before, question.candidate))
    if understood.options == (question.candidate,):
        return _confirmed(yes, question, turn)
    return _options(understood, before, turn)


def _confirmed(yes: Option, question: Question, turn: Turn) -> Act | None:
    if question.choose is None:
        return None
    act = question.choose(yes, turn)
    if question.before and question.candidate and not act.question:
        return replace(act, chosen=(question.before, question.candidate))
    return act


def _contradicted(turn: Turn) -> bool:
    """Whether a narrow "yes" has a "no" among the recogniser's further hypotheses."""
    if not turn.heard.unsure:
        return False
    readings = (understand(text, ()) for text in turn.heard.alternatives)
    return any(reading and reading.meaning is Meaning.NO for reading in readings)

"""Questions that several skills ask: which one, and are you sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from agent.dialogue.turns import Act, Option, Question, Turn
from agent.dialogue.wording import listed
from agent.events import Expectation


def which(intent: str, summary: str, prompt: str, options: tuple[Option, ...],
          choose: Callable[[Option, Turn], Act],
          expectation: Expectation = Expectation.LIST_ITEM) -> Act:
    """Ask which of some options is meant."""
    names = listed([option.text for option in options], "or")
    question = Question(intent, prompt, expectation, options, choose)
    return Act(intent, f"{summary}: {names}?", prompt, question=question)


def narrowed(question: Question, options: tuple[Option, ...]) -> Act:
    """Ask a question again about fewer options."""
    prompt = f"{listed([option.text for option in options], 'or')}?"
    return Act(question.intent, f"which: {prompt}", prompt,
               question=replace(question, prompt=prompt, options=options))


def refused() -> Act:
    """What "no" and "neither" lead to."""
    return Act("Refused", "do nothing", "OK.")


def confirm(intent: str, prompt: str, summary: str, act: Callable[[Turn], Act],
            turn: Turn) -> Act:
    """Ask whether to do something; "no" offers what else the question before this one has."""
    before, candidate = turn.answering or (None, None)

    def choose(option: Option, turn: Turn) -> Act:
        if option.value:
            return act(turn)
        return _instead(before, candidate)

    options = (Option("yes", True), Option("no", False))
    question = Question(intent, prompt, Expectation.YES_NO, options, choose, before=before,
                        candidate=candidate)
    return Act(intent, summary, prompt, question=question)


def others(question: Question | None, refused: Option | None) -> tuple[Option, ...]:
    """The options of a question without the one that was refused."""
    options = question.options if question else ()
    return tuple(option for option in options if option is not refused)


def _instead(before: Question | None, candidate: Option | None) -> Act:
    left = others(before, candidate)
    if before is None or not left:
        return refused()
    return narrowed(before, left)

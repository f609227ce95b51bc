"""What every assistant must understand: never mind, stop, repeat, help, date and time, repairs."""

from __future__ import annotations

from collections.abc import Callable

from agent.dialogue.answers import at_position
from agent.dialogue.asking import narrowed, others, refused
from agent.dialogue.numbers import ORDINALS
from agent.dialogue.turns import Act, Turn
from agent.dialogue.understanding import Intent
from agent.events import StopTimer

_HELP = ("You can call somebody, control your home, find places nearby and the way there, set "
         "timers, and keep lists. Just say it.")


class GeneralSkill:
    """Small talk, and mending what was understood wrongly."""

    name = "general"

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Turn, Intent], Act | None]] = {
            "HassNevermind": _never_mind, "Stop": _stop, "Repeat": _repeat, "Help": _help,
            "Greeting": _greeting, "Repair": _repair, "PickItem": _pick,
            "HassGetCurrentTime": _time, "HassGetCurrentDate": _date}

    @property
    def intents(self) -> frozenset[str]:
        """Names of the intents it handles."""
        return frozenset(self._handlers)

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Answer."""
        return self._handlers[intent.name](turn, intent)


def _never_mind(turn: Turn, intent: Intent) -> Act:
    return Act("HassNevermind", "never mind", "OK.")


def _stop(turn: Turn, intent: Intent) -> Act:
    ringing = turn.timers.ringing
    if ringing:
        return Act("HassCancelTimer", "stop the timer",
                   directives=(StopTimer(ringing=True),))
    return Act("Stop", "stop")


def _repeat(turn: Turn, intent: Intent) -> Act:
    speech = turn.state.speech or "I have not said anything yet."
    return Act("Repeat", "repeat that", speech, question=turn.state.repeatable)


def _help(turn: Turn, intent: Intent) -> Act:
    return Act("Help", "what can you do", _HELP)


def _greeting(turn: Turn, intent: Intent) -> Act:
    return Act("Greeting", "greeting", "You are welcome." if "thank" in turn.heard.text.lower()
               else "Hello.")


def _repair(turn: Turn, intent: Intent) -> Act | None:
    """Take the other option of the last choice, or ask which other one."""
    if turn.state.chosen is None:
        return None
    question, chosen = turn.state.chosen
    left = others(question, chosen)
    if not left or question.choose is None:
        return refused()
    if len(left) == 1:
        return question.choose(left[0], turn)
    return narrowed(question, left)


def _pick(turn: Turn, intent: Intent) -> Act | None:
    """Pick from the list on the screen by position."""
    screen = turn.state.screen
    if screen is None or screen.choose is None:
        return None
    position = int(intent.number("ordinal") or intent.number("position"))
    found = at_position(position, screen.options)
    if found is None:
        return Act("PickItem", "pick an item", f"There are only {len(screen.options)}.")
    return screen.choose(found.options[0], turn)


def _time(turn: Turn, intent: Intent) -> Act:
    hour, minute = turn.today.hour % 12 or 12, turn.today.minute
    half = "AM" if turn.today.hour < 12 else "PM"
    clock = f"{hour} {half}" if minute == 0 else f"{hour}:{minute:02} {half}"
    return Act("HassGetCurrentTime", "what time is it", f"It is {clock}.")


def _date(turn: Turn, intent: Intent) -> Act:
    day = ORDINALS[turn.today.day - 1] if turn.today.day <= len(ORDINALS) else _high(turn.today.day)
    return Act("HassGetCurrentDate", "what day is it",
               f"It is {turn.today:%A}, {turn.today:%B} {day}.")


def _high(day: int) -> str:
    return "thirtieth" if day == 30 else (
        f"{'twenty' if day < 30 else 'thirty'} {ORDINALS[day % 10 - 1]}")

"""Timers: start, stop, change, pause, and how long is left; several at once, with names."""

from __future__ import annotations

from collections.abc import Callable

from agent.dialogue.asking import which
from agent.dialogue.numbers import ORDINALS
from agent.dialogue.text import canonical
from agent.dialogue.timers import Timer
from agent.dialogue.turns import Act, Option, Question, Turn
from agent.dialogue.understanding import Intent, best
from agent.dialogue.wording import counted, listed, span
from agent.events import ChangeTimer, Directive, Expectation, StartTimer, StopTimer

_LONGEST = 48 * 3600.0


class TimersSkill:
    """Handles everything about timers."""

    name = "timers"

    def __init__(self) -> None:
        self._handlers: dict[str, Callable[[Intent, Turn], Act | None]] = {
            "HassStartTimer": _start, "HassCancelTimer": _cancel,
            "HassCancelAllTimers": _cancel_all, "HassTimerStatus": _status,
            "HassIncreaseTimer": _increase, "HassDecreaseTimer": _decrease,
            "HassPauseTimer": _pause, "HassUnpauseTimer": _resume}

    @property
    def intents(self) -> frozenset[str]:
        """Names of the intents it handles."""
        return frozenset(self._handlers)

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Change or tell timers."""
        return self._handlers[intent.name](intent, turn)


def _seconds(intent: Intent) -> float:
    return (intent.number("hours") * 3600 + intent.number("minutes") * 60
            + intent.number("seconds"))


def _titled(name: str) -> str:
    return f"{name} timer" if name else "timer"


def _label(timer: Timer) -> str:
    return _titled(timer.name)


def _name_for(seconds: float, turn: Turn) -> str:
    """A name for a timer that was given none: its length, so that people can tell timers apart."""
    base = " ".join(part.removesuffix("s") for part in span(seconds).split() if part != "and")
    taken = {timer.name for timer in turn.timers.find()}
    names = (base, *(f"{ordinal} {base}" for ordinal in ORDINALS[1:]))
    return next((name for name in names if name not in taken), base)


def _start(intent: Intent, turn: Turn) -> Act:
    name, seconds = intent.text("name"), _seconds(intent)
    if seconds <= 0:
        return _ask_span(name)
    if seconds > _LONGEST:
        return Act("HassStartTimer", "start a timer", "A timer can run for two days at most.")
    return Act("HassStartTimer", f"start {_titled(name)}: {span(seconds)}",
               f"{_titled(name).capitalize()} set for {span(seconds)}.",
               (StartTimer(seconds, name or _name_for(seconds, turn)),))


def _ask_span(name: str) -> Act:
    def free(text: str, turn: Turn) -> Act | None:
        seconds = _span_of(text)
        if not seconds:
            return None
        return _start(Intent("HassStartTimer", {"name": name, "seconds": seconds}), turn)

    prompt = "For how long?"
    return Act("HassStartTimer", f"start {_titled(name)}: how long?", prompt,
               question=Question("HassStartTimer", prompt, Expectation.NUMBER, free=free))


def _span_of(text: str) -> float:
    """Seconds of a bare span such as "five minutes"; a bare number means minutes."""
    from agent.dialogue.templates import commands

    said = canonical(text).removeprefix("for ")
    if said.replace(".", "", 1).isdecimal():
        said = f"{said} minutes"
    intent = best(f"timer for {said}", commands(), {})
    return _seconds(intent) if intent and intent.name == "HassStartTimer" else 0.0


def _chosen(intent: Intent, turn: Turn, verb: str,
            act: Callable[[Timer], Act]) -> Act:
    """Do ``act`` with the timer that is meant, or ask which."""
    name = intent.text("name")
    found = turn.timers.find(name)
    if not found:
        missing = f"There is no {_titled(name)}." if name else "No timer is running."
        return Act(intent.name, f"{verb} {_titled(name)}", missing)
    if len(found) == 1:
        return act(found[0])
    options = tuple(Option(_label(timer), timer) for timer in found)
    prompt = f"Which one: {listed([option.text for option in options], 'or')}?"
    return which(intent.name, f"{verb} which timer", prompt, options,
                 lambda option, _: act(option.value))


def _cancel(intent: Intent, turn: Turn) -> Act:
    if turn.timers.ringing and not intent.text("name"):
        return Act("HassCancelTimer", "stop the timer", directives=(StopTimer(ringing=True),))
    return _chosen(intent, turn, "cancel", lambda timer: Act(
        "HassCancelTimer", f"cancel {_label(timer)}", f"{_label(timer).capitalize()} cancelled.",
        (StopTimer(timer.name),)))


def _cancel_all(intent: Intent, turn: Turn) -> Act:
    count = len(turn.timers.find())
    if not count:
        return Act("HassCancelAllTimers", "cancel all timers", "No timer is running.")
    return Act("HassCancelAllTimers", "cancel all timers",
               f"{counted(count, 'timer').capitalize()} cancelled.", (StopTimer(),))


def _status(intent: Intent, turn: Turn) -> Act:
    name = intent.text("name")
    found = turn.timers.find(name)
    summary = f"how long is left on the {_titled(name)}"
    if not found:
        missing = f"There is no {_titled(name)}." if name else "No timer is running."
        return Act("HassTimerStatus", summary, missing)
    if len(found) == 1:
        return Act("HassTimerStatus", summary, f"{_left(found[0], turn.at).capitalize()}.")
    told = listed([f"the {_label(timer)} has {_left(timer, turn.at)}" for timer in found], "and")
    return Act("HassTimerStatus", summary, f"{told[0].upper()}{told[1:]}.")


def _left(timer: Timer, at: float) -> str:
    if timer.ringing:
        return "no time left"
    paused = ", paused" if timer.paused_left is not None else ""
    return f"{span(timer.left(at))} left{paused}"


def _change(intent: Intent, turn: Turn, verb: str, directive: Callable[[Timer], Directive],
            speech: Callable[[Timer], str]) -> Act:
    return _chosen(intent, turn, verb, lambda timer: Act(
        intent.name, f"{verb} {_label(timer)}", speech(timer), (directive(timer),)))


def _increase(intent: Intent, turn: Turn) -> Act:
    seconds = _seconds(intent)
    return _change(intent, turn, f"add {span(seconds)} to",
                   lambda timer: ChangeTimer(timer.name, seconds),
                   lambda timer: f"{span(seconds)} added.".capitalize())


def _decrease(intent: Intent, turn: Turn) -> Act:
    seconds = _seconds(intent)
    return _change(intent, turn, f"take {span(seconds)} off",
                   lambda timer: ChangeTimer(timer.name, -seconds),
                   lambda timer: f"{span(seconds)} taken off.".capitalize())


def _pause(intent: Intent, turn: Turn) -> Act:
    return _change(intent, turn, "pause", lambda timer: ChangeTimer(timer.name, paused=True),
                   lambda timer: f"{_label(timer).capitalize()} paused.")


def _resume(intent: Intent, turn: Turn) -> Act:
    return _change(intent, turn, "resume", lambda timer: ChangeTimer(timer.name, paused=False),
                   lambda timer: f"{_label(timer).capitalize()} goes on.")

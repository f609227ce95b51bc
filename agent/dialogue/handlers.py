"""Carries out directives: timers and lists here, calls and devices by the user's own programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.dialogue import programs
from agent.dialogue.lists import Lists
from agent.dialogue.settings import CommandSettings
from agent.dialogue.timers import Timers
from agent.dialogue.wording import sentence
from agent.errors import AgentError
from agent.events import (
    ChangeList,
    ChangeTimer,
    Directive,
    Display,
    PlaceCall,
    SetDevice,
    ShowDirections,
    StartTimer,
    StopTimer,
)

QUESTIONS = frozenset({"HassGetState", "HassGetWeather", "HassClimateGetTemperature"})
"""Intents that ask: what the program prints is the answer."""

_MAX_ANSWER = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a directive."""

    ok: bool = True
    speech: str = field(default="", repr=False)
    """What to say about it; empty when the reply has said it all."""
    problem: str = ""
    """What failed, for the log; holds nothing that was said."""


class Handlers:
    """Carries out directives; a failure is told and never breaks the turn.

    Args:
        commands: The programs that are configured.
        timers: The timers, shared with the dialogue, which only reads them.
        lists: The lists, shared likewise.
        ring: Called with the names of the timers that ring, whenever that changes: play a sound
            until it is called with an empty tuple.

    Raises:
        AgentError: A program's setting has an unknown placeholder.
    """

    def __init__(self, commands: CommandSettings, timers: Timers, lists: Lists,
                 ring: Callable[[tuple[str, ...]], None]) -> None:
        programs.check("commands.call", commands.call, ("contact", "number"))
        programs.check("commands.directions", commands.directions, ("place", "address"))
        programs.check("commands.display", commands.display, ("title", "json"))
        self._commands, self._timers, self._lists = commands, timers, lists
        self._ring = ring
        self._rung: tuple[str, ...] = ()

    @property
    def unconfigured(self) -> tuple[type[Directive], ...]:
        """Directives that no program is configured for, for ``Dialogue(unconfigured=…)``."""
        missing: list[type[Directive]] = []
        if not self._commands.call:
            missing.append(PlaceCall)
        if not self._commands.home:
            missing.append(SetDevice)
        return tuple(missing)

    def tick(self) -> None:
        """Let timers that are due ring; call this several times a second."""
        self._timers.ring()
        ringing = self._timers.ringing
        if ringing != self._rung:
            self._rung = ringing
            self._ring(ringing)

    def stop_ringing(self) -> bool:
        """Stop the timers that ring; whether any did."""
        stopped = self._timers.stop_ringing() > 0
        self.tick()
        return stopped

    async def handle(self, directive: Directive) -> Outcome:
        """Carry out a directive; those that are not for handlers (``Speak`` …) do nothing."""
        match directive:
            case StartTimer() | StopTimer() | ChangeTimer():
                self._timer(directive)
                return Outcome()
            case ChangeList():
                return self._list(directive)
            case PlaceCall():
                return await self._call(directive)
            case SetDevice():
                return await self._home(directive)
            case ShowDirections():
                return await self._directions(directive)
            case Display() if self._commands.display:
                shown = json.dumps(list(directive.items), ensure_ascii=False)
                return _outcome(await self._run(self._commands.display, {
                    "title": directive.title, "json": shown}), "I could not show the list")
        return Outcome()

    def _timer(self, directive: Directive) -> None:
        match directive:
            case StartTimer(seconds=seconds, name=name):
                self._timers.start(seconds, name)
            case StopTimer(ringing=True):
                self._timers.stop_ringing()
            case StopTimer(name=name):
                self._timers.stop(name)
            case ChangeTimer(name=name, add_seconds=seconds, paused=paused):
                self._timers.change(name, seconds, paused)
        self.tick()

    def _list(self, change: ChangeList) -> Outcome:
        try:
            if change.action == "add":
                self._lists.add(change.name, change.item)
            else:
                self._lists.remove(change.name, change.item if change.action == "remove" else "")
        except AgentError as error:
            return Outcome(False, "But I could not save the list.", error.what)
        return Outcome()

    async def _call(self, call: PlaceCall) -> Outcome:
        if not self._commands.call:
            return Outcome(False, f"I would call {call.contact}, but no telephone is configured. "
                                  "Set commands dot call in the settings.",
                           "commands.call is not set")
        values = {"contact": call.contact, "number": call.number}
        return _outcome(await self._run(self._commands.call, values),
                        f"I could not call {call.contact}")

    async def _home(self, wish: SetDevice) -> Outcome:
        if not self._commands.home:
            return Outcome(False, "No home is connected. Set commands dot home in the settings.",
                           "commands.home is not set")
        slots = dict(wish.slots)
        values = {name: str(value) for name, value in slots.items()}
        document = {"intent": wish.intent, "slots": slots}
        values |= {"intent": wish.intent, "json": json.dumps(document, ensure_ascii=False)}
        result = await self._run(self._commands.home, values, document)
        if wish.intent in QUESTIONS and not result.problem:
            answer = " ".join(result.output.split())[:_MAX_ANSWER]
            return Outcome(bool(answer), sentence(answer) or "I got no answer.")
        return _outcome(result, "That did not work")

    async def _directions(self, wish: ShowDirections) -> Outcome:
        if not self._commands.directions:
            return Outcome(False, "No navigation is configured.", "commands.directions is not set")
        values = {"place": wish.place, "address": wish.address}
        return _outcome(await self._run(self._commands.directions, values),
                        "I could not show the way")

    async def _run(self, arguments: tuple[str, ...], values: dict[str, str],
                   document: Mapping[str, object] | None = None) -> programs.Result:
        payload = None
        if self._commands.json_input:
            payload = json.dumps(document or values).encode()
        return await programs.run(programs.fill(arguments, values), payload,
                                  self._commands.timeout)


def _outcome(result: programs.Result, failure: str) -> Outcome:
    if not result.problem:
        return Outcome()
    return Outcome(False, f"Sorry. {failure}: {result.problem}.", result.problem)

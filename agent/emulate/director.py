"""Carrying out a scene's steps on the room's clock, and judging what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from agent.audio.files import read
from agent.emulate.room import Room
from agent.emulate.scene import Expected, Step
from agent.events import (
    AgentState,
    ButtonKind,
    ButtonPressed,
    DirectiveIssued,
    Event,
    EventBus,
    MuteChanged,
    StateChanged,
    Understood,
)


class Director:
    """Steps through a scene, once before each frame of the room.

    Raises:
        AgentError: A recording cannot be read.
    """

    def __init__(self, room: Room, steps: Sequence[Step], bus: EventBus) -> None:
        self._room, self._bus = room, bus
        self._steps = list(steps)
        self._clips = {step.play: read(step.play) for step in steps if step.play is not None}
        self._current: Step | None = None
        self._began = 0.0
        self._states = [AgentState.IDLE]
        """What the agent has been in since the last step that was no ``until``, in order."""
        self.failure: str | None = None
        """What the scene waited for in vain."""
        bus.subscribe(self._follow)
        room.direct = self.direct

    def direct(self) -> None:
        """Go on as far as the scene can at this moment."""
        while self.failure is None:
            if self._current is not None and not self._done(self._current):
                return
            if not self._steps:
                self._room.end()
                return
            self._begin(self._steps.pop(0))
        self._room.end()

    def _begin(self, step: Step) -> None:
        # Steps that wait, one after another, follow the agent's states in order, however quickly
        # these pass; any other step looks forward from where the agent is.
        if step.until is None or (self._current is not None and self._current.until is None):
            del self._states[:-1]
        self._current, self._began = step, self._room.now
        if step.play is not None:
            self._room.say(self._clips[step.play])
        elif step.press is not None:
            self._bus.publish(ButtonPressed(self._room.now, ButtonKind(step.press)))
        elif step.mute is not None:
            self._bus.publish(MuteChanged(self._room.now, step.mute))

    def _done(self, step: Step) -> bool:
        waited = self._room.now - self._began
        if step.play is not None:
            return not self._room.talking
        if step.pause is not None:
            return waited >= step.pause
        if step.until is None:
            return True
        if (state := AgentState(step.until)) in self._states:
            del self._states[:self._states.index(state)]
            return True
        if waited >= step.within:
            self.failure = (f"the agent was not {step.until} within {step.within:g} s; "
                            f"it is {self._states[-1]}")
        return False

    def _follow(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self._states.append(event.state)


def judge(expected: Expected, happened: Sequence[Event]) -> list[str]:
    """What is not as expected, a sentence each; empty when all is."""
    names = [type(event).__name__ for event in happened]
    directives = [type(e.directive).__name__ for e in happened if isinstance(e, DirectiveIssued)]
    understood = [e.summary for e in happened if isinstance(e, Understood)]
    problems: list[str] = []
    if expected.understood is not None and list(expected.understood) != understood:
        problems.append(f"understood {_quoted(understood)}, "
                        f"expected {_quoted(expected.understood)}")
    if (missing := _first_missing(expected.directives, directives)) is not None:
        problems.append(f"{missing} was not issued in its turn: {', '.join(directives) or 'none'}")
    if (missing := _first_missing(expected.events, names)) is not None:
        problems.append(f"{missing} did not happen in its turn")
    problems += [f"{name} happened" for name in expected.never if name in {*names, *directives}]
    return problems


def _first_missing(wanted: Iterable[str], had: Iterable[str]) -> str | None:
    """The first of ``wanted`` that does not follow the ones before it in ``had``."""
    rest = iter(had)
    return next((name for name in wanted if name not in rest), None)


def _quoted(texts: Iterable[str]) -> str:
    return "; ".join(f"“{text}”" for text in texts) or "nothing"



"""A scene's steps follow the agent's states, however quickly these pass."""

from __future__ import annotations

import pytest

from agent.emulate.director import Director
from agent.emulate.room import Room
from agent.emulate.scene import Step
from agent.events import AgentState, EventBus, StateChanged
from agent.worker import Workload


def directed(*steps: Step) -> tuple[Director, EventBus]:
    bus = EventBus()
    return Director(Room(workload=Workload()), steps, bus), bus


def enter(bus: EventBus, *states: AgentState) -> None:
    for state in states:
        bus.publish(StateChanged(0.0, state))


def left(director: Director) -> int:
    return len(director._steps)


def test_a_state_that_passes_between_two_frames_is_seen() -> None:
    director, bus = directed(Step(until="muted"), Step(until="idle"), Step(until="listening"))
    enter(bus, AgentState.MUTED, AgentState.IDLE)
    director.direct()
    assert left(director) == 0, "waits for the last step's state"
    enter(bus, AgentState.LISTENING, AgentState.IDLE)
    director.direct()
    assert director.failure is None


def test_waiting_steps_take_states_in_order() -> None:
    director, bus = directed(Step(until="speaking"), Step(until="listening"),
                             Step(until="muted"))
    enter(bus, AgentState.LISTENING, AgentState.SPEAKING)
    director.direct()
    assert left(director) == 1, "the listening before the speaking does not count"
    enter(bus, AgentState.LISTENING)
    director.direct()
    assert left(director) == 0


@pytest.mark.parametrize("doing", [Step(pause=0.0), Step(press="press"), Step(mute=True)])
def test_what_was_before_a_step_that_acts_does_not_count_after_it(doing: Step) -> None:
    director, bus = directed(Step(until="thinking"), doing, Step(until="listening"),
                             Step(until="muted"))
    enter(bus, AgentState.LISTENING, AgentState.THINKING, AgentState.SPEAKING)
    director.direct()
    assert left(director) == 1
    enter(bus, AgentState.LISTENING)
    director.direct()
    assert left(director) == 0

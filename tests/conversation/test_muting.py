"""Muted at each step of a turn: the real agent and engines, and every frame they are given counted.

The mute comes as a board's does: on the event loop, between two steps of whatever is going on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from agent.events import (
    AgentState,
    DialogueClosed,
    Event,
    MuteChanged,
    ReplyEnded,
    ReplyStarted,
    SpeechStarted,
    StateChanged,
    WakeHeard,
)
from tests.conversation.playing import Consumers, Play


@dataclass(frozen=True)
class Step:
    """A step of a turn, and how it is known to be under way."""

    says: tuple[str, ...]
    begins: Callable[[Event], bool] | str
    """What is published then, or the call by which a worker begins it."""
    times: int = 1
    """At which of these events."""
    frames: int = 0
    """Frames after it; 0 is at once."""


def is_state(state: AgentState) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, StateChanged) and event.state is state


def is_a(kind: type[Event]) -> Callable[[Event], bool]:
    return lambda event: isinstance(event, kind)


MEG, ANSWERED = ("call-meg",), ("call-meg", "bauer")
STEPS = {
    "idle": Step(MEG, is_state(AgentState.IDLE), frames=10),
    "in the middle of the wake word": Step(MEG, is_state(AgentState.IDLE), frames=45),
    "wake": Step(MEG, is_a(WakeHeard)),
    "listening, before speech": Step(("wake",), is_state(AgentState.LISTENING), frames=12),
    "in the middle of the command": Step(MEG, is_a(SpeechStarted), frames=8),
    "thinking, at once": Step(MEG, is_state(AgentState.THINKING)),
    "thinking, decoding": Step(MEG, "recogniser.finish"),
    "speech being made": Step(MEG, is_state(AgentState.SPEAKING)),
    "speaking": Step(MEG, is_a(ReplyStarted), frames=30),
    "guard time": Step(MEG, is_a(ReplyEnded), frames=2),
    "follow-up opens": Step(MEG, is_state(AgentState.FOLLOW_UP)),
    "follow-up open": Step(MEG, is_state(AgentState.FOLLOW_UP), frames=20),
    "in the middle of the answer": Step(ANSWERED, is_a(SpeechStarted), 2, frames=5),
    "echo check of the answer": Step(ANSWERED, "EchoGuard.check"),
}


class Muting:
    """Mutes when a step is under way, and notes what came after."""

    def __init__(self, play: Play, step: Step, hardware: bool) -> None:
        self._play, self._step, self._hardware = play, step, hardware
        self._seen = 0
        self._frames: int | None = None
        self._loop: asyncio.AbstractEventLoop
        self.at_clock = 0.0
        self.calls = -1
        """Calls before the mute."""
        self.at = -1
        """Events before it."""
        play.bus.subscribe(self._follow)
        play.consumers.watch = self._watch

    def script(self) -> Iterator[None]:
        """Say what the step needs, mute, talk to the muted agent, unmute, and talk again."""
        self._loop = asyncio.get_running_loop()
        play = self._play
        for name in self._step.says:
            if name == "bauer":
                yield from self._counting(play.until(
                    lambda: AgentState.FOLLOW_UP in play.states(0)))
            play.say(name)
        yield from self._counting(play.until(lambda: self.calls >= 0))
        talking = play.room.now
        play.say("call-meg")
        yield from play.until(lambda: not play.room.talking)
        yield from play.pause(1.0)
        assert play.room.now - talking > 2.0
        assert self._processed() == [], "audio was processed after the mute"
        assert set(play.states(self.at)) == {AgentState.MUTED}
        self._check_wiped()
        yield from self._unmute()

    def _unmute(self) -> Iterator[None]:
        play = self._play
        unmuted = len(play.events)
        play.bus.publish(MuteChanged(play.room.now, False, self._hardware))
        yield from play.pause(1.5)
        assert play.states(unmuted) == [AgentState.IDLE], "it asks for a new wake word"
        play.say("call-meg")
        calls, before = play.consumers.calls, len(play.consumers.calls)
        yield from play.until(lambda: "recogniser.accept" in calls[before:])
        assert {"ScoredWakeWord.accept", "SileroVad.probability"} <= set(calls[before:])
        assert len(play.all(WakeHeard, unmuted)) == 1

    def _processed(self) -> list[str]:
        """Calls after the mute; a worker may have been about to make the next of its own."""
        calls = self._play.consumers.calls[self.calls:]
        return calls[1:] if self._step.begins == "EchoGuard.check" else calls

    def _check_wiped(self) -> None:
        play = self._play
        (ears,) = play.consumers.ears
        assert len(ears.recent) == 0
        assert not ears.recent.between(0.0, play.room.now).any()
        played = play.room.speaker.played
        assert not played.between(0.0, self.at_clock).any()
        assert played.last < self.at_clock + 0.1, "silenced at once"
        assert play.room.speaker.pending == 0
        opened, closed = len(play.all(WakeHeard)), len(play.all(DialogueClosed))
        assert opened == closed, "the turn was closed"

    def _counting(self, steps: Iterator[None]) -> Iterator[None]:
        """Count down the frames to the mute."""
        for _ in steps:
            if self._frames is not None:
                self._frames -= 1
                if self._frames <= 0:
                    self._frames = None
                    self._soon()
            yield

    def _follow(self, event: Event) -> None:
        if callable(self._step.begins) and self._step.begins(event):
            self._seen += 1
            if self._seen == self._step.times:
                if self._step.frames:
                    self._frames = self._step.frames
                else:
                    self._soon()

    def _watch(self, name: str) -> None:
        if name == self._step.begins and self._seen == 0:
            self._seen = 1
            self._loop.call_soon_threadsafe(self._mute)

    def _soon(self) -> None:
        self._loop.call_soon(self._mute)

    def _mute(self) -> None:
        self.at_clock = self._play.room.now
        self.calls, self.at = len(self._play.consumers.calls), len(self._play.events)
        self._play.bus.publish(MuteChanged(self._play.room.now, True, self._hardware))


@pytest.fixture
def whole_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No thread loses the interpreter between beginning with audio and counting that."""
    before = sys.getswitchinterval()
    monkeypatch.setattr("agent.running.SWITCH", 2.0)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("whole_steps")
@pytest.mark.parametrize("name", STEPS)
def test_no_frame_is_processed_after_the_mute(name: str, consumers: Consumers,
                                              tmp_path: Path) -> None:
    play = Play(consumers, tmp_path)
    asyncio.run(play.hold(Muting(play, STEPS[name], hardware=len(name) % 2 == 0).script()))

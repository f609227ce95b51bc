"""A part that fails ends its turn, is told of without what was said, and the agent listens on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import agent.dialogue.handlers
import agent.dialogue.manager
from agent.emulate.runner import Outcome
from agent.errors import AgentError
from agent.events import (
    DialogueClosed,
    DirectiveIssued,
    Fault,
    Recognised,
    ReplyEnded,
    ReplyStarted,
    Speak,
    StartTimer,
)
from tests.conversation.faulty import SECRET, held, with_failing

TIMER = ("pause = 0.3", "timer", 'until = "idle"')


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


def faults(outcome: Outcome) -> list[Fault]:
    found = [event for event in outcome.events if isinstance(event, Fault)]
    assert not any(SECRET in fault.message.lower() for fault in found)
    return found


def kinds(outcome: Outcome) -> list[type]:
    return [type(event) for event in outcome.events]


def started(outcome: Outcome) -> int:
    return sum(isinstance(e, DirectiveIssued) and isinstance(e.directive, StartTimer)
               for e in outcome.events)


@pytest.mark.parametrize("method", ["start", "accept", "finish", "decide"])
def test_a_recogniser_that_fails_is_apologised_for_and_tried_again(
        method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_failing(monkeypatch, "open_recogniser", method, times=1)
    outcome = held(tmp_path, *TIMER, *TIMER)
    assert outcome.problems == ()
    assert [(f.part, f.message) for f in faults(outcome)] == [("dialogue", "ValueError")]
    first_end = kinds(outcome).index(DialogueClosed)
    assert ReplyStarted in kinds(outcome)[first_end:], "an apology is spoken"
    assert started(outcome) == 1, "the second turn is as any other"


def test_a_recogniser_that_always_fails_is_apologised_for_at_every_turn(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_failing(monkeypatch, "open_recogniser", "decide", times=99, error=RuntimeError)
    outcome = held(tmp_path, *TIMER, *TIMER)
    assert [f.message for f in faults(outcome)] == ["RuntimeError", "RuntimeError"]
    assert kinds(outcome).count(ReplyEnded) == 2
    assert started(outcome) == 0


def test_an_error_that_can_be_mended_says_what_it_is(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class DamagedModelError(AgentError):
        def __init__(self, message: str) -> None:
            super().__init__("the model is damaged")

    with_failing(monkeypatch, "open_recogniser", "finish", times=1, error=DamagedModelError)
    outcome = held(tmp_path, *TIMER)
    assert [f.message for f in faults(outcome)] == ["the model is damaged"]


def test_context_that_cannot_be_made_ready_leaves_recognition_plain(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_failing(monkeypatch, "open_recogniser", "prepare", times=99)
    outcome = held(tmp_path, *TIMER)
    assert {f.part for f in faults(outcome)} == {"context"}
    recognised = [e for e in outcome.events if isinstance(e, Recognised)]
    assert [e.decision for e in recognised] == ["plain"]


def test_a_dialogue_that_fails_is_apologised_for(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, left = agent.dialogue.manager.Dialogue.respond, [1]

    def respond(self: object, heard: object) -> object:
        if left[0]:
            left[0] -= 1
            raise KeyError(SECRET)
        return real(self, heard)  # type: ignore[arg-type]

    monkeypatch.setattr(agent.dialogue.manager.Dialogue, "respond", respond)
    outcome = held(tmp_path, *TIMER, *TIMER)
    assert [f.message for f in faults(outcome)] == ["KeyError"]
    assert started(outcome) == 1


def test_a_handler_that_fails_does_not_end_the_agent(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def handle(self: object, directive: object) -> object:
        raise OSError(SECRET)

    monkeypatch.setattr(agent.dialogue.handlers.Handlers, "handle", handle)
    outcome = held(tmp_path, *TIMER, *TIMER)
    assert [f.message for f in faults(outcome)] == ["OSError", "OSError"]
    assert kinds(outcome).count(DialogueClosed) == 2


@pytest.mark.parametrize("error", [AgentError, RuntimeError])
def test_without_a_voice_what_was_asked_is_done_all_the_same(
        error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class NoVoiceError(error):  # type: ignore[misc, valid-type]
        def __init__(self, message: str) -> None:
            super().__init__("no voice")

    with_failing(monkeypatch, "open_synthesiser", "speak", times=99, error=NoVoiceError)
    outcome = held(tmp_path, *TIMER)
    assert {f.part for f in faults(outcome)} == {"speech out"}
    assert any(isinstance(e, DirectiveIssued) and isinstance(e.directive, Speak)
               for e in outcome.events)
    assert started(outcome) == 1


def test_a_wake_word_engine_that_fails_is_begun_anew(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_failing(monkeypatch, "open_wake_word", "accept", times=10)
    outcome = held(tmp_path, *TIMER)
    assert [(f.part, f.message) for f in faults(outcome)] == [("wake word", "ValueError")]
    assert started(outcome) == 1

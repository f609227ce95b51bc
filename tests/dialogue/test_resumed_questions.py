"""A question that one device left open is answered at another, from the turns that were stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.dialogue import Reply
from agent.dialogue.resuming import Round, resume
from agent.events import Expectation, ExpectSpeech, PlaceCall, Speak
from tests.dialogue.conftest import Conversation

MEG = Round("call Meg", "Meg Jones or Meg Bauer?")


def spoken(reply: Reply) -> str:
    return "\n".join(d.text for d in reply.directives if isinstance(d, Speak))


def done(reply: Reply, kind: type) -> bool:
    return any(isinstance(d, kind) for d in reply.directives)


@pytest.fixture
def kitchen(converse: Callable[..., Conversation]) -> Conversation:
    return converse()


@pytest.fixture
def hall(converse: Callable[..., Conversation]) -> Conversation:
    return converse()


def asked(kitchen: Conversation, *said: str) -> list[Round]:
    return [Round(text, spoken(kitchen.say(text))) for text in said]


def test_the_answer_to_another_devices_question_is_understood(kitchen: Conversation,
                                                              hall: Conversation) -> None:
    question = resume(hall.dialogue, asked(kitchen, "call Meg"))
    assert question is not None
    assert question.expectation is Expectation.NAME
    assert question.alternatives == ("Meg Jones", "Meg Bauer")
    reply = hall.say("Bauer", after_wake=True)
    assert reply.resumed
    assert next(d for d in reply.directives if isinstance(d, PlaceCall)).contact == "Meg Bauer"


@pytest.mark.parametrize("said", ["call Meg", "find a coffee shop", "set a timer", "call Sam",
                                  "call someone"])
def test_every_kind_of_question_comes_out_the_same_when_played_again(
        said: str, kitchen: Conversation, hall: Conversation) -> None:
    rounds = asked(kitchen, said)
    assert resume(hall.dialogue, rounds) == kitchen.expects


def test_a_command_leaves_the_question_to_who_was_asked(kitchen: Conversation,
                                                        hall: Conversation) -> None:
    resume(hall.dialogue, asked(kitchen, "call Meg"))
    reply = hall.say("what time is it", after_wake=True)
    assert not reply.resumed
    assert reply.closed


def test_what_is_hardly_an_answer_is_none(kitchen: Conversation, hall: Conversation) -> None:
    resume(hall.dialogue, asked(kitchen, "call Meg"))
    reply = hall.say("blower", after_wake=True)
    assert not reply.resumed
    assert not done(reply, PlaceCall)
    assert "Meg" not in spoken(reply)


@pytest.mark.parametrize("rounds", [
    [Round("call Meg", "Meg Jones, Meg Bauer or Meg Ryan?")],  # with other contacts
    [Round("call Tom", "Calling Tom.")],
    [Round("", "Sorry, what was that?")],
    [],
])
def test_what_comes_out_otherwise_is_not_taken_up(hall: Conversation,
                                                  rounds: list[Round]) -> None:
    before = hall.dialogue.state.speech
    assert resume(hall.dialogue, rounds) is None
    assert hall.dialogue.state.question is None
    assert hall.dialogue.state.speech == before
    assert not hall.say("Bauer", after_wake=True).resumed


def test_an_uncertain_turn_is_played_again_as_uncertain(kitchen: Conversation,
                                                        hall: Conversation) -> None:
    reply = kitchen.say("call Meg Bauer", unsure=True)
    assert any(isinstance(d, ExpectSpeech) for d in reply.directives), "asks before it calls"
    assert resume(hall.dialogue, [Round("call Meg Bauer", spoken(reply))]) is not None
    assert done(hall.say("yes", after_wake=True), PlaceCall)


def test_playing_again_carries_nothing_out(kitchen: Conversation, hall: Conversation) -> None:
    rounds = asked(kitchen, "call Meg", "Bauer")
    assert resume(hall.dialogue, rounds) is None, "that dialogue is over"
    assert not hall.timers.find()

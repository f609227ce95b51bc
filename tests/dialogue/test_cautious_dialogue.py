"""When the dialogue asks to be sure, further hypotheses, and that no text breaks it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.dialogue import Dialogue, Heard
from agent.dialogue.catalogue import (
    Area,
    Catalogue,
    CatalogueFiles,
    Contact,
    ContactBook,
    Device,
    Home,
    PhoneNumber,
    Place,
    Places,
)
from agent.events import Expectation, ExpectSpeech, PlaceCall, SetDevice, Speak


def test_a_call_is_always_confirmed_where_the_settings_say_so(converse: Any) -> None:
    talk = converse(confirm="always")
    talk.say("call Sofia")
    assert talk.expects.expectation is Expectation.YES_NO
    assert talk.done == []
    talk.say("yes")
    assert [type(d) for d in talk.done] == [PlaceCall]


def test_nothing_is_confirmed_where_the_settings_say_never(converse: Any) -> None:
    talk = converse(confirm="never")
    talk.say("call Sofia", unsure=True)
    assert [type(d) for d in talk.done] == [PlaceCall]


def test_a_further_hypothesis_is_understood_but_confirmed(converse: Any) -> None:
    talk = converse()
    talk.say("coal so fear", "call Sofia")
    assert talk.speech == "Call Sofia Moretti?"
    assert talk.done == []


def test_a_further_hypothesis_answers_the_question_but_is_confirmed(converse: Any) -> None:
    talk = converse()
    talk.say("call Meg")
    talk.say("power", "bower", "Bauer")
    assert talk.speech == "Call Meg Bauer?"


def test_the_first_hypothesis_counts_most(converse: Any) -> None:
    talk = converse()
    talk.say("call Meg")
    talk.say("Jones", "Bauer")
    assert talk.done[0].contact == "Meg Jones"


def test_a_narrow_yes_that_may_be_a_no_is_asked_again(converse: Any) -> None:
    talk = converse()
    talk.say("unlock the front door", unsure=True)
    talk.say("yes", "no", unsure=True)
    assert talk.done == []
    assert talk.expects.expectation is Expectation.YES_NO
    talk.say("yes")
    assert [type(d) for d in talk.done] == [SetDevice]


def test_an_answer_nearly_right_is_confirmed(converse: Any) -> None:
    talk = converse()
    talk.say("call Daniel")
    talk.say("Novack")
    assert talk.speech == "Call Daniel Novak?"


def test_the_agents_own_question_is_no_answer(converse: Any) -> None:
    talk = converse()
    talk.say("call Meg")
    talk.say("Meg Jones or Meg Bauer?")
    assert talk.done == []
    assert talk.expects.alternatives == ("Meg Jones", "Meg Bauer")


@pytest.mark.parametrize("echo", ["Call Sofia Moretti?", "call sofia moretti", "Sofia Moretti."])
def test_the_agents_own_confirmation_confirms_nothing(echo: str, converse: Any) -> None:
    talk = converse(confirm="always")
    talk.say("call Sofia")
    assert talk.speech == "Call Sofia Moretti?"
    talk.say(echo)
    assert talk.done == []
    assert talk.expects.expectation is Expectation.YES_NO


def test_the_room_of_the_agent_is_what_the_lights_means(converse: Any) -> None:
    talk = converse(here="Kitchen")
    talk.say("turn on the lights")
    assert dict(talk.done[0].slots) == {"domain": "light", "area": "Kitchen"}


def test_the_light_of_the_agents_room_is_meant(converse: Any) -> None:
    talk = converse(here="Bedroom")
    talk.say("turn on the light")
    assert talk.reply.summary == "turn on Bedroom Light"


def test_places_told_in_an_earlier_dialogue_help(converse: Any, samples: Catalogue) -> None:
    first = converse()
    first.say("find coffee shops")
    carried = first.dialogue.carried
    assert carried == ("Blue Door Café", "Bean and Leaf", "Roast Republic")
    later = converse()
    later.dialogue.recall(carried)
    later.say("directions to the second one")
    assert later.done[0].place == "Bean and Leaf"


def test_what_is_carried_over_expires(converse: Any) -> None:
    talk = converse(carry_over=30.0)
    talk.say("find coffee shops")
    talk.dialogue.close()
    talk.wait(31)
    assert talk.dialogue.carried == ()


def test_the_state_tells_the_running_skill(converse: Any) -> None:
    talk = converse()
    talk.say("call Meg")
    assert talk.dialogue.state.skill == "call"
    talk.say("Bauer")
    assert talk.dialogue.state.skill == ""
    talk.say("find coffee shops")
    assert talk.dialogue.state.skill == "places"
    assert talk.dialogue.state.screen.kind == "coffee shop"


def test_a_changed_catalogue_is_used_at_once(converse: Any, samples: Catalogue) -> None:
    talk = converse()
    talk.say("call Zelda")
    assert talk.done == []
    talk.dialogue.close()
    book = ContactBook([Contact("Zelda Quist", "Zelda", "Quist", (), (PhoneNumber("1"),))])
    talk.dialogue.use(Catalogue(book, samples.home, samples.places))
    talk.say("call Zelda", after_wake=True)
    assert talk.done[0].contact == "Zelda Quist"


def test_nothing_is_announced_that_no_program_will_do(samples: Catalogue) -> None:
    dialogue = Dialogue(samples, unconfigured=(PlaceCall, SetDevice))
    for text in ("call Sofia", "turn on the kitchen light"):
        reply = dialogue.respond(Heard(text))
        assert not any(isinstance(d, Speak) for d in reply.directives)
        assert len(reply.directives) == 1


def test_speaking_is_followed_at_once_by_expecting(converse: Any) -> None:
    talk = converse()
    for text in ("call Meg", "find restaurants", "gloop"):
        talk.dialogue.close()
        talk.say(text, after_wake=True)
        kinds = [type(d) for d in talk.reply.directives]
        assert kinds[-2:] == [Speak, ExpectSpeech]
        assert talk.reply.closed is False


def test_representations_show_nothing_that_was_said_or_named(converse: Any) -> None:
    talk = converse()
    talk.say("call Meg")
    shown = repr(talk.dialogue.state) + repr(talk.reply) + repr(Heard("call Meg", ("call Mac",)))
    for secret in ("Meg", "Bauer", "Mac"):
        assert secret not in shown


NASTY = Catalogue(
    ContactBook([Contact("“Meg” (work) [x]", "“Meg”", "{y}", ("<z>",), (PhoneNumber("1"),)),
                 Contact("🎉", "🎉", ""), Contact("The", "The", ""),
                 Contact("Никита Иванов", "Никита", "Иванов", (), (PhoneNumber("2"),)),
                 Contact("No", "No", "", (), (PhoneNumber("3"),))]),
    Home((Area("Room|1"),), (Device("Light {name}", "light", "Room|1"), Device("on", "switch"),
                             Device("<rule>", "lock"))),
    Places((Place("The", "the"), Place("[a|b]", "(kind"))))


@pytest.mark.parametrize("text", ["call “Meg” (work) [x]", "call Никита", "call No",
                                  "turn on light {name}", "unlock the <rule>",
                                  "directions to [a|b]"])
def test_names_with_template_signs_are_only_names(text: str) -> None:
    reply = Dialogue(NASTY).respond(Heard(text))
    assert reply.intent != "Unknown"
    assert len(reply.directives) == 2


WORDS = ("call phone meg jones bauer the second one no yes other not turn on off set light kitchen "
         "bedroom timer for five minutes percent to 50 find coffee shops directions take me there "
         "add milk shopping list what is locked front door stop cancel spell b a u e r as in boy "
         "never mind i meant said and or repeat that weather is it {contact} <rule> [x] (y| %"
         ).split()

lines = st.lists(st.one_of(
    st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=10).map(" ".join)), max_size=5)


@settings(max_examples=150, deadline=None)
@given(lines, st.booleans())
def test_no_text_breaks_a_dialogue(samples: Catalogue, said: list[str], unsure: bool) -> None:
    dialogue = Dialogue(samples)
    for number, text in enumerate(said):
        reply = dialogue.respond(Heard(text, (text[::-1],), unsure, number == 0))
        assert reply.closed == (dialogue.state.question is None
                                and not any(isinstance(d, ExpectSpeech) for d in reply.directives))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=8), st.lists(st.text(max_size=30), max_size=5))
def test_no_names_break_a_dialogue(names: list[str], said: list[str]) -> None:
    book = Catalogue(
        ContactBook([Contact(n, n[:3], n[3:], (n[::-1],), (PhoneNumber("1"),)) for n in names]),
        Home(tuple(Area(n) for n in names), tuple(Device(n, "light", n) for n in names)),
        Places(tuple(Place(n, n[:2], n) for n in names)))
    dialogue = Dialogue(book)
    for text in (*said, *(f"call {n}" for n in names), *(f"turn on the {n}" for n in names)):
        dialogue.respond(Heard(text))


def test_a_very_long_text_takes_no_long_time(samples: Catalogue) -> None:
    dialogue = Dialogue(samples)
    dialogue.warm()
    started = time.perf_counter()
    for text in ("call " * 5000, "the kitchen light on " * 2000, "x" * 100_000, "one " * 20_000):
        dialogue.respond(Heard(text))
    assert time.perf_counter() - started < 2


def test_the_shipped_samples_have_no_problems() -> None:
    assert CatalogueFiles().load().problems == ()

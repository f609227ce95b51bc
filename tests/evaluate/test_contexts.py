"""From a recording's context to a bias."""

from __future__ import annotations

from agent.evaluate import cases
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Context, Line, Said
from agent.events import Expectation

BOOK = ("Meg Jones", "Meg Bauer", "Omar Haddad")


def test_a_question_about_contacts_expects_a_name() -> None:
    bias = bias_of(Context((Said("agent", "Who?"),), contacts=BOOK), None)
    assert bias.expectation is Expectation.NAME
    assert "call {contact}" in bias.carriers


def test_the_names_in_the_question_are_its_alternatives() -> None:
    context = Context((Said("agent", "Meg Jones or Meg Bauer?"),), contacts=BOOK)
    offered = [p.text for p in bias_of(context, None).phrases if p.kind == "alternative"]
    assert offered == ["Meg Jones", "Meg Bauer", "Jones", "Bauer"]


def test_a_screen_expects_an_item() -> None:
    context = Context((Said("agent", "What would you like?"),), screen=("tea",))
    assert bias_of(context, None).expectation is Expectation.LIST_ITEM


def test_devices_fill_the_commands_of_the_home() -> None:
    bias = bias_of(Context(devices=("Bed Light", "Front Door")), None)
    assert bias.expectation is Expectation.FREE
    assert len(bias.carriers) > 500
    assert dict(bias.slots)["device"] == ("Bed Light", "Front Door")
    assert {"unmute {device}", "turn on the lights in the {device}", "is the {device} locked",
            "set {device} brightness to {0..100} percent"} <= set(bias.carriers)
    assert not any("{name:" in carrier or "{area}" in carrier for carrier in bias.carriers)


def test_what_is_expected_wins_over_what_is_guessed() -> None:
    assert bias_of(Context(), Expectation.SPELLING).expectation is Expectation.SPELLING


def test_a_name_taken_out_is_gone_from_the_book_and_the_question() -> None:
    context = Context((Said("agent", "Meg Jones or Meg Bauer?"),), contacts=BOOK)
    line = Line("a", None, "Bauer", True, context=context)  # type: ignore[arg-type]
    left, = cases.without_the_name([line])
    assert left.context.contacts == ("Meg Jones", "Omar Haddad")
    assert "Bauer" not in left.context.previous[0].text

"""Standing and turn biases."""

from __future__ import annotations

from agent.biasing import builders
from agent.biasing.builders import Catalogue
from agent.events import Expectation

BASE = builders.standing(Catalogue(contacts=("Meg Jones", "Meg Bauer", "Omar Haddad"),
                                   screen=("tea", "🙂")), ["call {contact}"],
                         {"contact": ["Meg Jones"]})


def texts(bias: builders.Bias) -> list[str]:
    return [phrase.text for phrase in bias.phrases]


def test_the_standing_bias_has_every_name_that_can_be_said() -> None:
    assert texts(BASE) == ["Meg Jones", "Meg Bauer", "Omar Haddad", "tea"]
    assert BASE.carriers == ("call {contact}",)
    assert dict(BASE.slots) == {"contact": ("Meg Jones",)}


def test_what_the_question_offers_weighs_most_and_so_do_its_telling_parts() -> None:
    bias = builders.turn(BASE, Expectation.NAME, ["Meg Jones", "Meg Bauer"])
    heavy = [p.text for p in bias.phrases if p.weight == builders.OFFERED_WEIGHT]
    assert heavy == ["Meg Jones", "Meg Bauer", "Jones", "Bauer"]
    assert "Omar Haddad" in texts(bias)
    assert dict(bias.slots)["answer"] == ("Meg Jones", "Meg Bauer", "Jones", "Bauer")


def test_a_name_may_be_answered_in_part_when_none_is_offered() -> None:
    bias = builders.turn(BASE, Expectation.NAME)
    light = {p.text for p in bias.phrases if p.weight == builders.PART_WEIGHT}
    assert light == {"Meg", "Jones", "Bauer", "Omar", "Haddad"}


def test_parts_that_tell_apart() -> None:
    assert builders.distinguishing_parts(["Meg Jones", "Meg Bauer"]) == ("Jones", "Bauer")
    assert builders.distinguishing_parts(["Kitchen Light", "Bed Light"]) == ("Kitchen", "Bed")
    assert builders.distinguishing_parts(["Meg Jones"]) == ()
    assert builders.distinguishing_parts(["tea", "coffee"]) == ()
    assert builders.distinguishing_parts(["Meg", "Meg"]) == ()


def test_the_prior_prefers_the_answer_that_was_asked_for() -> None:
    bias = builders.turn(BASE, Expectation.NAME, ["Meg Jones", "Meg Bauer"])
    offered = bias.prior(["Meg Bauer"], bare=True)
    assert offered > bias.prior(["Omar Haddad"], bare=True)
    assert offered > bias.prior(["Meg Bauer"], bare=False) > bias.prior([], bare=False)

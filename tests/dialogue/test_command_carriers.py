"""What biasing is told: whole commands over the user's own names."""

from __future__ import annotations

import pytest

from agent.dialogue.carriers import (
    Carrier,
    Slot,
    answer_grammar,
    command_carriers,
    expand,
    grammar,
    sentences,
)
from agent.dialogue.catalogue import Catalogue, of_names
from agent.dialogue.text import canonical
from agent.dialogue.understanding import Understanding


def test_carriers_hold_slots_for_names(samples: Catalogue) -> None:
    texts = {carrier.text for carrier in grammar(samples).carriers}
    assert {"call {contact}", "is the {name:lock} locked", "the {ordinal} one",
            "set {name:light} brightness to {0..100} percent",
            "turn on the lights in the {area}", "find {place_kind} nearby",
            "take me to {place}", "set a timer for {1..100} minutes"} <= texts


def test_slots_hold_names_as_the_catalogue_spells_them(samples: Catalogue) -> None:
    slots = grammar(samples).slots
    assert "Meg Bauer" in slots["contact"]
    assert "Bauer" in slots["contact"]
    assert slots["name:lock"] == ("Front Door", "Back Door")
    assert "Lounge" in slots["area"]
    assert "Blue Door Café" in slots["place"]
    assert slots["0..100"][50] == "fifty"
    assert "the green olive" not in map(canonical, slots["place"])


def test_every_slot_of_every_carrier_has_values(samples: Catalogue) -> None:
    for catalogue in (samples, Catalogue(), of_names(contacts=["Meg Bauer"])):
        made = grammar(catalogue)
        assert all(made.slots[name] for carrier in made.carriers for name in carrier.slots)


def test_commands_with_free_words_stand_apart(samples: Catalogue) -> None:
    made = grammar(samples)
    assert not any(carrier.is_open for carrier in made.carriers)
    assert "add {*} to my {name:todo}" in {carrier.text for carrier in made.open_carriers}


@pytest.mark.parametrize("wanted", [
    "set Bed Light brightness to fifty percent", "is the Front Door locked",
    "turn on Ceiling Lights", "activate Party Time", "open the Garage Door"])
def test_names_of_unknown_kind_fit_everywhere(wanted: str) -> None:
    catalogue = of_names(devices=["Bed Light", "Front Door", "Ceiling Lights", "Party Time",
                                  "Garage Door"])
    assert wanted in {phrase.text for phrase in sentences(catalogue, limit=100_000)}


def test_a_sample_of_the_sentences_is_understood(samples: Catalogue) -> None:
    understanding = Understanding(samples)
    phrases = list(sentences(samples, limit=6_000))[::23]
    lost = [phrase.text for phrase in phrases if understanding.command(phrase.text) is None]
    assert lost == []


def test_the_number_of_sentences_is_bounded(samples: Catalogue) -> None:
    texts = [phrase.text for phrase in sentences(samples, limit=500)]
    assert len(texts) == len(set(texts)) == 500
    assert len(command_carriers()) < 6_000


def test_no_carrier_is_starved(samples: Catalogue) -> None:
    made = grammar(samples)
    limit = len(made.carriers)
    sources = {phrase.source for phrase in expand(made, limit)}
    assert sources == {carrier.intent for carrier in made.carriers}


def test_answers_hold_the_options_of_the_question() -> None:
    made = answer_grammar(("Meg Jones", "Meg Bauer"))
    texts = {carrier.text for carrier in made.carriers}
    assert {"{option}", "{option} please", "the {ordinal} one", "i said {option}", "yes",
            "no"} <= texts
    assert made.slots["option"] == ("Meg Jones", "Meg Bauer")


def test_a_carrier_in_one_line() -> None:
    carrier = Carrier(("turn", "on", Slot("area"), "lights"), "HassTurnOn")
    assert carrier.text == "turn on {area} lights"
    assert carrier.slots == ("area",)

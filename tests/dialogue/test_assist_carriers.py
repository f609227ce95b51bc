"""What can be said to Home Assistant beyond the agent's own commands."""

from __future__ import annotations

import pytest

from agent.dialogue.assist_carriers import (
    assist_carriers,
    is_own_name,
    spoken_carriers,
    spoken_grammar,
    spoken_values,
)
from agent.dialogue.carriers import command_carriers
from agent.dialogue.catalogue import Catalogue, of_names


@pytest.mark.parametrize("text", [
    "unmute {name:media_player}", "cancel all timers in the {area}", "pause the timer in {area}",
    "how hot is it in {area}", "return {name:vacuum} to base",
    "start {name:vacuum}", "add {*} to {name:todo}"])
def test_sentences_of_home_assistant_are_carriers(text: str) -> None:
    known = {carrier.text for carrier in spoken_carriers()}
    assert known & {text, text.replace("the {", "{").replace(" {", " the {", 1)}


def test_every_carrier_names_something_or_adds_to_a_list() -> None:
    assert all(carrier.slots for carrier in assist_carriers())
    assert len(assist_carriers()) < 8_000


def test_commands_come_first_and_once() -> None:
    texts = [carrier.text for carrier in spoken_carriers()]
    assert texts[:len(command_carriers())] == [c.text for c in command_carriers()]
    assert len(texts) == len(set(texts))


def test_lists_of_fixed_texts_have_values() -> None:
    assert {"red", "blue", "green"} <= set(spoken_values("list:color", Catalogue()))
    assert spoken_values("list:nothing", Catalogue()) == ()


def test_every_slot_of_the_grammar_has_values() -> None:
    made = spoken_grammar(of_names(devices=["Bed Light", "Front Door"]))
    assert all(made.slots[name] for carrier in made.carriers for name in carrier.slots)
    assert made.open_carriers
    assert all(any(map(is_own_name, c.slots)) for c in made.open_carriers)


@pytest.mark.parametrize("text", ["turn on {*} in {area}", "add {*} to my shopping list"])
def test_a_place_for_any_words_is_only_where_a_list_is_named(text: str) -> None:
    made = spoken_grammar(of_names(devices=["Bed Light", "Front Door"]))
    assert text in {carrier.text for carrier in spoken_carriers()}
    assert text not in {carrier.text for carrier in (*made.carriers, *made.open_carriers)}
    assert "add {*} to {name:todo}" in {carrier.text for carrier in made.open_carriers}


def test_devices_of_unknown_kind_fill_every_slot() -> None:
    made = spoken_grammar(of_names(devices=["Bed Light", "Front Door"]))
    assert "Bed Light" in made.slots["name:media_player"]

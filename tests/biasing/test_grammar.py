"""Word automata."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from agent.biasing.grammar import Grammar, State, phrase_tree, sentence_tree


def accepts(grammar: Grammar, text: str) -> bool:
    """Whether the automaton takes a text, word by word."""
    states: set[State] = set(grammar.start)
    for word in text.split():
        following: set[State] = set()
        for state in states:
            for table, target in grammar.tables(state):
                if word in table.words:
                    following.add(dataclasses.replace(target, node=table.words[word]))
        states = following
    return any(grammar.can_end(state) for state in states)


MENU = Grammar(["iced coffee", "medium", "medium roast", "a bit of milk"],
               {"a": 0.5, "with": 0.5, "and": 0.5})
HOME = Grammar(carriers=["turn on the {name}", "set {name} to {number} percent",
                         "turn on the {name} in the {area}", "good night"],
               slots={"name": ["Bed Light", "Fan"], "area": ["Kitchen"]})


def test_phrases_and_fillers_may_follow_each_other() -> None:
    assert accepts(MENU, "a medium roast iced coffee with a bit of milk")
    assert accepts(MENU, "medium medium roast")


def test_a_phrase_must_be_said_to_its_end() -> None:
    assert not accepts(MENU, "iced")
    assert not accepts(MENU, "iced with medium")
    assert accepts(MENU, "with a")


def test_other_words_are_not_accepted() -> None:
    assert not accepts(MENU, "tea")


def test_slots_take_the_phrases_of_their_kind() -> None:
    assert accepts(HOME, "turn on the bed light")
    assert accepts(HOME, "turn on the fan in the kitchen")
    assert accepts(HOME, "good night")
    assert not accepts(HOME, "turn on the kitchen")
    assert not accepts(HOME, "turn on the")


def test_numbers_are_taken_in_words_and_in_figures() -> None:
    assert accepts(HOME, "set fan to fifty five percent")
    assert accepts(HOME, "set fan to 55 percent")
    assert accepts(HOME, "set fan to one hundred percent")
    assert not accepts(HOME, "set fan to fifty fifty percent")


def test_a_sentence_does_not_become_a_loop() -> None:
    assert not accepts(HOME, "good night good night")


def test_carriers_whose_slots_nothing_fills_are_left_out() -> None:
    assert Grammar(carriers=["call {contact}"], slots={"contact": []}).start == ()
    assert Grammar(["🙂", "", "..."]).start == ()


def test_the_catalogues_spelling_is_kept() -> None:
    tree = phrase_tree(("Bed Light", "Fan"))
    assert tree.words["bed"].words["light"].label == "Bed Light"


def test_the_tree_of_a_catalogue_is_shared() -> None:
    assert phrase_tree(("Bed Light", "Fan")) is phrase_tree(("Bed Light", "Fan"))


@given(st.lists(st.text(max_size=12), max_size=8), st.text(max_size=12))
def test_any_phrases_make_an_automaton(phrases: list[str], carrier: str) -> None:
    Grammar(phrases, {"a": 1.0}, [carrier, "{x} " + carrier], {"x": phrases})


def test_carriers_with_the_same_ending_share_it() -> None:
    carriers = tuple(f"{verb} the {{lamp}} to {{number}} percent" for verb in ("set", "dim"))
    root = sentence_tree(carriers, frozenset({"lamp"}))
    assert root.words["set"] is root.words["dim"]
    assert sentence_tree(carriers, frozenset({"lamp"})) is root


def test_a_carrier_without_a_filled_slot_is_left_out() -> None:
    root = sentence_tree(("set {lamp}", "dim {blind}"), frozenset({"lamp"}))
    assert set(root.words) == {"set"}

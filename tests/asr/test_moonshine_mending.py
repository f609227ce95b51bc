"""Names put into a free transcript where something that sounds like them was heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asr.moonshine import mending
from agent.asr.moonshine.mending import Variant
from agent.biasing import Phrase
from agent.biasing.retrieval import retriever

BOOK = tuple(Phrase(name) for name in ("Meg Bauer", "Omar Haddad", "Ravi Mahoney"))


def variants(text: str, phrases: tuple[Phrase, ...] = BOOK) -> list[Variant]:
    return mending.variants(text, [(phrases, retriever(phrases))])


@pytest.mark.parametrize(("heard", "wanted"), [
    ("Remind me to tell make power about the party.",
     "Remind me to tell Meg Bauer about the party."),
    ("I had lunch with Rami Methoni, today.", "I had lunch with Ravi Mahoney, today."),
    ("What is Omer had ads's birthday?", "What is Omar Haddad's birthday?"),
])
def test_the_window_that_sounds_like_a_name_is_replaced(heard: str, wanted: str) -> None:
    assert wanted in [variant.text for variant in variants(heard)]


def test_two_names_can_be_replaced_at_once() -> None:
    found = variants("Tell make power that Robbie Mahony is late.")
    both = next(v for v in found if v.labels == ("Meg Bauer", "Ravi Mahoney"))
    assert both.text == "Tell Meg Bauer that Ravi Mahoney is late."
    assert (both.words, both.covered) == (8, 4)


def test_what_was_heard_right_is_left_alone() -> None:
    assert all("Meg Bauer" in v.text for v in variants("Tell Meg Bauer that I am late."))


def test_a_phrase_that_begins_like_a_word_heard_right_may_still_be_meant() -> None:
    home = (Phrase("Bedroom"), Phrase("Bedroom Curtain"))
    found = variants("Close the bedroom certain.", home)
    assert "Close the Bedroom Curtain." in [variant.text for variant in found]


def test_a_whole_answer_is_not_replaced_by_a_name_alone() -> None:
    assert "Meg Bauer" not in [variant.text for variant in variants("make power")]


@pytest.mark.parametrize("text", ["", "power", "?!", " ".join(["power"] * 40)])
def test_single_words_and_long_speech_are_left_alone(text: str) -> None:
    assert not variants(text)


@given(st.text(max_size=60))
def test_no_text_breaks_it_and_there_are_few_variants(text: str) -> None:
    found = variants(text)
    assert len(found) <= 24
    assert len({variant.text for variant in found}) == len(found)

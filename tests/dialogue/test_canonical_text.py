import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialogue.numbers import spell_out
from agent.dialogue.text import canonical, compact, distance


@pytest.mark.parametrize(("heard", "meant"), [
    ("Turn on the kitchen light.", "turn on the kitchen light"),
    ("SET BED LIGHT TO 50%!", "set bed light to 50 percent"),
    ("set it to fifty per cent", "set it to 50 percent"),
    ("What's the weather?", "what is the weather"),
    ("twenty-five minutes", "25 minutes"),
    ("one hundred and twenty seconds", "120 seconds"),
    ("seven point five degrees", "7.5 degrees"),
    ("21.5 °C", "21.5 degrees"),
    ("5,000", "5000"),
    ("the 2nd one", "the second one"),
    ("the second one", "the second one"),
    ("1 minute", "1 minute"),
    ("one minute", "1 minute"),
    ("set the brightness to one", "set the brightness to 1"),
    ("1 Market Street", "one market street"),
    ("½ an hour", "half an hour"),
    ("Zoë's Café", "zoes cafe"),
    ("Blue-Bottle", "blue bottle"),
    ("O’Neill", "oneill"),
    ("B. A. U. E. R.", "b a u e r"),
    ("T.V.", "tv"),
    ("nevermind", "never mind"),
    ("  several\n spaces\t", "several spaces"),
    ("", ""), ("...", ""), ("🎉", ""),
])
def test_texts_that_mean_the_same_become_the_same(heard: str, meant: str) -> None:
    assert canonical(heard) == meant


@given(st.integers(0, 999))
def test_numbers_in_words_and_digits_are_the_same(number: int) -> None:
    assert canonical(f"{spell_out(number)} percent") == f"{number} percent"


@given(st.text(max_size=300))
def test_any_text_becomes_plain_words(text: str) -> None:
    words = canonical(text)
    assert words == " ".join(words.split())
    assert words == words.casefold()


@given(st.lists(st.sampled_from("turn on the kitchen lights fifty five percent one second what's "
                                "it's Zoë O'Neill 7.5 21 per cent and a hundred 1st p.m. x-y"
                                .split(" ")), max_size=12))
def test_what_is_canonical_stays_as_it_is(words: list[str]) -> None:
    once = canonical(" ".join(words))
    assert canonical(once) == once


def test_compact_ignores_how_words_are_cut() -> None:
    assert compact("Blue Bottle") == compact("Bluebottle") == compact("blue-bottle")


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_distance_is_symmetric_and_zero_only_for_equal_texts(one: str, other: str) -> None:
    assert distance(one, other, 6) == distance(other, one, 6)
    assert (distance(one, other, 6) == 0) == (one == other)


@pytest.mark.parametrize(("one", "other", "expected"), [
    ("bauer", "baur", 1), ("bauer", "power", 3), ("jones", "johns", 2), ("", "abc", 3)])
def test_distance_counts_letters(one: str, other: str, expected: int) -> None:
    assert distance(one, other, 5) == expected


def test_distance_stops_at_its_limit() -> None:
    assert distance("abcdefgh", "zzzzzzzz", 2) == 3

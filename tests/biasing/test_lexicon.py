"""Dictionary and letter-to-sound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.biasing import lexicon


@pytest.mark.parametrize(("word", "ipa"), [
    ("bauer", "baʊəɹ"), ("pittsburgh", "pɪtsbəɹɡ"), ("a", "ə"), ("zywicki", "zɪwɪki")])
def test_words_of_the_dictionary(word: str, ipa: str) -> None:
    assert lexicon.known(word)[0] == ipa


@pytest.mark.parametrize("word", ["", "zzzz", "aardvarkish", "\n", "bauer b", "é"])
def test_words_that_are_not_in_it(word: str) -> None:
    assert lexicon.known(word) == ()


@pytest.mark.parametrize(("word", "ipa"), [
    ("kepuska", "kɛpʌskə"), ("schmitt", "ʃmɪt"), ("tremblay", "tɹɛmbleɪ")])
def test_other_words_are_read_from_their_letters(word: str, ipa: str) -> None:
    assert lexicon.guess(word) == ipa


@given(st.text(st.characters(min_codepoint=97, max_codepoint=122), max_size=20))
def test_any_letters_can_be_read(word: str) -> None:
    assert isinstance(lexicon.guess(word), str)


def test_letter_to_sound_is_right_for_most_words_of_the_dictionary() -> None:
    words = lexicon.spellings().decode().split()[50::997]
    right = sum(lexicon.guess(word) in lexicon.known(word) for word in words if word.isalpha())
    assert right > 0.7 * len(words)

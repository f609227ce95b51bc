from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asr.vosk import grammar
from agent.asr.vosk.grammar import Grammar, Knows, PlainSpeller
from agent.biasing import Bias, Phrase

KNOWN = {"call", "meg", "jones", "power", "bow", "er", "don't", "red"}


def knows(word: str) -> bool:
    return word in KNOWN


class Respeller:
    """Spells Bauer as people say it."""

    def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
        words = grammar.plain_words(phrase.text.lower())
        return [" ".join(sound if word == "bauer" else word for word in words)
                for sound in ("power", "bow er")]


def built(*phrases: Phrase | str, speller: grammar.Speller | None = None) -> Grammar:
    entries = tuple(Phrase(entry) if isinstance(entry, str) else entry for entry in phrases)
    return grammar.build(Bias(entries), speller or PlainSpeller(), knows)


def test_phrases_are_spelled_in_known_words() -> None:
    assert built("Call Meg!", "Don’t", "Meg-Jones").lines == ("call meg", "don't", "meg jones")


def test_phrases_with_unknown_words_are_reported_missing() -> None:
    made = built("Meg Bauer", "Meg Jones", "👍", "", '"')
    assert made.lines == ("meg jones",)
    assert made.missing == ("Meg Bauer", "👍", "", '"')


@pytest.mark.parametrize(("weight", "times"), [
    (0.0, 0), (-1.0, 0), (0.3, 1), (1.0, 1), (3.0, 3), (3.4, 3), (1e9, grammar.MAX_REPEATS)])
def test_weight_is_repetition(weight: float, times: int) -> None:
    assert built(Phrase("Meg Jones", weight)).lines == ("meg jones",) * times


def test_spellings_share_the_weight_and_lead_back_to_the_phrase() -> None:
    made = built(Phrase("Meg Bauer", 4.0), speller=Respeller())
    assert made.lines == ("meg power",) * 2 + ("meg bow er",) * 2
    assert made.restore("call meg power") == "call Meg Bauer"
    assert made.restore("call meg bow er red") == "call Meg Bauer red"
    assert made.restore("call power") == "call power"


def test_the_longest_phrase_is_written() -> None:
    made = built("Meg", "Meg Jones", "JONES")
    assert made.restore("call meg jones meg red jones") == "call Meg Jones Meg red JONES"


def test_the_heavier_of_two_phrases_that_sound_alike_is_written() -> None:
    assert built(Phrase("MEG"), Phrase("Meg", 2.0), Phrase("meg", 0.5)).restore("meg") == "Meg"


def test_a_speller_cannot_bring_in_unknown_words() -> None:
    class Careless:
        def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
            return ["", "   ", "meg <eps>", "unheard", "  meg   jones ", "meg jones"]

    assert built("Somebody", speller=Careless()).lines == ("meg jones",)


def test_an_enormous_bias_is_thinned_to_one_line_each() -> None:
    heavy = [Phrase(f"call meg{' red' * (i % 20)}", 20.0) for i in range(5_000)]
    made = built(*heavy)
    assert len(made.lines) == len(set(made.lines)) == 20


def test_a_phrase_that_nobody_can_say_is_not_spelled() -> None:
    novel = "red " * 1_000

    class Impatient:
        def spell(self, phrase: Phrase, knows: Knows) -> Sequence[str]:
            assert phrase.text != novel
            return [phrase.text]

    made = built(novel, "red", speller=Impatient())
    assert (made.lines, made.missing) == (("red",), (novel,))


@given(st.lists(st.text(max_size=12), max_size=12),
       st.floats(-3, 30, allow_nan=False))
def test_lines_hold_known_words_only(texts: list[str], weight: float) -> None:
    made = built(*(Phrase(text, weight) for text in [*texts, "call Jones"]))
    assert all(knows(word) for line in made.lines for word in line.split())
    assert set(made.lines) == set(made.originals)


@pytest.fixture
def no_restoring() -> Callable[[str], str]:
    return Grammar().restore


def test_an_empty_grammar_changes_nothing(no_restoring: Callable[[str], str]) -> None:
    assert no_restoring("call meg") == "call meg"

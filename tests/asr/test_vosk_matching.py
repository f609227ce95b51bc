"""Which phrase was said, from what was heard in the grammar's words."""

from __future__ import annotations

from collections.abc import Sequence

from agent.asr.vosk.matching import WHOLE, View, rank
from agent.asr.vosk.profile import PLAIN
from agent.biasing import Hypothesis, Phrase

NAMES = tuple(Phrase(text) for text in ("김민수", "박은주", "이하은", "최서윤", "메그 존스"))


def view(*heard: tuple[str, float]) -> View:
    return [Hypothesis(text, score, 1, "context") for text, score in heard], 50.0


def best(views: Sequence[View], known: tuple[Phrase, ...] = NAMES) -> str:
    return rank(known, views, PLAIN, {})[0].phrase.text


def test_the_phrase_that_was_heard_is_first_and_fits_perfectly() -> None:
    ranked = rank(NAMES, [view(("박은주", 2.0))], PLAIN, {})
    assert ranked[0].phrase.text == "박은주"
    assert ranked[0].score == 0
    assert len(ranked) == len(NAMES)
    assert all(entry.score < 0 for entry in ranked[1:])


def test_halves_of_two_phrases_speak_for_the_one_that_sounds_most_like_both() -> None:
    assert best([view(("박 은수", 2.0))]) == "박은주"


def test_several_views_are_added_up() -> None:
    assert best([view(("이하은", 2.0)), view(("김민주", 2.0)), view(("김민수", 2.0))]) == "김민수"


def test_a_less_likely_hypothesis_speaks_less() -> None:
    views = [view(("김민수", 2.0), ("박은주", 1.0))]
    assert best(views) == "김민수"
    assert rank(NAMES, views, PLAIN, {})[1].phrase.text == "박은주"


def test_weight_is_prior_odds() -> None:
    between = view(("김민주", 2.0))
    near, far = Phrase("김민두"), Phrase("김민수")
    assert best([between], (near, far)) == "김민두"
    assert best([between], (Phrase("김민두", 0.005), far)) == "김민수"


def test_a_spelling_that_was_heard_stands_for_its_phrase() -> None:
    known = (Phrase("Jill Ryan"), Phrase("Meg Jones"))
    ranked = rank(known, [view(("메그 존스", 2.0))], PLAIN, {"Meg Jones": ["메그 존스"]})
    assert ranked[0].phrase.text == "Meg Jones"
    assert ranked[0].score == 0


def test_a_phrase_without_any_sound_is_left_out() -> None:
    assert [e.phrase.text for e in rank((Phrase("👍"), Phrase("네")), [view(("네", 1.0))],
                                        PLAIN, {})] == ["네"]


def test_nothing_heard_or_nothing_known_ranks_nothing() -> None:
    assert rank(NAMES, [([], 50.0)], PLAIN, {}) == []
    assert rank(NAMES, [], PLAIN, {}) == []
    assert rank((), [view(("네", 1.0))], PLAIN, {}) == []


def test_a_large_catalogue_is_searched_by_sound_first() -> None:
    syllables = "가나다라마바사아자차카타파하거너더러머버서어저처"
    many = tuple(Phrase(a + b + c) for a in syllables for b in syllables for c in "김이박")
    assert len(many) > WHOLE
    ranked = rank((*many, *NAMES), [view(("박은수", 2.0))], PLAIN, {})
    assert ranked[0].phrase.text == "박은주"
    assert len(ranked) < WHOLE

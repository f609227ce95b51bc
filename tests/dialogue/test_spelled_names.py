import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.dialogue.spelling import letters, nearest


@pytest.mark.parametrize(("said", "spelled"), [
    ("b a u e r", "bauer"),
    ("B, A, U, E, R.", "bauer"),
    ("B-A-U-E-R", "bauer"),
    ("H.I.N.I.C.H.", "hinich"),
    ("bee ay you ee are", "bauer"),
    ("b as in boy, a as in apple, u, e, r", "bauer"),
    ("b for bravo a for alpha", "ba"),
    ("bravo alpha uniform echo romeo", "bauer"),
    ("m, o, double r, i, s", "morris"),
    ("capital m e g", "meg"),
    ("it's spelled p a t e l", "patel"),
    ("double u i double l", "will"),
    ("z o ë", "zoe"),
    ("o apostrophe n e i l l", "oneill"),
])
def test_spellings(said: str, spelled: str) -> None:
    assert letters(said) == spelled


@pytest.mark.parametrize("said", ["Bauer", "call meg", "a", "", "the second one", "power",
                                  "as in", "no thanks"])
def test_what_is_no_spelling(said: str) -> None:
    assert letters(said) == ""


@given(st.text(max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert letters(text) == "" or letters(text).isalpha()


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=2, max_size=12))
def test_letters_one_by_one_are_that_word(word: str) -> None:
    assert letters(" ".join(word)) == word


def test_the_nearest_spelling_wins() -> None:
    book = {"bauer": "Bauer", "bower": "Bower", "jones": "Jones"}
    assert nearest("bauar", book) == ("Bauer",)
    assert nearest("zzzzz", book) == ()


def test_several_equally_near_spellings_are_all_told() -> None:
    assert set(nearest("bamer", {"baker": "Baker", "bauer": "Bauer"})) == {"Baker", "Bauer"}

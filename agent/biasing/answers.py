"""What answers of an expected form are made of: letters, numbers, dates, yes and no."""

from __future__ import annotations

import string

from agent.biasing.grammar import Grammar
from agent.biasing.words import ONES, ORDINALS, TENS
from agent.events import Expectation

MONTHS = ("january february march april may june july august september october november "
          "december").split()
YES_NO = ("yes", "no", "yeah", "yep", "yup", "nope", "nah", "sure", "okay", "ok", "correct",
          "right", "wrong", "of course", "no thanks", "no thank you", "yes please", "not now",
          "that's right", "that's wrong", "go ahead", "do it", "don't", "cancel", "never mind",
          "please do", "absolutely", "definitely", "exactly", "i do", "i don't", "it is",
          "it isn't", "that's it", "not that one", "uh huh")
_SPELLING_WORDS = (
    "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike november oscar "
    "papa quebec romeo sierra tango uniform victor whiskey x-ray yankee zulu apple boy baby cat "
    "david dog edward egg elephant frank fish george girl henry house ida igloo ink john jack king "
    "kite larry lion love mary mother nancy nora november ocean orange peter paul queen robert "
    "red river sam sugar tom tiger uncle umbrella van violet william water xylophone yellow "
    "young zebra").split()


def grammar(expectation: Expectation) -> Grammar | None:
    """The grammar of an expected answer; None where the form of the answer is open."""
    if expectation is Expectation.SPELLING:
        return Grammar(_as_in(), {**dict.fromkeys(string.ascii_lowercase, 0.0),
                                  "double": 1.0, "capital": 1.0})
    if expectation is Expectation.NUMBER:
        small = [*ONES, *TENS[2:], "hundred", "thousand", "oh"]
        dates = [*ORDINALS, "thirtieth", *MONTHS]
        return Grammar((), {**dict.fromkeys([*small, *dates], 0.0),
                            **dict.fromkeys(["and", "the", "of", "point"], 1.0)})
    if expectation is Expectation.YES_NO:
        return Grammar((), None, ["{yes-no}"], {"yes-no": YES_NO})
    return None


def _as_in() -> list[str]:
    """``as in boy``, after the letter itself: the word must begin with some letter."""
    words = [word.replace("x-ray", "x ray") for word in _SPELLING_WORDS]
    return [f"as in {word}" for word in words] + [f"for {word}" for word in words]

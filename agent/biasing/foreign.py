"""Readings of spelled words that English letter-to-sound does not give.

``continental`` reads a word as most Latin-script languages of Europe would, ``hangul`` reads
Korean by the letters inside each syllable block.
"""

from __future__ import annotations

import itertools
import re

_RULES = [
    ("schtsch", "ʃtʃ"), ("tsch", "tʃ"), ("sch", "ʃ"), ("szcz", "ʃtʃ"), ("cz", "tʃ"), ("sz", "ʃ"),
    ("rz", "ʒ"), ("gli", "ʎi"), ("gn", "ɲ"), ("ch", "x"), ("sh", "ʃ"), ("zh", "ʒ"), ("kh", "k"),
    ("gh", "ɡ"), ("th", "t"), ("ph", "f"), ("qu", "k"), ("ck", "k"), ("tz", "ts"), ("ll", "l"),
    ("rr", "r"), ("ss", "s"), ("nn", "n"), ("mm", "m"), ("tt", "t"), ("pp", "p"), ("bb", "b"),
    ("dd", "d"), ("ff", "f"), ("gg", "ɡ"), ("cc", "k"), ("kk", "k"), ("zz", "ts"), ("ng", "ŋ"),
    ("aa", "ɑ"), ("ee", "eɪ"), ("oo", "o"), ("ou", "u"), ("eau", "o"), ("au", "aʊ"),
    ("ei", "aɪ"), ("ai", "aɪ"), ("eu", "ɔɪ"), ("ie", "i"), ("oe", "ø"), ("ue", "y"),
    ("a", "ɑ"), ("b", "b"), ("c", "k"), ("d", "d"), ("e", "ɛ"), ("f", "f"), ("g", "ɡ"),
    ("h", "h"), ("i", "i"), ("j", "j"), ("k", "k"), ("l", "l"), ("m", "m"), ("n", "n"),
    ("o", "o"), ("p", "p"), ("q", "k"), ("r", "ɹ"), ("s", "s"), ("t", "t"), ("u", "u"),
    ("v", "v"), ("w", "v"), ("x", "ks"), ("y", "i"), ("z", "z"),
]
_SOUNDS = dict(_RULES)
_PATTERN = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))

_INITIALS = "k k n t t ɾ m p p s s . tɕ tɕ tɕ k t p h".split()
_MEDIALS = "a ɛ ja jɛ ʌ e jʌ je o wa wɛ we jo u wʌ we wi ju ɯ ɯi i".split()
_FINALS = ". k k k n n n t l k m l l l p l m p p t t ŋ t t k t p t".split()
_MOVING = {1: 0, 2: 1, 4: 2, 7: 3, 8: 5, 16: 6, 17: 7, 19: 9, 20: 10, 22: 12, 23: 14, 24: 15,
           25: 16, 26: 17}
"""Number of each single final consonant, and the number that it has as an initial one."""
_NO_INITIAL = 11
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3


def continental(word: str) -> str:
    """IPA of a lower-case word in the letters a to z, vowels as in Italian or German."""
    return "".join(_SOUNDS[piece] for piece in _PATTERN.findall(word))


def is_hangul(word: str) -> bool:
    """Whether every character is a Korean syllable block."""
    return bool(word) and all(_FIRST_SYLLABLE <= ord(c) <= _LAST_SYLLABLE for c in word)


def hangul(word: str) -> str:
    """IPA of Korean syllable blocks; a final consonant moves to a following empty initial."""
    sounds: list[str] = []
    for character in word:
        offset = ord(character) - _FIRST_SYLLABLE
        initial = _INITIALS[offset // 588]
        sounds.extend(s for s in (initial, _MEDIALS[offset % 588 // 28], _FINALS[offset % 28])
                      if s != ".")
    return "".join(sounds)


def linked(word: str) -> str:
    """Korean syllable blocks as they are spoken together: 은영 as 으녕, 박은주 as 바근주.

    A final consonant is written where it is heard, before the vowel that follows it.
    """
    codes = [ord(character) - _FIRST_SYLLABLE for character in word]
    for at, (one, other) in enumerate(itertools.pairwise(codes)):
        final = one % 28
        if final in _MOVING and other // 588 == _NO_INITIAL:
            codes[at] = one - final
            codes[at + 1] = other % 588 + 588 * _MOVING[final]
    return "".join(chr(_FIRST_SYLLABLE + code) for code in codes)

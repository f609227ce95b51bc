"""Readings of spelled words that English letter-to-sound does not give.

``continental`` reads a word as most Latin-script languages of Europe would, ``hangul`` reads
Korean by the letters inside each syllable block.
"""

from __future__ import annotations

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

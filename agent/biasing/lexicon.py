"""English words to phones: the CMU dictionary, then a letter-to-sound tree learned from it.

Both come from ``data/``; see its README for source and licence. The dictionary stays one block of
bytes that is searched by bisection, so that it costs 2 MB of memory and not 30.
"""

from __future__ import annotations

import lzma
from functools import lru_cache
from importlib import resources

ARPABET = ("AA AE AH AH0 AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T "
           "TH UH UW V W Y Z ZH").split()
CODES = dict(zip(ARPABET, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop", strict=False))
"""One character a phone, as in the data files."""
_IPA = ("ɑ æ ʌ ə ɔ aʊ aɪ b tʃ d ð ɛ əɹ eɪ f ɡ h ɪ i dʒ k l m n ŋ oʊ ɔɪ p ɹ s ʃ t θ ʊ u v w j z "
        "ʒ").split()
_TO_IPA = {CODES[symbol]: ipa for symbol, ipa in zip(ARPABET, _IPA, strict=True)}

ORDER = (0, 1, -1, 2, "phone", -2, 3, -3, 4, -4)
"""Window of the letter-to-sound tree, most informative first; numbers are letter offsets."""
EDGE = "_"
SILENT = "-"


def known(word: str) -> tuple[str, ...]:
    """IPA of a lower-case word in the dictionary, the usual one first; empty if it is not in."""
    line = _find(_dictionary(), word.encode("utf-8"))
    return tuple(ipa(code) for code in line.split(",")) if line else ()


def spellings() -> bytes:
    """Every word of the dictionary, a line each, lower case."""
    return b"\n".join(line.partition(b" ")[0] for line in _dictionary().split(b"\n"))


@lru_cache(maxsize=20_000)
def guess(word: str) -> str:
    """IPA of any word in the letters a to z, by the letter-to-sound tree."""
    tree = _tree()
    previous, codes = EDGE, []
    for at in range(len(word)):
        window = features(word, at, previous)
        sound = SILENT
        for length in range(len(window) + 1):
            found = tree.get("".join(window[:length]))
            if found is not None:
                sound = found
        if sound != SILENT:
            codes.append(sound)
            previous = sound[-1]
    return ipa("".join(codes))


def ipa(code: str) -> str:
    """IPA of phones in the data files' own letters."""
    return "".join(_TO_IPA[c] for c in code)


def features(word: str, at: int, previous: str) -> tuple[str, ...]:
    """The window around letter ``at``; ``previous`` is the last phone before it."""
    found = []
    for offset in ORDER:
        if isinstance(offset, str):
            found.append(previous)
        else:
            place = at + offset
            found.append(word[place] if 0 <= place < len(word) else EDGE)
    return tuple(found)


def _read(name: str) -> bytes:
    return lzma.decompress((resources.files("agent.biasing") / "data" / name).read_bytes())


@lru_cache(maxsize=1)
def _dictionary() -> bytes:
    return b"\n" + _read("lexicon.xz")


@lru_cache(maxsize=1)
def _tree() -> dict[str, str]:
    lines = _read("letters.xz").decode("utf-8").splitlines()
    return {key: sound for key, _, sound in (line.partition(" ") for line in lines)}


def _find(data: bytes, word: bytes) -> str:
    """The text after ``word`` on its line, by bisection over sorted lines."""
    low, high = 0, len(data)
    while low < high:
        middle = (low + high) // 2
        start = data.rfind(b"\n", 0, middle + 1) + 1
        end = data.find(b"\n", start)
        if end < 0:
            return ""
        head, _, tail = data[start:end].partition(b" ")
        if head == word:
            return tail.decode("ascii")
        if head < word:
            low = end
        else:
            high = start - 1
    return ""

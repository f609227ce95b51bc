"""Phones and their articulatory features.

The table is a selection of PanPhon's (Mortensen et al., "PanPhon: A Resource for Mapping IPA
Segments to Articulatory Feature Vectors", 2016; MIT licence, Copyright (c) 2015 Carnegie Mellon
University), with its feature weights.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Phones: TypeAlias = npt.NDArray[np.uint8]
"""``uint8[phones]``: indices into ``PHONES``."""

FEATURES = ("syl son cons cont delrel lat nas strid voi sg cg ant cor distr lab hi lo back round "
            "velaric tense long").split()
_WEIGHTS = (1, 1, 1, .5, .25, .25, .25, .125, .125, .125, .125, .25, .25, .125, .25, .25, .25,
            .25, .25, .25, .125, .25)

_TABLE = """
p --+--------+-0+-----0-   b --+-----+--+-0+-----0-   t --+--------++-------0-
d --+-----+--++-------0-   k --+----------0-+-+--0-   ɡ --+-----+----0-+-+--0-
q --+----------0---+--0-   ʔ -+--------+--0---+--0-   tʃ --+-+--+----++------0-
dʒ --+-+--++---++------0-  ts --+-+--+---++-------0-  dz --+-+--++--++-------0-
pf --+-+--+---+-0+-----0-  f --++---+---+-0+-----0-   v --++---++--+-0+-----0-
θ --++-------+++------0-   ð --++----+--+++------0-   s --++---+---++-------0-
z --++---++--++-------0-   ʃ --++---+----++------0-   ʒ --++---++---++------0-
x --++---------0-+-+--0-   ɣ --++----+----0-+-+--0-   χ --++---+-----0---+--0-
ʁ --++---++----0---+--0-   h -+++---------0---+--0-   ɦ -+++----+----0---+--0-
m -++---+-+--+-0+-----0-   n -++---+-+--++-------0-   ŋ -++---+-+----0-+-+--0-
ɲ -++---+-+----0-+----0-   l -+++-+--+--++-------0-   ɫ -+++0+--+--++-------0-
ʎ -+++0+--+---++-+----0-   ɹ -+-+----+--++--+--+-0-   r -+++0---+--++--00---0-
ɾ -+++0---+--++--00---0-   j -+-+----+----0-+----0-   w -+-+----+----0++-++-0-
ɥ -+-+0---+----0++--+-+-   i ++-+----+--0-0-+----+-   ɪ ++-+----+--0-0-+------
e ++-+----+--0-0------+-   ɛ ++-+----+--0-0--------   æ ++-+----+--0-0--+---+-
a ++-+----+--0-0--++--+-   ɑ ++-+0---+--0-0--++--+-   ɒ ++-+----+--0-0--+++-+-
ɔ ++-+----+--0-0---++---   o ++-+----+--0-0---++-+-   ʊ ++-+----+--0-0-+-++---
u ++-+----+--0-0++-++-+-   ʌ ++-+----+--0-0---+--+-   ə ++-+----+--0-0---+----
ɜ ++-+----+--0-0---+----   ɐ ++-+----+--0-0------+-   ɨ ++-+----+--0-0-+-+--+-
ʉ ++-+0---+--0-0++-++-+-   y ++-+----+--0-0++--+-+-   ø ++-+----+--0-0----+-+-
œ ++-+----+--0-0----+---   ɯ ++-+----+--0-0-+-+----   ɤ ++-+0---+--0-0---+--+-
ɸ --++-------+-0+-----0-   β --++----+--+-0+-----0-   ʂ --++---+----+-------0-
ʐ --++---++---+-------0-   ɕ --+++--+----++-+----0-   ʑ --+++--++---++-+----0-
tɕ --+-+--+----++-+----0-  dʑ --+-+--++---++-+----0-  c --+----------0-+----0-
ɟ --+-----+----0-+----0-   ʋ -+-+0---+--+-0+00---0-   ɖ --+-----+---+-------0-
ʈ --+---------+-------0-   ɳ -++---+-+---+0------0-
"""

_ENTRIES = re.findall(r"(\S+) ([-+0]{22})", _TABLE)
PHONES: tuple[str, ...] = tuple(symbol for symbol, _ in _ENTRIES)
"""IPA symbols, affricates without tie bar; a phone's number is its place here."""
INDEX = {symbol: number for number, symbol in enumerate(PHONES)}
_VALUES = {"-": -1.0, "0": 0.0, "+": 1.0}
FEATURE_MATRIX = np.array([[_VALUES[v] for v in values] for _, values in _ENTRIES], np.float32)
"""``float32[phones, features]``: -1, 0 or 1."""
SYLLABIC = FEATURE_MATRIX[:, 0] > 0
"""``bool[phones]``: which are vowels."""

_ALIASES = {"g": "ɡ", "ɚ": "əɹ", "ɝ": "ɜɹ", "ɻ": "ɹ", "ʀ": "ʁ", "ç": "x", "ʝ": "j", "ɭ": "l",
            "ɬ": "l", "ɘ": "ə", "ɵ": "ə", "ᵻ": "ɪ", "ɱ": "m", "ħ": "h", "ɮ": "l", "ʙ": "b",
            "ɺ": "ɾ", "ɽ": "ɾ", "ʍ": "w", "ɰ": "w", "ɢ": "ɡ", "ʟ": "l", "ŧ": "θ"}


def substitution_costs() -> npt.NDArray[np.float32]:
    """``float32[phones, phones]``: PanPhon's weighted feature difference of every pair."""
    weighted = FEATURE_MATRIX * np.array(_WEIGHTS, np.float32)
    return np.asarray(np.abs(weighted[:, None, :] - weighted[None, :, :]).sum(axis=2), np.float32)


def parse(ipa: str) -> Phones:
    """Phones of an IPA string; stress, length, ties and marks that are not known are left out."""
    plain = "".join(c for c in unicodedata.normalize("NFD", ipa) if not unicodedata.combining(c))
    plain = "".join(_ALIASES.get(c, c) for c in plain)
    found, at = [], 0
    while at < len(plain):
        for length in (2, 1):
            number = INDEX.get(plain[at:at + length])
            if number is not None and len(plain[at:at + length]) == length:
                found.append(number)
                at += length
                break
        else:
            at += 1
    return np.array(found, np.uint8)


def spell(phones: Phones) -> str:
    """IPA of phones."""
    return "".join(PHONES[number] for number in phones)

"""How Moonshine may write a word, as token sequences, and prefix trees of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agent.asr.moonshine.tokens import Tokens
from agent.biasing.words import ONES, ORDINALS, TENS

_FIGURES = {word: str(value) for value, word in enumerate(ONES)}
_FIGURES.update({word: str(10 * place) for place, word in enumerate(TENS) if word})
_MANY = 1_000
_ALWAYS_CAPITAL = ("i", "i'm", "i'd", "i'll", "i've")
_OTHER = {"oh": ("0", "O", "o"), **{word: (f"{place}th",) for place, word in enumerate(
    ORDINALS, 1)}, "first": ("1st",), "second": ("2nd",), "third": ("3rd",)}
_SIGNS = {"percent": ("%",)}


@dataclass(slots=True)
class Trie:
    """A prefix tree of token sequences; node 0 is the root."""

    children: list[dict[int, int]] = field(default_factory=lambda: [{}])
    ends: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    """Words that end at each node."""
    _arrays: dict[int, npt.NDArray[np.int64]] = field(default_factory=dict)

    def add(self, tokens: Iterable[int], word: str) -> None:
        """Add one way of writing ``word``."""
        at = 0
        for token in tokens:
            following = self.children[at].get(token)
            if following is None:
                self.children.append({})
                self.ends.append(())
                following = self.children[at][token] = len(self.children) - 1
            at = following
        if at and word not in self.ends[at]:
            self.ends[at] = (*self.ends[at], word)

    def tokens(self, node: int) -> npt.NDArray[np.int64]:
        """``int64[n]``: tokens that lead on from a node."""
        found = self._arrays.get(node)
        if found is None:
            found = np.fromiter(self.children[node], np.int64, len(self.children[node]))
            self._arrays[node] = found
        return found


def trie(vocabulary: Tokens, words: Collection[str]) -> Trie:
    """A prefix tree of every way in which ``words`` may be written.

    Of very many words only the usual ways are kept: with and without a capital.
    """
    tree = Trie()
    for word in words:
        if len(words) > _MANY:
            for surface in (word.capitalize(), word):
                tree.add(vocabulary.encode(surface), word)
            continue
        for surface in surfaces(word):
            tree.add(vocabulary.encode(surface), word)
        for joined in _joined(word):
            # Encoded after a letter that is taken off again: no space before these.
            tree.add(vocabulary.encode(f"q{joined}")[1:], word)
    return tree


def _joined(word: str) -> list[str]:
    """Spellings that follow the word before without a space: "16-ounce", "H.I.N.", "5156"."""
    found = [f"-{word}", *_SIGNS.get(word, ())]
    figure = _FIGURES.get(word, word)
    if len(figure) == 1:
        found += [figure, figure.upper(), f"-{figure}", f"-{figure.upper()}"]
    return found


def surfaces(word: str) -> list[str]:
    """Spellings of one word that stand after a space."""
    if word in _ALWAYS_CAPITAL:
        return [word.capitalize()]
    found = [word, word.capitalize()]
    if word in _FIGURES:
        found.append(_FIGURES[word])
    if len(word) <= 3 and word.isalpha():
        found.append(word.upper())
    found += _OTHER.get(word, ())
    return list(dict.fromkeys(found))

"""Choosing the names that the recogniser is made ready for, and how strongly.

Each entry is scored by what the question expects, by names that the context holds, and by how near
its vector is to what was said and replied. The best go into the bias; their scores become priors.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import log

import numpy as np
import numpy.typing as npt

from agent.biasing import NO_BIAS, Bias, Phrase
from agent.context import Vectors
from agent.context.library import Indices, Library
from agent.context.signals import Reading
from agent.events import Expectation

Scores = npt.NDArray[np.float32]

EXPECTED = {Expectation.NAME: ("contact", "place"), Expectation.LIST_ITEM: ("place", "device")}
"""Kinds of entry that answer each kind of question; the rest say nothing of the kind."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much each kind of evidence counts, in units of cosine similarity."""

    expected: float = 0.10
    """An entry of a kind that answers the question."""
    kind: float = 0.15
    """An entry of a kind that a signal names."""
    named: float = 0.5
    """An entry whose whole name the context holds; later names count a little less."""
    word: float = 0.3
    """An entry with a word that was said, divided by 1 + log of how many have it."""
    user: float = 0.8
    """Similarity to the user's side."""
    agent: float = 0.2
    """Similarity to the agent's side."""
    prior: float = 4.0
    """Natural log of the weight by which an entry's prior grows with each unit of its score."""


STRENGTHS = Strengths()
HEAVIEST, LIGHTEST = 3.0, 0.5
"""Limits of a weight; an answer that the question itself offers has 4."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries chosen, best first."""

    chosen: Indices = field(repr=False)
    weights: Scores = field(repr=False)
    """Relative prior of each."""
    by_vector: bool
    """Whether vectors took part."""


def scores(library: Library, reading: Reading, expectation: Expectation,
           vectors: Vectors | None = None, *, scan: int | None = None,
           strengths: Strengths = STRENGTHS) -> Scores:
    """The score of every entry, ``float32[entries]``.

    Args:
        library: What the user can name.
        reading: What the signals say.
        expectation: What the question expects.
        vectors: Of the user's and the agent's side, ``float32[2, 384]``; None where there is none.
        scan: Entries that are compared by vector at most; those that score best without it.
        strengths: How much each kind of evidence counts.
    """
    found = np.zeros(len(library), np.float32)
    for kind in EXPECTED.get(expectation, ()):
        found[library.kinds.get(kind, _NONE)] += strengths.expected
    for kind in reading.kinds:
        found[library.kinds.get(kind, _NONE)] += strengths.kind
    _name(found, library, reading, strengths)
    if vectors is None or library.vectors is None:
        return found
    both = strengths.user * vectors[0] + strengths.agent * vectors[1]
    if scan is None or scan >= len(library):
        found += library.vectors @ both
        return found
    likely = np.argpartition(-found, scan - 1)[:max(1, scan)]
    near = library.vectors[likely] @ both
    found[likely] += near - np.median(near)  # what was not compared counts as of middling nearness
    return found


def _name(found: Scores, library: Library, reading: Reading, strengths: Strengths) -> None:
    for rank, name in enumerate(reading.names):
        lower = name.lower()
        if lower in library.texts:
            found[library.texts[lower]] += strengths.named / (1 + rank / 50)
        elif lower in library.words:
            having = library.words[lower]
            found[having] += strengths.word / (1 + log(len(having)))


def choose(library: Library, reading: Reading, expectation: Expectation,
           vectors: Vectors | None = None, *, limit: int, scan: int | None = None,
           strengths: Strengths = STRENGTHS) -> Selection:
    """The ``limit`` best entries and their weights; see ``scores``.

    Entries of equal score keep their order.
    """
    score = scores(library, reading, expectation, vectors, scan=scan, strengths=strengths)
    order = _best(score, limit)
    by_vector = vectors is not None and library.vectors is not None
    return Selection(order.astype(np.int32), _weights(score, order, strengths.prior), by_vector)


def _best(score: Scores, limit: int) -> npt.NDArray[np.intp]:
    if len(score) > 4 * limit:
        least = -np.partition(-score, limit - 1)[limit - 1]
        some = np.flatnonzero(score >= least)
        return some[np.argsort(-score[some], kind="stable")[:limit]]
    return np.argsort(-score, kind="stable")[:limit]


def _weights(score: Scores, order: npt.NDArray[np.intp], slope: float) -> Scores:
    if not len(order):
        return np.zeros(0, np.float32)
    middle = np.median(score[order])
    raised: Scores = np.exp(slope * (score[order] - middle)).astype(np.float32)
    return raised.clip(LIGHTEST, HEAVIEST)


@dataclass(frozen=True)
class Sayable:
    """A standing bias, indexed by the names in it."""

    bias: Bias = NO_BIAS
    named: dict[str, Phrase] = field(default_factory=dict, repr=False)
    """Phrases that are names of the library, by their text."""
    others: tuple[Phrase, ...] = field(default=(), repr=False)
    slots: tuple[dict[str, list[str]], ...] = field(default=(), repr=False)
    """What each slot may hold, by its text in lower case; in the order of the bias's slots."""

    @classmethod
    def of(cls, bias: Bias, library: Library) -> Sayable:
        """Index a bias; takes time for thousands of names, and is done once for a catalogue."""
        named: dict[str, Phrase] = {}
        others = []
        for phrase in bias.phrases:
            if phrase.text.lower() in library.texts:
                named.setdefault(phrase.text, phrase)
            else:
                others.append(phrase)
        slots = []
        for _, values in bias.slots:
            held: dict[str, list[str]] = {}
            for value in values:
                held.setdefault(value.lower(), []).append(value)
            slots.append(held)
        return cls(bias, named, tuple(others), tuple(slots))

    def narrowed(self, library: Library, selection: Selection, limit: int) -> Bias:
        """The bias with only what was chosen, weighted; commands over it stay.

        Args:
            library: Where the selection comes from.
            selection: What was chosen.
            limit: Names up to which all stay, chosen or not.
        """
        weights: dict[str, float] = {}
        for place, weight in zip(selection.chosen, selection.weights, strict=True):
            weights.setdefault(library.entries[place].text, float(weight))
        if len(library) <= limit:
            return replace(self.bias, phrases=tuple(
                replace(p, weight=p.weight * weights.get(p.text, 1.0))
                for p in self.bias.phrases))
        phrases = tuple(replace(self.named[text], weight=self.named[text].weight * weight)
                        for text, weight in weights.items() if text in self.named)
        return replace(self.bias, phrases=(*phrases, *self.others),
                       slots=self._slots(weights, limit))

    def _slots(self, weights: dict[str, float],
               limit: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Slots of many names hold the chosen ones, and those that are a word of one."""
        allowed = dict.fromkeys(text.lower() for text in weights)
        allowed |= dict.fromkeys(word for text in allowed for word in text.split())
        slots = []
        for (name, values), held in zip(self.bias.slots, self.slots, strict=True):
            if len(values) > limit:
                values = tuple(v for text in allowed for v in held.get(text, ()))
            slots.append((name, values))
        return tuple(slots)


_NONE: Indices = np.zeros(0, np.int32)

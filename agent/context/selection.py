"""Choosing the names that the recogniser is made ready for, and how strongly.

Each entry is scored by what the question expects, by names that the context holds, and by how near
its vector is to what was said and replied. The best go into the bias; scores become log priors.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from math import log

import numpy as np
import numpy.typing as npt

from agent.biasing import NO_BIAS, Background, Bias, Phrase
from agent.biasing.retrieval import Searchable
from agent.context import Vectors
from agent.context.library import Indices, Library
from agent.context.signals import Reading
from agent.events import Expectation

Scores = npt.NDArray[np.float32]

EXPECTED = {Expectation.NAME: ("contact", "place"), Expectation.LIST_ITEM: ("place", "device")}
"""Kinds of entry that answer each kind of question; the rest say nothing of the kind."""


@dataclass(frozen=True, slots=True)
class Strengths:
    """How much each kind of evidence counts, in nats.

    An entry's chance grows with e to the power of its score (a conditional logit, McFadden 1974);
    ``agent.evaluate.prior_fitting`` fits the strengths on dialogues.
    """

    expected: float = 4.0
    """An entry of a kind that answers the question."""
    kind: float = 2.7
    """An entry of a kind that a signal names."""
    named: float = 5.6
    """An entry whose whole name the context holds; later names count a little less."""
    word: float = 3.9
    """An entry with a word that was said, divided by 1 + log of how many have it."""
    user: float = 16.5
    """Each unit of cosine similarity to the user's side."""
    agent: float = 1.0
    """Each unit of cosine similarity to the agent's side."""
    doubt: float = 0.1
    """Chance that the context has nothing to do with the answer."""


STRENGTHS = Strengths()


@dataclass(frozen=True, slots=True)
class Selection:
    """The entries chosen, best first."""

    chosen: Indices = field(repr=False)
    log_priors: Scores = field(repr=False)
    """Of every entry, ``float32[entries]``: log of its chance to be the answer over the chance that
    it would have if nothing were known of the turn. Nats."""
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
    """The ``limit`` best entries, and how likely each is; see ``scores``.

    Entries of equal score keep their order.
    """
    score = scores(library, reading, expectation, vectors, scan=scan, strengths=strengths)
    order = _best(score, limit)
    by_vector = vectors is not None and library.vectors is not None
    return Selection(order.astype(np.int32), log_priors(score, strengths.doubt), by_vector)


def _best(score: Scores, limit: int) -> npt.NDArray[np.intp]:
    if len(score) > 4 * limit:
        least = -np.partition(-score, limit - 1)[limit - 1]
        some = np.flatnonzero(score >= least)
        return some[np.argsort(-score[some], kind="stable")[:limit]]
    return np.argsort(-score, kind="stable")[:limit]


def log_priors(score: Scores, doubt: float = STRENGTHS.doubt) -> Scores:
    """How much likelier scores make entries than chance does, in nats: 0 where all are alike.

    Args:
        score: Of every entry.
        doubt: Chance that scores mean nothing: no entry is ruled out.
    """
    if not len(score):
        return np.zeros(0, np.float32)
    raised = np.exp(score - score.max())
    return np.asarray(np.log((1 - doubt) * raised / raised.mean() + doubt), np.float32)


@dataclass(frozen=True)
class Sayable:
    """A standing bias, indexed by the names in it."""

    bias: Bias = NO_BIAS
    named: dict[str, Phrase] = field(default_factory=dict, repr=False)
    """Phrases that are names of the library, by their text."""
    others: tuple[Phrase, ...] = field(default=(), repr=False)
    slots: tuple[dict[str, list[str]], ...] = field(default=(), repr=False)
    """What each slot may hold, by its text in lower case; in the order of the bias's slots."""
    answers: Searchable = field(default_factory=lambda: Searchable(()), repr=False)
    """Phrases that are whole answers."""
    places: Indices = field(default_factory=lambda: np.zeros(0, np.int32), repr=False)
    """``int32[answers]``: the entry of the library that each is; -1 for none."""

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
        answers = tuple(p for p in bias.phrases if p.kind not in _PARTIAL)
        found = [library.texts.get(p.text.lower(), _NONE) for p in answers]
        places = np.array([at[0] if len(at) else -1 for at in found], np.int32)
        return cls(bias, named, tuple(others), tuple(slots), Searchable(answers), places)

    def narrowed(self, library: Library, selection: Selection, limit: int) -> Bias:
        """The bias with only what was chosen, and its priors; commands over it stay.

        What was not chosen goes to the background.

        Args:
            library: Where the selection comes from.
            selection: What was chosen.
            limit: Names up to which all stay, chosen or not.
        """
        of = selection.log_priors
        if len(library) <= limit:
            return replace(self.bias, phrases=tuple(
                replace(p, log_prior=float(of[library.texts[p.text.lower()][0]]))
                if p.text in self.named else p for p in self.bias.phrases))
        chosen: dict[str, float] = {}
        for place in selection.chosen:
            chosen.setdefault(library.entries[place].text, float(of[place]))
        phrases = tuple(replace(self.named[text], log_prior=log_prior)
                        for text, log_prior in chosen.items() if text in self.named)
        background = np.where(self.places >= 0, of[self.places], np.float32(0))
        return replace(self.bias, phrases=(*phrases, *self.others),
                       slots=self._slots(chosen, limit),
                       background=Background(self.answers, background))

    def _slots(self, chosen: Iterable[str], limit: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Slots of many names hold the chosen ones, and those that are a word of one."""
        allowed = dict.fromkeys(text.lower() for text in chosen)
        allowed |= dict.fromkeys(word for text in allowed for word in text.split())
        slots = []
        for (name, values), held in zip(self.bias.slots, self.slots, strict=True):
            if len(values) > limit:
                values = tuple(v for text in allowed for v in held.get(text, ()))
            slots.append((name, values))
        return tuple(slots)


_PARTIAL = ("screen", "carrier", "alternative")
"""Kinds of phrase that are no whole answers."""
_NONE: Indices = np.zeros(0, np.int32)

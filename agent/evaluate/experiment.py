"""Which signals help: selection and recognition of answers under different sets of signals.

Every dialogue ends with a question; what counts is whether the right answer is among the names
that the recogniser is made ready for, its rank, and, with audio, what is then recognised.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from agent.asr import Prepared, Recogniser
from agent.biasing import Bias, builders
from agent.biasing.retrieval import NEARER
from agent.context import Signal, TurnContext, selection, signals
from agent.context.hosting import Encoding
from agent.context.library import Library
from agent.evaluate import scoring
from agent.evaluate.experiment_cache import Cache, digest
from agent.events import Expectation, Samples

VERSION = 3
"""Of how a selection is recognised: with another one, results are computed anew."""
RECENCY = ("carry-over", "screen")
"""The signals that hold nothing but what was told or shown lately."""
Mode = Literal["choose", "random", "everything"]


@dataclass(frozen=True, slots=True)
class SignalSet:
    """What the selection may know."""

    name: str
    signals: tuple[str, ...] = ()
    vectors: bool = True
    mode: Mode = "choose"


@dataclass(frozen=True, slots=True)
class Case:
    """A question in its context, its right answer, and the audio of it."""

    id: str
    turn: TurnContext = field(repr=False)
    answer: str = field(repr=False)
    audio: Callable[[], Samples] | None = field(default=None, repr=False)
    audio_name: str = ""
    """Names the audio's content."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one case under one set."""

    case: str
    selected: bool
    rank: int
    """Entries that scored better than the right one, those of equal score before it included."""
    exact: bool | None = None
    errors: int = 0
    words: int = 0


@dataclass
class Bench:
    """What cases are tried on.

    Args:
        library: What the user can name, with vectors.
        encoder: Makes the vectors of the turns.
        version: Of the encoder.
        cache: Where results are kept.
        available: The signals there are.
        limit: Names selected.
        recogniser: Recognises the answers; None leaves that out.
        recognised_by: Names its model and thresholds.
        strengths: How much each kind of evidence counts.
    """

    library: Library
    encoder: Encoding
    version: str
    cache: Cache
    available: Sequence[Signal]
    limit: int = 300
    recogniser: Recogniser | None = None
    recognised_by: str = ""
    strengths: selection.Strengths = selection.STRENGTHS

    def __post_init__(self) -> None:
        self._base = standing(self.library)
        self._sayable = selection.Sayable.of(self._base, self.library)
        self._content = digest(self.version, [(e.text, e.kind, e.about)
                                              for e in self.library.entries],
                               self.limit, str(self.strengths), NEARER, VERSION)
        self._everything: dict[tuple[Expectation, tuple[str, ...]], Prepared] = {}
        self._encoded: dict[tuple[str, str], Any] = {}

    def run(self, cases: Sequence[Case], of: SignalSet) -> Iterator[Row]:
        """Try every case under one set of signals, in order."""
        used = [signal for signal in self.available if signal.name in of.signals]
        for case in cases:
            reading = signals.read(used, case.turn)
            heard = ((self.recogniser.name, self.recognised_by)
                     if self.recogniser is not None and case.audio else "")
            key = digest(self._content, of.vectors, of.mode, case.id if of.mode == "random" else "",
                         reading.user, reading.agent, reading.names, sorted(reading.kinds),
                         case.turn.expectation, case.turn.alternatives, case.answer, heard,
                         case.audio_name if heard else "")
            made = self.cache.row(key, lambda c=case, r=reading: self._try(c, of, r))  # type: ignore[misc]
            yield Row(case.id, **made)

    def _try(self, case: Case, of: SignalSet, reading: signals.Reading) -> dict[str, Any]:
        vectors = self._vectors(reading) if of.vectors and of.mode == "choose" else None
        chosen = self._choose(case, of, reading, vectors)
        texts = {self.library.entries[i].text for i in chosen.chosen}
        row: dict[str, Any] = {
            "selected": case.answer in texts or case.answer in case.turn.alternatives,
            "rank": self._rank(case, of, reading, vectors)}
        if self.recogniser is not None and case.audio is not None:
            text = self._recognise(self.recogniser, case, of, chosen)
            errors, words = scoring.word_errors(text, case.answer)
            row |= {"exact": scoring.exact(text, case.answer), "errors": errors, "words": words}
        return row

    def _vectors(self, reading: signals.Reading) -> Any:
        if reading.texts not in self._encoded:
            self._encoded[reading.texts] = self.encoder.encode(reading.texts)
        return self._encoded[reading.texts]

    def _choose(self, case: Case, of: SignalSet, reading: signals.Reading,
                vectors: Any) -> selection.Selection:
        count = len(self.library)
        if of.mode == "choose":
            return selection.choose(self.library, reading, case.turn.expectation, vectors,
                                    limit=self.limit, strengths=self.strengths)
        places = np.arange(count)
        if of.mode == "random":
            drawn = random.Random(case.id).sample(range(count), min(count, self.limit))
            places = np.array(sorted(drawn))
        return selection.Selection(places.astype(np.int32),
                                   np.zeros(count, np.float32), False)

    def _rank(self, case: Case, of: SignalSet, reading: signals.Reading, vectors: Any) -> int:
        """Of the right answer among all entries; half of them where order means nothing."""
        right = self.library.texts.get(case.answer.lower())
        if of.mode != "choose" or right is None:
            return len(self.library) // 2
        score = selection.scores(self.library, reading, case.turn.expectation, vectors,
                                 strengths=self.strengths)
        best = int(right[int(np.argmax(score[right]))])
        return int((score > score[best]).sum() + (score[:best] == score[best]).sum())

    def _recognise(self, recogniser: Recogniser, case: Case, of: SignalSet,
                   chosen: selection.Selection) -> str:
        assert case.audio is not None
        turn = case.turn
        if of.mode == "everything":
            key = (turn.expectation, turn.alternatives)
            if key not in self._everything:
                self._everything[key] = recogniser.prepare(builders.turn(self._base, *key))
            prepared = self._everything[key]
        else:
            base = self._sayable.narrowed(self.library, chosen, self.limit)
            if of.mode == "random":
                base = replace(base, background=None)
            prepared = recogniser.prepare(builders.turn(base, turn.expectation,
                                                        turn.alternatives))
        recognition = recogniser.start(prepared)
        try:
            recognition.accept(case.audio())
            recognition.finish()
            return recognition.decide().text
        finally:
            recognition.close()


def standing(library: Library) -> Bias:
    """The standing bias over everything in a library."""
    by_kind: dict[str, list[str]] = {"contact": [], "device": [], "place": [], "screen": []}
    for entry in library.entries:
        by_kind.get(entry.kind, by_kind["place"]).append(entry.text)
    return builders.standing(builders.Catalogue(
        tuple(by_kind["contact"]), tuple(by_kind["device"]), tuple(by_kind["place"]),
        tuple(by_kind["screen"])))


def usual_sets(available: Sequence[Signal], *, recognition: bool) -> tuple[SignalSet, ...]:
    """Baselines, each signal on top of expectation and recency, and all of them."""
    every = tuple(signal.name for signal in available)
    recency = tuple(name for name in every if name in RECENCY)
    sets = [SignalSet("random", mode="random"),
            SignalSet("expectation and recency", recency, vectors=False)]
    sets += [SignalSet(f"+ {name}", (*recency, name)) for name in every if name not in RECENCY]
    sets += [SignalSet("all, without vectors", every, vectors=False),
             SignalSet("all signals", every)]
    if recognition:
        sets.insert(0, SignalSet("everything, equal weight", mode="everything"))
    return tuple(sets)

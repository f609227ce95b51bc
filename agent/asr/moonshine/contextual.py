"""What the context would have been heard as: the best candidate, and the evidence for it.

Candidates come from two sides: a search that hears nothing but what the bias allows, and forced
scoring of the phrases that sound like the free transcript. Neither is boosted, so their scores
compare with the free transcript's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from agent.asr.moonshine import mending, scoring
from agent.asr.moonshine.grammar_search import Compiled, Found, search
from agent.asr.moonshine.model import Encoded, Model
from agent.asr.moonshine.search import Decoded
from agent.asr.moonshine.tokens import Tokens
from agent.biasing import Bias, Phrase, answers, distance, fillers, letters, pronunciation
from agent.biasing.arbitration import Evidence, Shape
from agent.biasing.grammar import Grammar
from agent.biasing.phones import Phones
from agent.biasing.retrieval import Retriever, retriever
from agent.biasing.settings import Settings
from agent.biasing.words import said
from agent.events import Expectation

WIDE_CATALOGUE = 400
"""Answers from which the search keeps twice as many hypotheses."""
MENDED = 1.0
"""Nats a token against a sentence of which only a name is known: whole commands are likelier."""
MANY_SENTENCES = 2_000
"""Carriers from which it does."""
clock: Callable[[], float] = time.monotonic
"""What budgets are counted in; benchmarks on a busy machine count processor time instead."""
_COHORT = 10
"""Other candidates whose mean score the best one is compared with."""
_BARE = ("{offered}", "{known}")
_BATCH = 12
"""Candidates scored at once; as many batches are run as the measured time of one allows."""
_PRIORS = {Expectation.SPELLING: letters.spelling_cost, Expectation.NUMBER: letters.number_cost}


@dataclass(frozen=True)
class Context:
    """A bias in Moonshine's own form. Thread-safe once made."""

    bias: Bias
    lists: tuple[tuple[tuple[Phrase, ...], Retriever], ...] = field(repr=False)
    """Whole answers, and how to find them by sound."""
    compiled: Compiled | None = field(repr=False)
    """What the catalogue allows."""
    bare: Compiled | None = field(repr=False)
    """The answers that were asked for, with nothing around them; only where some were."""
    expected: Compiled | None = field(repr=False)
    """What the expected form of the answer allows."""
    whole: frozenset[str] = field(repr=False)
    """Texts that may be whole answers."""
    log_priors: dict[str, float] = field(repr=False)
    """Nats that the turn's context says for or against a phrase, where it says anything."""

    @property
    def size(self) -> int:
        """Number of whole answers."""
        return sum(len(phrases) for phrases, _ in self.lists)

    @property
    def is_wide(self) -> bool:
        """Whether much can be said, so that a narrow search would lose the right one early."""
        return self.size > WIDE_CATALOGUE or len(self.bias.carriers) > MANY_SENTENCES

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to hear but the free transcript."""
        return self.compiled is None and self.expected is None


def prepare(bias: Bias, vocabulary: Tokens) -> Context:
    """Compile a bias; off the voice path.

    What the question offers and what stands in the catalogue are kept apart: the second has been
    compiled before, and only the first changes from turn to turn.
    """
    whole = [p for p in bias.phrases if p.kind not in ("screen", "carrier")]
    offered = tuple(p for p in whole if p.kind == "alternative")
    known = tuple(p for p in whole if p.kind != "alternative")
    slots = dict(bias.slots)
    slots["offered"] = tuple(p.text for p in offered)
    slots["known"] = tuple(p.text for p in known)
    carriers = [*bias.carriers, *_BARE]
    carriers += [p.text.replace("{", "").replace("}", "") for p in bias.phrases
                 if p.kind == "carrier"]
    screen = [p.text for p in bias.phrases if p.kind == "screen"]
    grammar = Grammar(screen, fillers.COSTS if screen else None, carriers, slots)
    compiled = Compiled(grammar, vocabulary) if grammar.start else None
    lists = tuple((part, retriever(part)) for part in (offered, known) if part)
    if bias.background is not None:
        bias.background.names.retriever  # noqa: B018 - made now, off the voice path
    context = Context(bias, lists, compiled, _bare(bias, offered, known, vocabulary),
                      _expected(bias.expectation, vocabulary), frozenset(p.text for p in whole),
                      {p.text: p.log_prior for p in bias.phrases if p.log_prior})
    _spell_out(context)
    return context


def _bare(bias: Bias, offered: tuple[Phrase, ...], known: tuple[Phrase, ...],
          vocabulary: Tokens) -> Compiled | None:
    likely = {"offered": tuple(p.text for p in offered),
              "known": tuple(p.text for p in known if p.weight >= 1)}
    if bias.expectation not in (Expectation.NAME, Expectation.LIST_ITEM):
        return None
    grammar = Grammar(carriers=_BARE, slots=likely)
    return Compiled(grammar, vocabulary) if grammar.start else None


def _spell_out(context: Context) -> None:
    """Make the prefix trees that every search begins with."""
    for compiled in (context.compiled, context.bare, context.expected):
        if compiled is not None:
            for state in compiled.grammar.start:
                for table, _ in compiled.grammar.tables(state):
                    compiled.trie(table)


def _expected(expectation: Expectation, vocabulary: Tokens) -> Compiled | None:
    grammar = answers.grammar(expectation)
    if grammar is None:
        return None
    gain = letters.known_word_gain if expectation is Expectation.SPELLING else None
    return Compiled(grammar, vocabulary, repeats=True, prior=_PRIORS.get(expectation), gain=gain)


class Deadline:
    """When the time for context is over.

    Args:
        seconds: From now; None means never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else clock() + seconds

    def passed(self) -> bool:
        """Whether it is over."""
        return self._end is not None and clock() >= self._end

    def left(self) -> float:
        """Seconds left; infinite without a limit."""
        return float("inf") if self._end is None else self._end - clock()


@dataclass(frozen=True, slots=True)
class _Candidate:
    text: str
    shape: Shape
    total: float
    tokens: int
    prior: float = 0.0
    labels: tuple[str, ...] = ()
    coverage: float = 1.0
    log_prior: float = 0.0
    """Of the labels, by the turn's context: one for the whole text, not for each token."""

    @property
    def heard(self) -> float:
        """How well the audio and the kind of answer speak for it, nats a token."""
        return self.total / max(1, self.tokens) + self.prior

    @property
    def rank(self) -> float:
        return self.heard + self.log_prior / max(1, self.tokens)


def gather(model: Model, encoded: Encoded, free: Sequence[Decoded], context: Context,
           settings: Settings, deadline: Deadline) -> Evidence | None:
    """The best candidate that the context has for the speech; None when it has none.

    Args:
        model: The networks.
        encoded: The speech.
        free: Free transcripts, best first.
        context: The prepared bias.
        settings: Beam and number of candidates.
        deadline: When to stop; what has been found until then counts.
    """
    found: list[_Candidate] = []
    if context.expected is not None:
        found += _searched(model, encoded, context.expected, 8, context, deadline, Shape.ANSWER)
    if context.compiled is not None:
        wide = settings.beam * (2 if context.is_wide else 1)
        if context.bare is not None:
            found += _searched(model, encoded, context.bare, wide, context, deadline, None)
        heard = said(free[0].text) if free else ()
        found += _searched(model, encoded, context.compiled.with_free_words(heard), wide, context,
                           deadline, None)
        found += _scored(model, encoded, free, found, context, settings, deadline)
    if context.bias.expectation is Expectation.FREE and not deadline.passed():
        found += _mended(model, encoded, free, context, deadline)
    best: dict[str, _Candidate] = {}
    for candidate in sorted(found, key=lambda c: -c.rank):
        best.setdefault(candidate.text.lower(), candidate)
    ranked = list(best.values())
    return _evidence(ranked, free[0], context) if ranked and free else None


def _searched(model: Model, encoded: Encoded, compiled: Compiled, width: int, context: Context,
              deadline: Deadline, shape: Shape | None) -> list[_Candidate]:
    found = search(model, encoded, compiled, width, width, deadline.passed)
    return [_Candidate(f.text, kind, f.total - f.cost + f.gain, f.tokens,
                       context.bias.prior(f.labels, bare=kind is Shape.PHRASE), f.labels,
                       f.covered / max(1, f.words),
                       sum(context.log_priors.get(label, 0.0) for label in f.labels))
            for f in found for kind in (shape or _shape(f, context),)
            if f.labels or kind is not Shape.LOOP]


def _shape(found: Found, context: Context) -> Shape:
    alone = len(found.labels) == 1 and found.covered == found.words
    # A kind of shop may stand alone in a carrier, but nothing of the user's is called so.
    if alone and (not found.sentence or found.labels[0] in context.whole):
        return Shape.PHRASE
    return Shape.SENTENCE if found.sentence else Shape.LOOP


def _scored(model: Model, encoded: Encoded, free: Sequence[Decoded], found: list[_Candidate],
            context: Context, settings: Settings, deadline: Deadline) -> list[_Candidate]:
    """Whole answers that sound like the free transcript, and those found, scored as written."""
    log_priors = {c.text: c.log_prior for c in found if c.shape is Shape.PHRASE}
    for decoded in free[:2]:
        for phones in pronunciation.of_text(decoded.text)[:1]:
            log_priors |= _by_sound(phones, context, settings.candidates)
    texts = list(log_priors)
    scores = _scores(model, encoded, [f"{text}." for text in texts], deadline)
    return [_Candidate(text, Shape.PHRASE, entry.total, len(entry.tokens) + 1,
                       context.bias.prior((text,), bare=True), (text,),
                       log_prior=log_priors[text])
            for text, entry in zip(texts, scores, strict=False)]


def _scores(model: Model, encoded: Encoded, texts: Sequence[str],
            deadline: Deadline) -> Iterator[scoring.TextScore]:
    """Scores of as many texts as there is time for, by the measured time of a batch."""
    slowest = 0.0
    for start in range(0, len(texts), _BATCH):
        before = clock()
        if start and deadline.left() < slowest:
            return
        yield from scoring.score(model, encoded, texts[start:start + _BATCH])
        slowest = max(slowest, clock() - before)


def _mended(model: Model, encoded: Encoded, free: Sequence[Decoded], context: Context,
            deadline: Deadline) -> list[_Candidate]:
    """The free transcript with names in place of what sounds like them."""
    made = mending.variants(free[0].text, context.lists) if free else []
    scores = _scores(model, encoded, [variant.text for variant in made], deadline)
    return [_Candidate(variant.text, Shape.MENDED, entry.total, len(entry.tokens) + 1, -MENDED,
                       variant.labels, variant.covered / max(1, variant.words),
                       sum(context.log_priors.get(label, 0.0) for label in variant.labels))
            for variant, entry in zip(made, scores, strict=False)]


def _by_sound(phones: Phones, context: Context, limit: int) -> dict[str, float]:
    """Phrases that sound like what was heard, or are likely, and their log priors.

    What the question offers has places of its own; what is prepared and what stands in the
    background share theirs.
    """
    offered: dict[str, float] = {}
    others: list[tuple[float, str, float]] = []
    for phrases, names in context.lists:
        log_priors = np.array([p.log_prior for p in phrases], np.float32)
        near = [(match.per_phone, phrases[match.index].text, phrases[match.index].log_prior)
                for match in names.nearest(phones, limit, log_priors)]
        if phrases[0].kind == "alternative":
            offered = {text: log_prior for _, text, log_prior in near}
        else:
            others = near
    background = context.bias.background
    if background is not None:
        others += [(match.per_phone, background.names.phrases[match.index].text,
                    float(background.log_priors[match.index]))
                   for match in background.names.retriever.nearest(phones, limit,
                                                                   background.log_priors)]
        others.sort(key=lambda other: other[0])
    shared = dict(islice({text: log_prior for _, text, log_prior in others}.items(), limit))
    return shared | offered


def _evidence(ranked: list[_Candidate], free: Decoded, context: Context) -> Evidence:
    best = ranked[0]
    words = set(said(" ".join(best.labels) or best.text))
    others = sorted((c.heard for c in ranked[1:] if words.isdisjoint(said(c.text))), reverse=True)
    sounds, free_sounds = pronunciation.of_text(best.text), pronunciation.of_text(free.text)
    nearest, phones, free_phones = 4.0, 0, 0
    for one in sounds:
        for other in free_sounds[:1]:
            apart = distance.per_phone(one, other)
            if apart <= nearest:
                nearest, phones, free_phones = apart, len(one), len(other)
    offered = {p.text for p in context.bias.phrases if p.kind == "alternative"}
    return Evidence(
        best.shape, free.text, free.total, max(1, free.log_probs.size), best.text, best.total,
        best.tokens, others[0] if others else None, nearest,
        phones or len(sounds[0]) if sounds else 0, free_phones, best.coverage,
        bool(best.labels) and best.labels[-1] in offered, context.bias.expectation, best.labels,
        tuple(c.text for c in ranked[1:6]),
        sum(others[:_COHORT]) / len(others[:_COHORT]) if others else None,
        _worst_part(best.labels, free.text), _is_part(best, context.bias), best.log_prior,
        _mean_log_prior(ranked))


def _mean_log_prior(candidates: Sequence[_Candidate]) -> float:
    known = [c.log_prior for c in candidates if c.labels]
    return sum(known) / len(known) if known else 0.0


def _is_part(candidate: _Candidate, bias: Bias) -> bool:
    """Whether it is a part of a name that was not asked for."""
    weights = [p.weight for p in bias.phrases if p.text in candidate.labels]
    return candidate.shape is Shape.PHRASE and bool(weights) and max(weights) < 1.0


def _worst_part(labels: Sequence[str], heard: str) -> float:
    """How far the phrases' least like word is from the stretch of the free text nearest to it."""
    free = pronunciation.of_text(heard)[:1]
    if not free:
        return 4.0
    return max((min((distance.inside(phones, free[0]) for phones in pronunciation.of_text(word)),
                    default=0.0) for label in labels for word in said(label)), default=0.0)

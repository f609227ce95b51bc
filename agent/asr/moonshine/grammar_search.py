"""Beam search that hears nothing but what a ``Grammar`` accepts.

Scores are the network's own log probabilities, less the grammar's costs: nothing is boosted, so
nothing can be gained by repeating a phrase. Several readings of the same tokens ("medium" the
size, or the beginning of "medium roast") are kept together as one hypothesis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from agent.asr.moonshine.model import Encoded, Floats, Model, log_softmax
from agent.asr.moonshine.search import CancelCheck, token_limit
from agent.asr.moonshine.surfaces import Trie, trie
from agent.asr.moonshine.tokens import END, Tokens
from agent.biasing.grammar import Grammar, Node, State

PRUNE = 12.0
"""Nats behind the best hypothesis under way at which one is given up."""
SLACK = 3.0
"""Nats behind the best finished hypothesis at which the search ends."""
_PUNCTUATION = (",", ".", "?", "!")


class Compiled:
    """A grammar in a vocabulary's tokens; tables are spelled when first needed.

    Args:
        grammar: What may be said.
        vocabulary: The model's tokens.
        repeats: Whether the same words may come again and again (digits, letters).
        prior: Nats that the last of the words costs after the others.
        gain: Nats given to a finished transcript's words.
    """

    def __init__(self, grammar: Grammar, vocabulary: Tokens, *, repeats: bool = False,
                 prior: Callable[[Sequence[str]], float] | None = None,
                 gain: Callable[[Sequence[str]], float] | None = None) -> None:
        self.grammar = grammar
        self.prior = prior
        self.gain = gain
        self.repeats = repeats
        self._vocabulary = vocabulary
        self.punctuation = np.array([vocabulary.encode(f"q{mark}")[1] for mark in _PUNCTUATION],
                                    np.int64)

    def with_free_words(self, words: Sequence[str]) -> Compiled:
        """The same with ``words`` in the places that any words may take."""
        other = copy(self)
        other.grammar = self.grammar.with_free_words(words)
        return other

    def trie(self, table: Node) -> Trie:
        """The prefix tree of a node's words."""
        found = table.forms.get(self._vocabulary)
        if not isinstance(found, Trie):
            found = table.forms[self._vocabulary] = trie(self._vocabulary, table.words)
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """A transcript that the grammar accepts."""

    text: str = field(repr=False)
    """Phrases as the catalogue spells them, other words in lower case."""
    labels: tuple[str, ...] = field(repr=False)
    """The phrases that it is made of."""
    covered: int
    """Words that belong to phrases."""
    words: int
    total: float
    """Log probability of the tokens (nats)."""
    cost: float
    """What the grammar took off."""
    tokens: int
    """End token included."""
    gain: float = 0.0
    """What the transcript as a whole was given."""
    sentence: bool = False
    """A carrier sentence, not a loop of phrases."""

    @property
    def mean(self) -> float:
        """Mean log probability a token."""
        return self.total / self.tokens


@dataclass(frozen=True, slots=True)
class _Reading:
    """One way to read the tokens so far."""

    state: State
    """After the last whole word."""
    table: Node | None
    """Whose words the word under way is one of; None between words."""
    place: int
    """Node of the word under way in the table's prefix tree."""
    target: State
    """State whose node the word's own replaces."""
    cost: float = 0.0
    pieces: tuple[str, ...] = ()
    """Finished phrases and fillers."""
    current: tuple[str, ...] = ()
    """Words of the phrase under way."""
    labels: tuple[str, ...] = ()
    covered: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Path:
    tokens: tuple[int, ...]
    total: float
    readings: tuple[_Reading, ...]

    @property
    def merit(self) -> float:
        return self.total - self.readings[0].cost


def search(model: Model, encoded: Encoded, compiled: Compiled, width: int, limit: int,
           cancelled: CancelCheck | None = None) -> list[Found]:
    """Up to ``limit`` transcripts that the grammar accepts, best first.

    Args:
        model: The networks.
        encoded: The speech.
        compiled: What may be said.
        width: Hypotheses kept at each step.
        limit: Transcripts returned at most.
        cancelled: Asked before each step; what has been found so far is returned on True.
    """
    walker = _Walker(compiled)
    paths = [_Path((), 0.0, walker.begin())]
    log_probs, state = log_softmax(encoded.logits)[np.newaxis], encoded.start
    done: dict[str, Found] = {}
    for _ in range(token_limit(encoded)):
        paths, parents = _expand(walker, paths, log_probs, width, done)
        if not paths or _settled(paths[0].merit, done):
            break
        if cancelled is not None and cancelled():
            break
        last = np.array([[path.tokens[-1]] for path in paths], np.int64)
        logits, state = model.step(encoded, state.select(parents), last)
        log_probs = log_softmax(logits[:, -1])
    return sorted(done.values(), key=_rank, reverse=True)[:limit]


def _rank(found: Found) -> float:
    return (found.total - found.cost + found.gain) / found.tokens


def _merit(found: Found) -> float:
    return found.total - found.cost


def _settled(best_under_way: float, done: dict[str, Found]) -> bool:
    return bool(done) and best_under_way < max(map(_merit, done.values())) - SLACK


def _expand(walker: _Walker, paths: Sequence[_Path], log_probs: Floats, width: int,
            done: dict[str, Found]) -> tuple[list[_Path], list[int]]:
    options: list[tuple[float, int, int]] = []
    for row, path in enumerate(paths):
        ended = walker.end(path.readings)
        if ended is not None:
            merit = path.total + float(log_probs[row, END]) - ended.cost
            options.append((merit, row, END))
        tokens, costs = walker.options(path.readings)
        if not len(tokens):
            continue
        merits = path.total + log_probs[row, tokens] - costs
        top = np.argpartition(-merits, width)[:width] if len(merits) > width else np.arange(
            len(merits))
        options.extend((float(merits[i]), row, int(tokens[i])) for i in top)
    options.sort(key=lambda option: -option[0])
    kept: list[_Path] = []
    parents: list[int] = []
    for merit, row, token in options:
        if len(kept) == width or merit < options[0][0] - PRUNE:
            break
        if token == END:
            _finish(paths[row], walker, float(log_probs[row, END]), done)
            continue
        readings = walker.advance(paths[row].readings, token)
        if readings:
            kept.append(_Path((*paths[row].tokens, token),
                              paths[row].total + float(log_probs[row, token]), readings))
            parents.append(row)
    return kept, parents


def _finish(path: _Path, walker: _Walker, log_prob: float, done: dict[str, Found]) -> None:
    reading = walker.end(path.readings)
    if reading is None:
        return
    found = Found(" ".join(reading.pieces), reading.labels, reading.covered, len(reading.words),
                  path.total + log_prob, reading.cost, len(path.tokens) + 1,
                  walker.gain(reading.words), reading.state.sentence)
    before = done.get(found.text)
    if before is None or _rank(found) > _rank(before):
        done[found.text] = found


class _Walker:
    """Moves readings through a compiled grammar."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._grammar = compiled.grammar

    def gain(self, words: Sequence[str]) -> float:
        gain = self._compiled.gain
        return gain(words) if gain is not None else 0.0

    def begin(self) -> tuple[_Reading, ...]:
        return tuple(_Reading(state, None, 0, state) for state in self._grammar.start)

    def end(self, readings: Sequence[_Reading]) -> _Reading | None:
        """The best complete reading when the utterance ends here."""
        best: _Reading | None = None
        for whole in (w for reading in readings for w in self._wholes(reading)):
            if whole.words and self._grammar.can_end(whole.state):
                flushed = self._flush(whole)
                if best is None or flushed.cost < best.cost:
                    best = flushed
        return best

    def options(self, readings: Sequence[_Reading]) -> tuple[npt.NDArray[np.int64], Floats]:
        """Tokens that may come next, each once, with the least cost of those that lead there."""
        tokens: list[npt.NDArray[np.int64]] = []
        costs: list[Floats] = []
        for reading in readings:
            for array in self._next_tokens(reading):
                tokens.append(array)
                costs.append(np.full(len(array), reading.cost, np.float32))
        if not tokens:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        joined, cost = np.concatenate(tokens), np.concatenate(costs)
        if len(tokens) == 1:
            return joined, cost
        order = np.lexsort((cost, joined))
        joined, cost = joined[order], cost[order]
        first = np.ones(len(joined), bool)
        first[1:] = joined[1:] != joined[:-1]
        return joined[first], cost[first]

    def advance(self, readings: Sequence[_Reading], token: int) -> tuple[_Reading, ...]:
        """Readings after ``token``, the cheapest first."""
        found: dict[tuple[State, Node | None, int, State], _Reading] = {}
        for reading in readings:
            for after in self._after(reading, token):
                key = (after.state, after.table, after.place, after.target)
                if key not in found or after.cost < found[key].cost:
                    found[key] = after
        return tuple(sorted(found.values(), key=lambda reading: reading.cost))

    def _next_tokens(self, reading: _Reading) -> list[npt.NDArray[np.int64]]:
        arrays = []
        if reading.table is not None:
            arrays.append(self._compiled.trie(reading.table).tokens(reading.place))
        for whole in self._wholes(reading):
            arrays.extend(self._compiled.trie(table).tokens(0)
                          for table, _ in self._grammar.tables(whole.state))
            if whole.words and reading.table is not None:
                arrays.append(self._compiled.punctuation)
        return [array for array in arrays if len(array)]

    def _after(self, reading: _Reading, token: int) -> list[_Reading]:
        found = []
        if reading.table is not None:
            place = self._compiled.trie(reading.table).children[reading.place].get(token)
            if place is not None:
                found.append(replace(reading, place=place))
        for whole in self._wholes(reading):
            if reading.table is not None and token in self._compiled.punctuation:
                found.append(whole)
            for table, target in self._grammar.tables(whole.state):
                place = self._compiled.trie(table).children[0].get(token)
                if place is not None:
                    found.append(replace(whole, table=table, place=place, target=target))
        return found

    def _wholes(self, reading: _Reading) -> list[_Reading]:
        """The reading with its word under way taken as ended, for every word that it may be."""
        if reading.table is None:
            return [reading]
        words = self._compiled.trie(reading.table).ends[reading.place]
        whole = [self._take(reading, word) for word in words]
        return [w for w in whole if self._compiled.repeats or not repeating(w.words)]

    def _take(self, reading: _Reading, word: str) -> _Reading:
        grammar, table = self._grammar, reading.table
        assert table is not None
        going_on = table is reading.state.node and bool(reading.current)
        base = reading if going_on else self._flush(reading)
        words = (*reading.words, word)
        is_filler = table is grammar.fillers
        cost = base.cost + grammar.cost(word, table)
        if self._compiled.prior is not None:
            cost += self._compiled.prior(words)
        state = replace(reading.target, node=table.words[word])
        if is_filler:
            return replace(base, state=state, table=None, place=0, target=state, words=words,
                           pieces=(*base.pieces, word), cost=cost)
        return replace(base, state=state, table=None, place=0, target=state, words=words,
                       current=(*base.current, word), cost=cost)

    def _flush(self, reading: _Reading) -> _Reading:
        """Close the phrase under way."""
        if not reading.current:
            return reading
        node = reading.state.node
        if node.complete and node.label is not None:
            return replace(reading, pieces=(*reading.pieces, node.label), current=(),
                           labels=(*reading.labels, node.label),
                           covered=reading.covered + len(reading.current))
        cost = reading.cost
        if not reading.state.sentence:
            cost += sum(self._grammar.costs.get(word, 0.0) for word in reading.current)
        return replace(reading, pieces=(*reading.pieces, *reading.current), current=(), cost=cost)


def repeating(words: Sequence[str]) -> bool:
    """Whether the words end in a loop.

    One word three times, two to five words twice in a row, or five words that came before.
    """
    if len(words) >= 3 and words[-1] == words[-2] == words[-3]:
        return True
    for length in range(2, 6):
        if len(words) >= 2 * length and words[-length:] == words[-2 * length:-length]:
            return True
    last = tuple(words[-5:])
    return any(tuple(words[at:at + 5]) == last for at in range(len(words) - 9))

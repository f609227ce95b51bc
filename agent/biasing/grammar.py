"""Word automata: what may be said, word by word.

A ``Grammar`` accepts two kinds of utterance. A *loop* is any sequence of phrases and single
filler words ("can I get a" + "large" + "iced coffee"): once a phrase is begun it must be said to
its end, unless all of what was said of it are fillers too. A *sentence* follows a carrier
template, whose slots take the phrases of a kind ("turn on the {device}"). A recogniser walks the
automaton while it decodes and so hears nothing that does not fit; whether what it heard is to be
believed is for ``arbitration`` to say.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache

from agent.biasing.words import ONES, TENS, said

NUMBER_SLOT = "number"
"""The slot that takes whole numbers from 0 to 100."""
FREE_SLOT = "*"
"""The slot that takes any words: those of the free transcript."""
FREE_COST = 4.0
"""Nats taken off where any words stand: they were heard so freely, and would always fit."""
_SPECIAL = (NUMBER_SLOT, FREE_SLOT)


@dataclass(slots=True, eq=False)
class Node:
    """A place in the automaton."""

    words: dict[str, Node] = field(default_factory=dict)
    """Node after each word."""
    slots: dict[str, Node] = field(default_factory=dict)
    """Node after a phrase of each kind."""
    complete: bool = False
    """A phrase or sentence may end here."""
    fillable: bool = True
    """All words since the phrase began are fillers, so it may be left unfinished."""
    label: str | None = None
    """The phrase that ends here, as the catalogue spells it."""
    forms: dict[Hashable, object] = field(default_factory=dict)
    """A recogniser's own form of ``words``, made once for all grammars that share the node."""


@dataclass(frozen=True, slots=True)
class State:
    """Where an utterance is."""

    node: Node
    after: Node | None = None
    """Node that follows the slot under way; None outside a slot."""
    sentence: bool = False
    """Within a carrier sentence; nothing but its own words may follow."""


class Grammar:
    """A loop over phrases and fillers, and carrier sentences.

    The tree of a slot's phrases is made once and shared by every grammar with the same phrases,
    so that a catalogue of thousands costs nothing when only the question changes.

    Args:
        phrases: Phrases of the loop, as the catalogue spells them.
        fillers: Cost in nats of each word that may stand between phrases.
        carriers: Sentences with slots in braces, each naming one of ``slots``.
        slots: The phrases that each kind of slot takes.
    """

    def __init__(self, phrases: Iterable[str] = (), fillers: Mapping[str, float] | None = None,
                 carriers: Iterable[str] = (),
                 slots: Mapping[str, Sequence[str]] | None = None) -> None:
        self.costs = dict(fillers or {})
        self._root = Node()
        self.fillers = Node(dict.fromkeys(self.costs, self._root))
        for phrase in phrases:
            _add(self._root, said(phrase), phrase, self.costs)
        carriers, named = tuple(carriers), dict(slots or {})
        self._is_open = any(f"{{{FREE_SLOT}}}" in carrier for carrier in carriers)
        kinds = frozenset(kind for kind, held in named.items() if held)
        self._sentences = sentence_tree(carriers, kinds)
        self._slot_roots = {kind: _special(kind) or phrase_tree(tuple(named[kind]))
                            for kind in (*kinds, *_SPECIAL)}

    @property
    def start(self) -> tuple[State, ...]:
        """Where every utterance begins."""
        states = [State(self._root)] if self._root.words or self.costs else []
        if self._sentences.words or self._sentences.slots:
            states.append(State(self._sentences, sentence=True))
        return tuple(states)

    def can_end(self, state: State) -> bool:
        """Whether the utterance may end here."""
        if not state.sentence:
            return state.node.complete or state.node.fillable
        if not state.node.complete:
            return False
        return state.after is None or self.can_end(State(state.after, sentence=True))

    def tables(self, state: State) -> Iterator[tuple[Node, State]]:
        """Words that may come next.

        Yields:
            A node whose ``words`` they are, and the state whose own node is to be replaced by
            the word's. Where the node is ``fillers``, the words stand between phrases.
        """
        node = state.node
        if node.words:
            yield node, state
        if not state.sentence:
            if node.complete or node.fillable:
                if node is not self._root:
                    yield self._root, State(self._root)
                if self.costs:
                    yield self.fillers, State(self._root)
            return
        if state.after is not None:
            if node.complete:
                yield from self.tables(State(state.after, sentence=True))
            return
        for kind, following in node.slots.items():
            root = self._slot_roots[kind]
            yield root, State(root, following, sentence=True)

    def cost(self, word: str, table: Node) -> float:
        """Nats taken off for a word of a table."""
        if table is self.fillers:
            return self.costs[word]
        return FREE_COST if table is self._slot_roots.get(FREE_SLOT) else 0.0

    def with_free_words(self, words: Sequence[str]) -> Grammar:
        """The same grammar, its slot for any words taking runs of ``words``."""
        if not words or not self._is_open:
            return self
        runs = tuple(" ".join(words[start:start + length]) for length in range(1, 5)
                     for start in range(len(words) - length + 1))
        other = copy(self)
        tree = Node()
        for run in runs:
            _add(tree, run.split(), None, {})
        other._slot_roots = {**self._slot_roots, FREE_SLOT: tree}
        return other


def _special(kind: str) -> Node | None:
    if kind == NUMBER_SLOT:
        return _numbers()
    return Node() if kind == FREE_SLOT else None


@lru_cache(maxsize=4)
def sentence_tree(carriers: tuple[str, ...], kinds: frozenset[str]) -> Node:
    """The automaton of carriers, those left out whose slots are of no kind in ``kinds``.

    Thousands of carriers share their endings ("… to {0..100} percent"): equal subtrees are one
    node, which leaves a tenth. The same object for the same carriers: a turn that asks the same
    question again costs nothing.
    """
    root = Node()
    for carrier in carriers:
        pieces = re.split(r"\{([^{}]+)\}", carrier)
        if all(kind in _SPECIAL or kind in kinds for kind in pieces[1::2]):
            _add_carrier(root, pieces)
    return _shared(root, {})


def _add_carrier(root: Node, pieces: Sequence[str]) -> None:
    """Add a carrier, texts and slots by turns."""
    at = root
    for place, piece in enumerate(pieces):
        if place % 2:
            article = pieces[place - 1].split()[-1:] == ["the"]
            at = _slot(at, piece, may_take_article=not article and at is not root)
        else:
            for word in said(piece):
                at = _child(at, word, {})
    if at is not root:
        at.complete = True


def _slot(at: Node, kind: str, *, may_take_article: bool) -> Node:
    """Add a slot; an article before it may be said or left out, whatever the carrier has."""
    following = at.slots.setdefault(kind, Node())
    if may_take_article and ".." not in kind and kind not in _SPECIAL:
        _child(at, "the", {}).slots.setdefault(kind, following)
    return following


def _shared(node: Node, known: dict[tuple[object, ...], Node]) -> Node:
    """The node that stands for all with the same continuations."""
    node.words = {word: _shared(after, known) for word, after in node.words.items()}
    node.slots = {kind: _shared(after, known) for kind, after in node.slots.items()}
    key = (node.complete, node.fillable, node.label,
           frozenset((word, id(after)) for word, after in node.words.items()),
           frozenset((kind, id(after)) for kind, after in node.slots.items()))
    return known.setdefault(key, node)


@lru_cache(maxsize=64)
def phrase_tree(phrases: tuple[str, ...]) -> Node:
    """The tree of some phrases; the same object for the same phrases."""
    root = Node()
    for phrase in phrases:
        _add(root, said(phrase), phrase, {})
    return root


@lru_cache(maxsize=1)
def _numbers() -> Node:
    small = list(ONES)
    for ten in TENS[2:]:
        small.append(ten)
        small.extend(f"{ten} {one}" for one in ONES[1:10])
    root = Node()
    for number in (*small, "one hundred", "a hundred"):
        _add(root, said(number), None, {})
    return root


def _add(root: Node, words: Sequence[str], label: str | None,
         fillers: Mapping[str, float]) -> None:
    """Add a path of words below ``root``, with numbers in words and in figures."""
    for path in dict.fromkeys((tuple(words), tuple(in_figures(words)))):
        at = root
        for word in path:
            at = _child(at, word, fillers)
        if at is not root:
            at.complete = True
            if at.label is None:
                at.label = label


def _child(at: Node, word: str, fillers: Mapping[str, float]) -> Node:
    found = at.words.get(word)
    if found is None:
        found = at.words[word] = Node(fillable=at.fillable and word in fillers)
    return found


def in_figures(words: Sequence[str]) -> list[str]:
    """The words with "twenty four" and the like joined to "24", as many recognisers write it."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in TENS[2:] and word in ONES[1:10]:
            found[-1] = str(10 * TENS.index(found[-1]) + ONES.index(word))
        else:
            found.append(word)
    return found


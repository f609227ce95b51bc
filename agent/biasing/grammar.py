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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent.biasing.words import ONES, TENS, said

NUMBER_SLOT = "number"
"""The slot that takes whole numbers from 0 to 100."""


@dataclass(slots=True)
class Node:
    """A place in the automaton."""

    words: dict[str, int] = field(default_factory=dict)
    """Node after each word."""
    slots: dict[str, int] = field(default_factory=dict)
    """Node after a phrase of each kind."""
    complete: bool = False
    """A phrase or sentence may end here."""
    fillable: bool = True
    """All words since the phrase began are fillers, so it may be left unfinished."""
    label: str | None = None
    """The phrase that ends here, as the catalogue spells it."""


@dataclass(frozen=True, slots=True)
class State:
    """Where an utterance is: a node, the node to return to from a slot, the words so far."""

    node: int
    after: int = -1
    """Node that follows the slot under way; -1 outside a slot."""
    sentence: bool = False
    """Within a carrier sentence; nothing but its own words may follow."""


@dataclass(frozen=True, slots=True)
class Step:
    """One word that may come next."""

    state: State
    cost: float = 0.0
    """Nats taken off for it."""


class Grammar:
    """A loop over phrases and fillers, and carrier sentences.

    Args:
        phrases: Phrases of the loop, as the catalogue spells them.
        fillers: Cost in nats of each word that may stand between phrases.
        carriers: Sentences with slots in braces, each naming one of ``slots``.
        slots: The phrases that each kind of slot takes.
    """

    def __init__(self, phrases: Iterable[str] = (), fillers: Mapping[str, float] | None = None,
                 carriers: Iterable[str] = (),
                 slots: Mapping[str, Sequence[str]] | None = None) -> None:
        self.fillers = dict(fillers or {})
        self._filler_table: Mapping[str, int] = dict.fromkeys(self.fillers, 0)
        self.nodes: list[Node] = [Node()]
        for phrase in phrases:
            self._add(0, said(phrase), phrase)
        self.nodes.append(Node())
        self._sentences = len(self.nodes) - 1
        self._slot_roots: dict[str, int] = {}
        named = dict(slots or {})
        for carrier in carriers:
            self._add_carrier(carrier, named)

    @property
    def start(self) -> tuple[State, ...]:
        """Where every utterance begins."""
        states = [State(0)] if self.nodes[0].words or self.fillers else []
        root = self.nodes[self._sentences]
        if root.words or root.slots:
            states.append(State(self._sentences, sentence=True))
        return tuple(states)

    def can_end(self, state: State) -> bool:
        """Whether the utterance may end here."""
        node = self.nodes[state.node]
        if not state.sentence:
            return node.complete or node.fillable
        if not node.complete:
            return False
        return state.after < 0 or self.can_end(State(state.after, sentence=True))

    def tables(self, state: State) -> Iterator[tuple[int, Mapping[str, int], State]]:
        """Words that may come next, as tables shared between states.

        Yields:
            A number that names the table, the table (word to node), and the state whose ``node``
            is to be replaced by the word's node. The table of fillers has number -1 and leads
            back to the start of the loop.
        """
        node = self.nodes[state.node]
        if node.words:
            yield state.node, node.words, state
        if not state.sentence:
            if state.node and (node.complete or node.fillable):
                yield 0, self.nodes[0].words, State(0)
            if node.complete or node.fillable:
                yield -1, self._filler_table, State(0)
            return
        if state.after >= 0:
            if node.complete:
                yield from self.tables(State(state.after, sentence=True))
            return
        for kind, following in node.slots.items():
            root = self._slot_roots[kind]
            yield root, self.nodes[root].words, State(root, following, sentence=True)

    def cost(self, word: str, table: int) -> float:
        """Nats taken off for ``word`` out of a table."""
        return self.fillers.get(word, 0.0) if table == -1 else 0.0

    def _add(self, root: int, words: Sequence[str], label: str | None) -> int:
        """Add a path of words below ``root``; returns its last node."""
        at = root
        for path in dict.fromkeys((tuple(words), tuple(in_figures(words)))):
            at = root
            for word in path:
                at = self._child(at, word)
            if at != root:
                self.nodes[at].complete = True
                if self.nodes[at].label is None:
                    self.nodes[at].label = label
        return at

    def _child(self, at: int, word: str) -> int:
        found = self.nodes[at].words.get(word)
        if found is None:
            fillable = self.nodes[at].fillable and word in self.fillers
            self.nodes.append(Node(fillable=fillable))
            found = self.nodes[at].words[word] = len(self.nodes) - 1
        return found

    def _add_carrier(self, carrier: str, slots: Mapping[str, Sequence[str]]) -> None:
        pieces = re.split(r"\{([^{}]+)\}", carrier)
        kinds = pieces[1::2]
        if any(kind != NUMBER_SLOT and not slots.get(kind) for kind in kinds):
            return
        at = self._sentences
        for place, piece in enumerate(pieces):
            if place % 2:
                at = self._slot(at, piece, slots)
            else:
                for word in said(piece):
                    at = self._child(at, word)
        if at != self._sentences:
            self.nodes[at].complete = True

    def _slot(self, at: int, kind: str, slots: Mapping[str, Sequence[str]]) -> int:
        if kind not in self._slot_roots:
            self.nodes.append(Node())
            root = self._slot_roots[kind] = len(self.nodes) - 1
            for phrase in (_numbers() if kind == NUMBER_SLOT else slots[kind]):
                self._add(root, said(phrase), None if kind == NUMBER_SLOT else phrase)
        following = self.nodes[at].slots.get(kind)
        if following is None:
            self.nodes.append(Node())
            following = self.nodes[at].slots[kind] = len(self.nodes) - 1
        return following


def in_figures(words: Sequence[str]) -> list[str]:
    """The words with "twenty four" and the like joined to "24", as many recognisers write it."""
    found: list[str] = []
    for word in words:
        if found and found[-1] in TENS[2:] and word in ONES[1:10]:
            found[-1] = str(10 * TENS.index(found[-1]) + ONES.index(word))
        else:
            found.append(word)
    return found


def _numbers() -> list[str]:
    small = list(ONES)
    for ten in TENS[2:]:
        small.append(ten)
        small.extend(f"{ten} {one}" for one in ONES[1:10])
    return [*small, "one hundred", "a hundred"]

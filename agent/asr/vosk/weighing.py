"""Vosk's evidence for and against the grammar's answer, and biases written out as lines.

Totals of the free and of the grammar's graph do not compare, so what decides is common to both:
how far apart the two answers sound, how clearly the grammar's best is ahead of its next, and
whether the two agree.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence

from agent.biasing import Bias, Hypothesis, Phrase, distance, pronunciation
from agent.biasing.arbitration import Evidence, Shape
from agent.biasing.retrieval import retriever
from agent.biasing.words import said

MOST_LINES = 3_000
"""Lines that carriers are written out into, at most."""
_SHORT_LIST, _FAR, _FREE_SHARE = 40, 4.0, 0.3
BARE_WEIGHT = 5.0
"""Of a phrase alone, where an answer is expected; a carrier's line weighs 1."""


def written_out(bias: Bias, knows: Callable[[str], bool]) -> Bias:
    """The bias with its carriers as whole sentences: Vosk's grammar has no slots.

    Carriers of words that the model lacks are left out; only names are worth respelling. The
    grammar is a bigram over the lines, so it joins carriers and names of its own accord, and a
    few lines of each carrier will do.
    """
    slots = dict(bias.slots)
    carriers = [c for c in bias.carriers
                if all(map(knows, said(re.sub(r"\{[^{}]*\}", " ", c))))]
    share = max(1, MOST_LINES // max(1, len(carriers)))
    lines: dict[str, None] = {}
    for carrier in carriers:
        head, brace, rest = carrier.partition("{")
        kind, _, tail = rest.partition("}")
        if not brace:
            lines[carrier] = None
        elif "{" not in tail:
            lines.update(dict.fromkeys(f"{head}{value}{tail}"
                                       for value in slots.get(kind, ())[:share]))
    known = {p.text for p in bias.phrases}
    bare = tuple(dataclasses.replace(p, weight=p.weight * BARE_WEIGHT) for p in bias.phrases)
    carried = tuple(Phrase(line, 1.0, "carrier") for line in lines if line not in known)
    return dataclasses.replace(bias, phrases=(*bare, *carried[:MOST_LINES]))


def weigh(free: Sequence[Hypothesis], context: Sequence[Hypothesis],
          bias: Bias) -> Evidence | None:
    """The evidence for the best answer that the context has; None where it has none.

    A bigram may join half of one phrase to half of another; then the phrase that sounds most
    like what was heard, under the grammar and freely, stands for it.
    """
    heard = free[0].text if free else ""
    known = tuple(p for p in bias.phrases if p.kind not in ("carrier", "screen"))
    texts = {p.text for p in known}
    ranked = _by_sound(known, free, context)
    if context and (context[0].text in texts or not ranked or _is_sentence(context[0], texts)):
        ranked = [(0.0, context[0].text), *((d, t) for d, t in ranked if t != context[0].text)]
    if not ranked:
        return None
    text = ranked[0][1]
    words = set(said(text))
    others = [d for d, t in ranked[1:] if words.isdisjoint(said(t))]
    nearest, phones, free_phones = _nearest(text, [h.text for h in free[:3]])
    # The lead is one of sound: totals of two graphs do not compare.
    lead = others[0] - ranked[0][0] if others else 3.0
    score = context[0].score if context else 0.0
    offered = {p.text for p in known if p.kind == "alternative"}
    return Evidence(
        Shape.PHRASE if text in texts else Shape.SENTENCE, heard,
        _total(free[0]) if free else 0.0, max(1, free[0].tokens) if free else 1, text,
        score, 1, score - lead, nearest, phones, free_phones, 1.0, text in offered,
        bias.expectation, (text,), tuple(t for _, t in ranked[1:6]))


def _is_sentence(hypothesis: Hypothesis, texts: set[str]) -> bool:
    """Whether it is more than halves of phrases: a carrier around a whole one."""
    return any(f" {text} " in f" {hypothesis.text} " for text in texts)


def _by_sound(known: tuple[Phrase, ...], free: Sequence[Hypothesis],
              context: Sequence[Hypothesis]) -> list[tuple[float, str]]:
    """Phrases with their distance a phone to what was heard, nearest first."""
    costs: dict[int, float] = {}
    for hypotheses, weight in ((context[:10], 1.0), (free[:3], _FREE_SHARE)):
        best: dict[int, float] = {}
        for hypothesis in hypotheses:
            for phones in pronunciation.of_text(hypothesis.text)[:1]:
                for match in retriever(known).nearest(phones, _SHORT_LIST):
                    best[match.index] = min(best.get(match.index, _FAR), match.per_phone)
        for index in {*costs, *best}:
            # Before the second round, what only the first knew has cost nothing for it yet.
            before = costs.get(index, _FAR if weight != 1.0 else 0.0)
            costs[index] = before + weight * best.get(index, _FAR)
    return sorted((cost, known[index].text) for index, cost in costs.items())


def _total(hypothesis: Hypothesis) -> float:
    return hypothesis.score * max(1, hypothesis.tokens)


def _nearest(text: str, heard: Sequence[str]) -> tuple[float, int, int]:
    """Least distance a phone to any of the free answers, and both lengths."""
    best, phones, other_phones = 4.0, 0, 0
    for one in pronunciation.of_text(text):
        phones = phones or len(one)
        for other in (p for h in heard for p in pronunciation.of_text(h)[:1]):
            apart = distance.per_phone(one, other)
            if apart < best:
                best, phones, other_phones = apart, len(one), len(other)
    return best, phones, other_phones

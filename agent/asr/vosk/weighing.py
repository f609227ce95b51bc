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
from agent.biasing.words import said

MOST_LINES = 3_000
"""Lines that carriers are written out into, at most."""
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


def weigh(free: Sequence[Hypothesis], context: Sequence[Hypothesis], bias: Bias) -> Evidence:
    """The evidence for the grammar's best answer."""
    best = context[0]
    heard = free[0].text if free else ""
    words = set(said(best.text))
    others = [h for h in context[1:] if words.isdisjoint(said(h.text))] or list(context[1:2])
    labels = {p.text: p.kind for p in bias.phrases if p.kind != "carrier"}
    nearest, phones, free_phones = _nearest(best.text, [h.text for h in free[:3]])
    return Evidence(
        Shape.PHRASE if best.text in labels else Shape.SENTENCE, heard,
        _total(free[0]) if free else 0.0, max(1, free[0].tokens) if free else 1, best.text,
        best.score * max(1, best.tokens), max(1, best.tokens),
        others[0].score if others else None, nearest, phones, free_phones, 1.0,
        labels.get(best.text) == "alternative", bias.expectation, (best.text,),
        tuple(h.text for h in context[1:6]))


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

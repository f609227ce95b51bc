"""Vosk's evidence for and against the grammar's answer, and biases written out as lines.

Totals of the free and of the grammar's graph do not compare as they are. What decides is how well
the best phrase fits what was heard under the grammar, how clearly it is ahead of the next, and how
far it sounds from what was heard freely; how far the totals lie apart is one feature among these,
with a weight that is fitted.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from agent.asr.vosk.matching import Ranked
from agent.biasing import Bias, Hypothesis, Phrase, distance, pronunciation
from agent.biasing.arbitration import Evidence, Shape
from agent.biasing.words import said

MOST_LINES = 3_000
"""Lines that carriers are written out into, at most."""
_COHORT = 5
_FREEDOM_SCALE = 5.0
"""Brings the difference of two graphs' likelihoods a frame to the size of other features."""
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
                if all(map(knows, said(_outside_slots(c))))]
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


def weigh(free: Sequence[Hypothesis], context: Sequence[Hypothesis], ranked: Sequence[Ranked],
          bias: Bias) -> Evidence | None:
    """The evidence for the best answer that the context has; None where it has none.

    Args:
        free: What was heard freely, best first.
        context: What was heard under the grammar, best first, as the catalogue spells it.
        ranked: Phrases with what speaks for them, best first.
        bias: What the grammar was made of.
    """
    if not ranked:
        return None
    best = ranked[0]
    text, shape = best.phrase.text, Shape.PHRASE
    if context and _is_sentence(context[0].text, ranked, bias):
        text, shape = context[0].text, Shape.SENTENCE
    words = set(said(text))
    others = [entry for entry in ranked if words.isdisjoint(said(entry.phrase.text))]
    cohort = [_score(entry, best) for entry in others[:_COHORT]]
    nearest, _, free_phones = _nearest(text, [h.text for h in free[:3]])
    # How much better the free graph explains the audio than the grammar, in nats a frame.
    freedom = free[0].score - context[0].score if free and context else 0.0
    return Evidence(
        shape, free[0].text if free else "", _FREEDOM_SCALE * freedom, 1, text, best.score, 1,
        cohort[0] if cohort else None, nearest, best.phones, free_phones, best.agreement,
        any(p.kind == "alternative" and p.text == text for p in bias.phrases), bias.expectation,
        (text,), tuple(e.phrase.text for e in ranked[:6] if e.phrase.text != text),
        sum(cohort) / len(cohort) if cohort else None,
        -best.worst)


def _score(entry: Ranked, best: Ranked) -> float:
    """Nats a phone of the best phrase, so that the longer of two is not the better for it."""
    return entry.score * entry.phones / best.phones


def _is_sentence(text: str, ranked: Sequence[Ranked], bias: Bias) -> bool:
    """Whether it is a carrier around a whole phrase, and no row of halves of phrases."""
    around = _carrier_words(bias.carriers)
    return bool(around) and any(
        name != text and f" {name} " in f" {text} "
        and around.issuperset(said(f" {text} ".replace(f" {name} ", " ", 1)))
        for name in (entry.phrase.text for entry in ranked))


@lru_cache(maxsize=4)
def _carrier_words(carriers: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for c in carriers for word in said(_outside_slots(c)))


def _outside_slots(carrier: str) -> str:
    return re.sub(r"\{[^{}]*\}", " ", carrier)


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

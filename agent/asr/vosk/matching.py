"""Which phrase was said, judged by all that was heard under the grammar.

The grammar is a bigram, so it joins the words of different phrases, and what it hears of a foreign
voice is often wrong as a whole and right in its sounds. So every hypothesis speaks for the phrases
that sound like it: with what it lost against the best one, and with the cost of having heard its
sounds when the phrase's were said. The views of one utterance (at several speeds) are added up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log

import numpy as np
import numpy.typing as npt

from agent.asr.vosk.profile import Profile
from agent.biasing import Hypothesis, Phrase, distance, pronunciation
from agent.biasing.distance import Floats
from agent.biasing.phones import Phones
from agent.biasing.retrieval import retriever

SHORT_LIST = 40
"""Phrases of a large catalogue that are looked at for each of the best hypotheses."""
WHOLE = 400
"""Phrases up to which all are looked at."""
_SHORTLISTED_BY = 4
"""Best hypotheses of each view that choose the short list."""
_FURTHEST = 60.0
"""Nats that one view can speak against a phrase."""

View = tuple[Sequence[Hypothesis], float]
"""The hypotheses of one decode under the grammar, best first, and how many frames it took."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A phrase that may have been said."""

    phrase: Phrase = field(repr=False)
    phones: int
    """Phones of its likeliest pronunciation."""
    score: float
    """Nats a phone, mean over the views; 0 is a perfect match."""
    worst: float = 0.0
    """The same in the view that it fits least."""
    agreement: float = 1.0
    """Share of the views in which no other phrase fits better."""


def index(known: tuple[Phrase, ...], spelled: Mapping[str, Sequence[str]]) -> None:
    """Work out how phrases sound, off the voice path; what is found is kept."""
    if len(known) > WHOLE:
        retriever(known)
        return
    for phrase in known:
        _sounds(phrase, spelled.get(phrase.text, ()))


def rank(known: tuple[Phrase, ...], views: Sequence[View], profile: Profile,
         spelled: Mapping[str, Sequence[str]]) -> list[Ranked]:
    """Phrases with what speaks for them, best first.

    Args:
        known: The phrases; their weights count as prior odds.
        views: What was heard, in the words of the grammar.
        profile: How the model hears.
        spelled: How the grammar spells each phrase, by the phrase's text.
    """
    heard = [view for view in views if view[0]]
    owners: list[int] = []
    sounds: list[Phones] = []
    for at in _chosen(known, heard):
        for phones in _sounds(known[at], spelled.get(known[at].text, ())):
            owners.append(at)
            sounds.append(phones)
    if not sounds:
        return []
    rows = distance.pack(sounds)
    prior = np.array([log(known[at].weight) for at in owners], np.float32)
    table = prior + np.stack([_evidence(*view, rows, profile) for view in heard])
    first = table >= table.max(axis=1, keepdims=True)
    best: dict[int, Ranked] = {}
    for row, (at, phones) in enumerate(zip(owners, sounds, strict=True)):
        scores = table[:, row] / max(1, len(phones))
        if at not in best or scores.mean() > best[at].score:
            best[at] = Ranked(known[at], len(phones), float(scores.mean()), float(scores.min()),
                              float(first[:, row].mean()))
    # By the whole, not a phone: a longer phrase is no better for being longer.
    return sorted(best.values(), key=lambda entry: -entry.score * entry.phones)


def _sounds(phrase: Phrase, spellings: Sequence[str]) -> list[Phones]:
    """A phrase's pronunciations, and those of the words that the grammar has for it."""
    found = [*pronunciation.of_phrase(phrase),
             *(phones for text in spellings for phones in pronunciation.of_text(text)[:1])]
    return list({phones.tobytes(): phones for phones in found}.values())


def _evidence(hypotheses: Sequence[Hypothesis], frames: float, rows: npt.NDArray[np.uint8],
              profile: Profile) -> Floats:
    """Nats that one view speaks for each packed pronunciation: ``float32[n]``, at most 0."""
    found = np.full(len(rows), -_FURTHEST, np.float32)
    for hypothesis in hypotheses:
        behind = profile.score_weight * frames * (hypothesis.score - hypotheses[0].score)
        for phones in pronunciation.of_text(hypothesis.text)[:1]:
            np.maximum(found, np.float32(behind)
                       - distance.to_many(phones, rows, profile.costs), out=found)
    return found


def _chosen(known: tuple[Phrase, ...], views: Sequence[View]) -> list[int]:
    """Places of the phrases to look at: all of a few, of many those that sound alike."""
    if not known or not views:
        return []
    if len(known) <= WHOLE:
        return list(range(len(known)))
    index = retriever(known)
    texts = dict.fromkeys(h.text for hypotheses, _ in views for h in hypotheses[:_SHORTLISTED_BY])
    return list(dict.fromkeys(match.index for text in texts
                              for phones in pronunciation.of_text(text)[:1]
                              for match in index.nearest(phones, SHORT_LIST)))

"""Short lists: which phrases of a catalogue sound like what was heard.

Two stages. A profile of each pronunciation (how much of each feature bundle it holds, in its
first, middle and last part) discards most of a large catalogue by one matrix product; the batched
edit distance ranks what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from agent.biasing import Phrase, distance, pronunciation
from agent.biasing.phones import FEATURE_MATRIX, Phones

FULL_SEARCH = 1_500
"""Pronunciations that are compared in full; of more, the nearest profiles are."""
NEARER = 0.1
"""Distance a phone that a nat of log prior makes up for; the right name of synthetic answers in
noise is then among the first 24 most often, and from 0.05 to 0.2 hardly less often."""

RUN_SEARCH = 500
"""The same where every run of words is compared."""


@dataclass(frozen=True, slots=True)
class Match:
    """A phrase that sounds like what was heard."""

    index: int
    """Place of the phrase in the list that the retriever was made of."""
    distance: float
    """Of the nearest of its pronunciations."""
    per_phone: float
    """The same divided by the mean number of phones."""
    start: int = 0
    """First word of the query that it covers."""
    words: int = 0
    """Number of words that it covers."""


@dataclass(frozen=True)
class Retriever:
    """Pronunciations of a list of phrases, ready to be searched."""

    owners: npt.NDArray[np.int64] = field(repr=False)
    """``int64[pronunciations]``: the phrase that each belongs to."""
    rows: npt.NDArray[np.uint8] = field(repr=False)
    lengths: npt.NDArray[np.float32] = field(repr=False)
    profiles: npt.NDArray[np.float32] = field(repr=False)

    @classmethod
    def of(cls, phrases: Sequence[Phrase]) -> Retriever:
        """Prepare phrases; those that cannot be pronounced are never found."""
        owners: list[int] = []
        sounds: list[Phones] = []
        for index, phrase in enumerate(phrases):
            for phones in pronunciation.of_phrase(phrase):
                owners.append(index)
                sounds.append(phones)
        rows = distance.pack(sounds)
        return cls(np.array(owners, np.int64), rows,
                   np.array([len(s) for s in sounds], np.float32), _profiles(rows))

    def nearest(self, query: Phones, limit: int,
                log_priors: npt.NDArray[np.float32] | None = None) -> list[Match]:
        """Up to ``limit`` phrases, nearest first, compared with the whole query.

        Args:
            query: What was heard.
            limit: Phrases returned at most.
            log_priors: Nats that speak for each phrase: likely ones count as nearer.
        """
        if not len(query) or not len(self.owners):
            return []
        chosen = self._candidates(query)
        found = distance.to_many(query, self.rows[chosen])
        relative = np.float32(2) * found / (self.lengths[chosen] + np.float32(len(query)))
        if log_priors is not None:
            relative -= np.float32(NEARER) * log_priors[self.owners[chosen]]
        return self._best(chosen, found, relative, limit)

    def within(self, words: Sequence[Phones], limit: int, most_words: int,
               furthest: float) -> list[Match]:
        """Phrases that sound like some run of words of the query, nearest first.

        Args:
            words: Phones of each word heard.
            limit: Matches returned at most.
            most_words: Words in a run at most.
            furthest: Greatest distance a phone.
        """
        if not words or not len(self.owners):
            return []
        chosen = self._candidates_of_runs(words, most_words)
        table = distance.windows(words, self.rows[chosen], most_words)
        lengths = np.array([len(word) for word in words], np.float32)
        matches: list[Match] = []
        for start in range(len(words)):
            for taken in range(min(most_words, len(words) - start)):
                heard = float(lengths[start:start + taken + 1].sum())
                relative = table[start, taken] / np.maximum(
                    1, (self.lengths[chosen] + heard) / 2)
                matches.extend(
                    Match(int(self.owners[chosen[place]]), float(table[start, taken, place]),
                          float(relative[place]), start, taken + 1)
                    for place in np.flatnonzero(relative <= furthest))
        matches.sort(key=lambda match: match.per_phone)
        unique: dict[tuple[int, int, int], Match] = {}
        for match in matches:
            unique.setdefault((match.index, match.start, match.words), match)
            if len(unique) == limit:
                break
        return list(unique.values())

    def _candidates(self, query: Phones) -> npt.NDArray[np.intp]:
        if len(self.owners) <= FULL_SEARCH:
            return np.arange(len(self.owners))
        far = np.abs(self.profiles - profile(query)).sum(axis=1)
        return np.argpartition(far, FULL_SEARCH)[:FULL_SEARCH]

    def _candidates_of_runs(self, words: Sequence[Phones],
                            most_words: int) -> npt.NDArray[np.intp]:
        if len(self.owners) <= RUN_SEARCH:
            return np.arange(len(self.owners))
        nearest = np.full(len(self.owners), np.inf, np.float32)
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + most_words) + 1):
                run = np.concatenate(list(words[start:end]))
                far = np.abs(self.profiles - profile(run)).sum(axis=1)
                np.minimum(nearest, far / np.maximum(self.lengths, len(run)), out=nearest)
        return np.argpartition(nearest, RUN_SEARCH)[:RUN_SEARCH]

    def _best(self, chosen: npt.NDArray[np.intp], found: npt.NDArray[np.float32],
              relative: npt.NDArray[np.float32], limit: int) -> list[Match]:
        matches: dict[int, Match] = {}
        for place in np.argsort(relative, kind="stable"):
            owner = int(self.owners[chosen[place]])
            if owner not in matches:
                matches[owner] = Match(owner, float(found[place]), float(relative[place]))
                if len(matches) == limit:
                    break
        return list(matches.values())


class Searchable:
    """Phrases that stay the same for many turns, and how to find them by sound.

    Args:
        phrases: The phrases.
    """

    def __init__(self, phrases: tuple[Phrase, ...]) -> None:
        self.phrases = phrases

    @cached_property
    def retriever(self) -> Retriever:
        """Made when first asked for, which takes seconds for thousands of phrases."""
        return retriever(self.phrases)


@lru_cache(maxsize=16)
def retriever(phrases: tuple[Phrase, ...]) -> Retriever:
    """The retriever of some phrases; the same object for the same ones."""
    return Retriever.of(phrases)


def profile(phones: Phones) -> npt.NDArray[np.float32]:
    """``float32[2 * features]``: features summed over the first and over the second half."""
    return np.asarray(_profiles(phones[None, :])[0], np.float32)


def _profiles(rows: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Profiles of packed rows: each phone counts for the end of the word that it is nearer to."""
    values = np.concatenate([FEATURE_MATRIX > 0, np.zeros((1, FEATURE_MATRIX.shape[1]), bool)])
    lengths = (rows != distance.PAD).sum(axis=1)
    places = np.arange(rows.shape[1], dtype=np.float32)[None, :]
    late = np.clip(places / np.maximum(1, lengths - 1)[:, None], 0, 1).astype(np.float32)
    heard = values[rows].astype(np.float32)
    both = (np.einsum("nl,nlf->nf", 1 - late, heard), np.einsum("nl,nlf->nf", late, heard))
    return np.asarray(np.concatenate(both, axis=1), np.float32)

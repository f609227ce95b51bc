"""Learns which sounds a recogniser takes for which, from what was said and what was heard.

Expectation and maximisation over the best alignments (Viterbi training of a memoryless stochastic
edit distance: Ristad and Yianilos 1998), starting from, and smoothed by, articulatory features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from agent.biasing import distance
from agent.biasing.distance import Costs, Floats
from agent.biasing.phones import PHONES, Phones

ROUNDS = 4
PRIOR = 6.0
"""Observations of each phone that the articulatory features stand for."""
_PUT_IN_PRIOR = 0.02
"""Sounds heard that nobody said, for each that was said, before anything has been seen."""
_COUNT = len(PHONES)

Pair = tuple[Phones, Phones]
"""What was heard and what was said."""


def learn(pairs: Sequence[Pair]) -> Costs:
    """Costs in nats: how unlikely each sound is to be heard as each other."""
    costs = distance.unlearned()
    prior = _prior(costs)
    for _ in range(ROUNDS):
        # Rows: said; columns: heard, the last one nothing.
        seen = np.zeros((_COUNT, _COUNT + 1))
        put_in = np.zeros(_COUNT)
        for heard, said in pairs:
            for one, other in _aligned(heard, said, costs):
                if other is None:
                    put_in[one] += 1
                else:
                    seen[other, _COUNT if one is None else one] += 1
        chance = (seen + PRIOR * prior) / (seen.sum(axis=1, keepdims=True) + PRIOR)
        extra = (put_in + PRIOR * _PUT_IN_PRIOR) / (seen.sum() + PRIOR)
        costs = _costs(-np.log(chance), -np.log(extra))
    return costs


def _prior(costs: Costs) -> Floats:
    """Chances of hearing each phone, or nothing, for each that is said, by features alone."""
    heard = np.concatenate([costs.substitution[:_COUNT, :_COUNT].T,
                            costs.left_out[:_COUNT, None]], axis=1)
    chance = np.exp(-heard)
    return np.asarray(chance / chance.sum(axis=1, keepdims=True), np.float32)


def _costs(nats: Floats, put_in: Floats) -> Costs:
    substitution = np.full((_COUNT + 1, _COUNT + 1), 1e3, np.float32)
    substitution[:_COUNT, :_COUNT] = nats[:, :_COUNT].T
    return Costs(substitution, np.append(put_in, 0).astype(np.float32),
                 np.append(nats[:, _COUNT], 0).astype(np.float32))


def _aligned(heard: Phones, said: Phones, costs: Costs,
             ) -> Iterator[tuple[int, int | None] | tuple[None, int]]:
    """Pairs of a phone heard and a phone said on the cheapest alignment, None for neither."""
    table = np.zeros((len(heard) + 1, len(said) + 1))
    table[1:, 0] = np.cumsum(costs.put_in[heard])
    table[0, 1:] = np.cumsum(costs.left_out[said])
    for i, one in enumerate(heard, 1):
        for j, other in enumerate(said, 1):
            table[i, j] = min(table[i - 1, j - 1] + costs.substitution[one, other],
                              table[i - 1, j] + costs.put_in[one],
                              table[i, j - 1] + costs.left_out[other])
    i, j = len(heard), len(said)
    while i or j:
        if i and j and np.isclose(table[i, j], table[i - 1, j - 1]
                                  + costs.substitution[heard[i - 1], said[j - 1]]):
            i, j = i - 1, j - 1
            yield int(heard[i]), int(said[j])
        elif i and np.isclose(table[i, j], table[i - 1, j] + costs.put_in[heard[i - 1]]):
            i -= 1
            yield int(heard[i]), None
        else:
            j -= 1
            yield None, int(said[j])

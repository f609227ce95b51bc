"""How one model hears: the speeds that suit it, and which sounds it takes for which.

A profile is learned from development speech by ``agent.evaluate.korean`` and shipped in ``data/``;
a model without one is decoded once, and compared by articulatory features alone.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np

from agent.biasing import distance
from agent.biasing.distance import Costs
from agent.biasing.phones import INDEX, PHONES
from agent.events import SAMPLE_RATE


@dataclass(frozen=True)
class Profile:
    """What is known about how a model hears."""

    rates: tuple[int, ...] = (SAMPLE_RATE,)
    """Samples a second that the grammar's recognisers are told the audio has, the true rate first.

    A higher one makes speech faster and higher, as a shorter vocal tract would: a model hears
    best what is of the length that it was trained on (vocal tract length normalisation).
    """
    room: bool = False
    """Whether the grammar's recognisers hear the speech in a small room (see ``room.py``)."""
    costs: Costs = field(default_factory=distance.unlearned, repr=False)
    """Of taking one sound for another."""
    score_weight: float = 0.3
    """Of the recogniser's log likelihood (nats) against those costs."""


PLAIN = Profile()


@lru_cache(maxsize=4)
def shipped(language: str) -> Profile:
    """The profile of a language's model; ``PLAIN`` where there is none."""
    file = resources.files("agent.asr.vosk") / "data" / f"profile-{language}.json"
    return parse(json.loads(file.read_text(encoding="utf-8"))) if file.is_file() else PLAIN


def parse(table: dict[str, Any]) -> Profile:
    """A profile from its JSON form, in which only phones that were seen have costs."""
    start = distance.unlearned()
    substitution, put_in, left_out = (array.copy() for array in (
        start.substitution, start.put_in, start.left_out))
    number = [INDEX[symbol] for symbol in table["phones"]]
    substitution[np.ix_(number, number)] = np.array(table["heard_said"], np.float32)
    put_in[number] = np.array(table["put_in"], np.float32)
    left_out[number] = np.array(table["left_out"], np.float32)
    return Profile(tuple(table["rates"]), bool(table["room"]),
                   Costs(substitution, put_in, left_out), float(table["score_weight"]))


def as_json(profile: Profile, phones: list[int]) -> dict[str, Any]:
    """The JSON form, with the costs of certain phones."""
    costs = profile.costs
    return {"rates": list(profile.rates), "room": profile.room,
            "score_weight": profile.score_weight,
            "phones": [PHONES[phone] for phone in phones],
            "heard_said": _rounded(costs.substitution[np.ix_(phones, phones)]),
            "put_in": _rounded(costs.put_in[phones]), "left_out": _rounded(costs.left_out[phones])}


def _rounded(values: distance.Floats) -> list[Any]:
    return [[round(float(v), 2) for v in row] if np.ndim(row) else round(float(row), 2)
            for row in values]

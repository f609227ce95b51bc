"""Fits how much each kind of evidence says about an answer: ``agent.context.selection.Strengths``.

    python -m agent.evaluate.prior_fitting

A conditional logit (McFadden 1974) by Newton's method, on synthetic dialogues over worlds and
sayings that no experiment measures on. So that no evidence is taken for infallible, some dialogues
carry over names that are not meant, and in some the running skill is another or not known.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import numpy.typing as npt

from agent.context import Entry, TurnContext, Vectors, selection, signals
from agent.context.hosting import Encoding
from agent.context.library import Library
from agent.context.selection import Strengths
from agent.evaluate.experiment_cache import Cache
from agent.evaluate.experiment_dialogues import dialogues
from agent.evaluate.experiment_world import World, classes, world

Floats = npt.NDArray[np.float64]

KINDS = tuple(f.name for f in fields(Strengths) if f.name != "doubt")
"""The strengths that are fitted."""
WORLDS = ((5_200, 1, 200), (1_500, 2, 201), (280, 3, 202))
"""Size and seed of each world, and the seed of its dialogues."""
MISLED, UNKNOWN_SKILL, OTHER_SKILL = 0.4, 0.2, 0.1
"""Share of dialogues that carry over names that are not meant; whose skill is not known; whose
skill is another than the answer's."""
RIDGE = 3e-4
"""Pull of the strengths towards 0, for each dialogue."""


@dataclass(frozen=True)
class Choice:
    """A dialogue's evidence for every entry, and the entry that was meant."""

    evidence: Floats
    """``float64[entries, kinds]``"""
    meant: int


def choices(count: int, encoder: Encoding, version: str, cache: Cache) -> Iterator[Choice]:
    """Dialogues to fit on, ``count`` from each world."""
    for size, seed, drawn in WORLDS:
        of = world(size, seed)
        library = Library.of(of.entries)
        library = library.with_vectors(cache.vectors(version, library.entries, encoder))
        places = {entry: place for place, entry in enumerate(library.entries)}
        draw = random.Random(f"misled {seed}")
        for dialogue in dialogues(of, count, seed=drawn, measuring=False):
            turn = disturbed(dialogue.turn, of, draw)
            reading = signals.read(signals.load(), turn)
            vectors = encoder.encode(reading.texts)
            yield Choice(evidence(library, reading, turn, vectors), places[dialogue.answer])


def disturbed(turn: TurnContext, of: World, draw: random.Random) -> TurnContext:
    """The turn as untidy as life: names carried over that are not meant, another skill."""
    if not turn.carried and draw.random() < MISLED:
        told: Sequence[Entry] = of.by_class[draw.choice(classes()).label]
        turn = replace(turn, carried=tuple(e.text for e in draw.sample(told, min(5, len(told)))))
    chance = draw.random()
    skill = turn.situation.skill
    if chance < UNKNOWN_SKILL:
        skill = ""
    elif chance < UNKNOWN_SKILL + OTHER_SKILL:
        skill = draw.choice(("call", "places", "home"))
    return replace(turn, situation=replace(turn.situation, skill=skill))


def evidence(library: Library, reading: signals.Reading, turn: TurnContext,
             vectors: Vectors) -> Floats:
    """``float64[entries, kinds]``: the score by one strength alone; scores are linear in them."""
    none = Strengths(**dict.fromkeys(KINDS, 0.0))
    return np.stack([selection.scores(library, reading, turn.expectation, vectors,
                                      strengths=replace(none, **{kind: 1.0}))
                     for kind in KINDS], axis=1).astype(np.float64)


def fit(given: Sequence[Choice]) -> Strengths:
    """The strengths that make the answers likeliest; none of them speaks against an entry."""
    strengths = np.zeros(len(KINDS))
    for _ in range(40):
        gradient, curvature = RIDGE * strengths, RIDGE * np.eye(len(KINDS))
        for choice in given:
            chance = _chances(choice, strengths)
            mean = chance @ choice.evidence
            gradient += (mean - choice.evidence[choice.meant]) / len(given)
            curvature += ((choice.evidence * chance[:, None]).T @ choice.evidence
                          - np.outer(mean, mean)) / len(given)
        free = (strengths > 0) | (gradient < 0)
        step = np.zeros(len(KINDS))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        step *= min(1.0, 3.0 / max(1e-9, float(np.abs(step).max())))
        moved = np.maximum(0.0, strengths - step)
        if np.abs(moved - strengths).max() < 1e-3:
            break
        strengths = moved
    return Strengths(**dict(zip(KINDS, (round(float(s), 2) for s in moved), strict=True)))


def _chances(choice: Choice, strengths: Floats) -> Floats:
    score = choice.evidence @ strengths
    raised = np.exp(score - score.max())
    return np.asarray(raised / raised.sum())


def nats(given: Sequence[Choice], strengths: Strengths) -> float:
    """Mean log prior of the right entry: how much the context says, over knowing nothing."""
    values = np.array([getattr(strengths, kind) for kind in KINDS])
    return float(np.mean([selection.log_priors((c.evidence @ values).astype(np.float32),
                                               strengths.doubt)[c.meant] for c in given]))


def main() -> None:
    """Fit on two thirds of the dialogues, and show what that gives on the rest."""
    from agent.context.encoder import Encoder
    from agent.evaluate.experiment_cache import default_folder
    from models import catalogue, locate

    version = catalogue()["context-encoder"].built[0].sha256 or ""
    cache = Cache(default_folder())
    found = list(choices(300, Encoder(locate("context-encoder")), version, cache))
    cache.close()
    held, used = found[::3], [c for place, c in enumerate(found) if place % 3]
    fitted = fit(used)
    for name, strengths in (("fitted", fitted), ("in use", selection.STRENGTHS)):
        print(f"{name}: {nats(held, strengths):.2f} nats; {dataclasses.asdict(strengths)}")


if __name__ == "__main__":
    main()

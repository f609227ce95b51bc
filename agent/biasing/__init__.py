"""What the agent expects to hear, and what it heard: ``Bias`` and ``Hypothesis``.

Imports no engine: recognisers turn a ``Bias`` into their own grammar or prefix tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import TYPE_CHECKING, Any, TypeAlias

from agent.events import Expectation

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from agent.biasing.retrieval import Searchable

    LogPriors: TypeAlias = npt.NDArray[np.float32]
    """``float32[phrases]``, nats."""
else:
    LogPriors = Searchable = Any  # loading numpy would make every command start slowly

WRAPPED = 1.5
"""Nats a token against an answer that has words around the phrase that was asked for."""
NAMELESS = 0.3
"""Nats a token against a command that names nothing of the catalogue, where none was asked for."""
UNRELATED = 3.75
"""Nats a token against an answer that has nothing of what was asked for."""

@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that may be said."""

    text: str = field(repr=False)
    """As the user's own catalogue spells it."""
    weight: float = 1.0
    """Relative prior; 1 is an ordinary entry, the pending question's alternatives have more."""
    kind: str = ""
    """``contact``, ``device``, ``place``, ``screen``, ``alternative``, ``carrier`` …

    ``screen`` phrases may be strung together with other words; the rest are whole answers, or
    stand in a carrier's slot.
    """
    source: str = ""
    """The signal or catalogue it came from."""
    pronunciations: tuple[str, ...] = field(default=(), repr=False)
    """IPA, most likely first; empty means: derive it."""
    log_prior: float = 0.0
    """Nats by which the turn's context makes it likelier than if nothing were known of the turn."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """Phrases that are not prepared in this turn but may be said nevertheless: found by sound."""

    names: Searchable
    """The same object every turn."""
    log_priors: LogPriors = field(repr=False)
    """Of each of the names, as in ``Phrase``."""


@dataclass(frozen=True, slots=True)
class Bias:
    """The phrases that may be said in one turn, and the kind of answer expected."""

    phrases: tuple[Phrase, ...] = field(default=(), repr=False)
    expectation: Expectation = Expectation.FREE
    carriers: tuple[str, ...] = field(default=(), repr=False)
    """Sentences that may be said, with slots in braces: ``call {contact}``."""
    slots: tuple[tuple[str, tuple[str, ...]], ...] = field(default=(), repr=False)
    """What each slot may hold, as the catalogue spells it."""
    background: Background | None = field(default=None, repr=False, compare=False)
    """What else may be said, where ``phrases`` are only the likeliest."""

    def prior(self, labels: Sequence[str], *, bare: bool) -> float:
        """Nats a token that speak for an utterance made of certain phrases.

        Args:
            labels: The phrases.
            bare: Whether it is nothing but one phrase.
        """
        weight = sum(log(p.weight) / 4 for p in self.phrases
                     if p.weight != 1.0 and p.text in labels)
        asked = self.expectation in (Expectation.NAME, Expectation.LIST_ITEM)
        if not asked:
            return weight - (0.0 if labels else NAMELESS)
        return weight - (0.0 if bare else WRAPPED if labels else UNRELATED)


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One thing that may have been said."""

    text: str = field(repr=False)
    score: float
    """Mean log probability a token (nats); comparable within one engine's graph only."""
    tokens: int = 0
    """Number of tokens or words that ``score`` is the mean of."""
    source: str = "free"
    """``free`` or ``context``: which decode it came from."""


NO_BIAS = Bias()

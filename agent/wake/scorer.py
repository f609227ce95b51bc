"""``Scorer``: a model that gives a stream of scores for one wake word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from agent.events import Samples


@dataclass(frozen=True, slots=True)
class Score:
    """How much the sound up to ``end`` is like the wake word."""

    value: float
    """0 to 1, the model's own."""
    end: int
    """Samples since ``reset`` up to the end of what was scored."""


class Scorer(Protocol):
    """Scores a stream of audio at a fixed step.

    The scores depend on the stream alone, not on how it is cut into calls.
    """

    @property
    def engine(self) -> str:
        """Engine name, as in the settings: ``micro``, ``openwakeword``."""
        ...

    @property
    def word(self) -> str:
        """The word listened for, as people say it."""
        ...

    def accept(self, samples: Samples) -> Sequence[Score]:
        """Take more audio, ``int16[samples]`` at 16 kHz, any length; the scores it completes."""
        ...

    def reset(self) -> None:
        """Forget everything heard."""
        ...

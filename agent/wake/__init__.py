"""Wake word detection: the ``WakeWord`` protocol; one engine a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from agent.events import Samples


@dataclass(frozen=True, slots=True)
class Detection:
    """The wake word was heard."""

    word: str
    engine: str
    score: float
    """0 to 1, the engine's own."""
    at: float
    """Seconds of audio since ``reset`` at which the word ended, as well as the engine can tell."""


class WakeWord(Protocol):
    """Listens for one wake word in a stream of frames."""

    @property
    def word(self) -> str:
        """The word listened for, as people say it."""
        ...

    def accept(self, samples: Samples) -> Detection | None:
        """Take more audio, ``int16[samples]`` at 16 kHz, any length.

        Returns a detection at most once a refractory time.
        """
        ...

    def reset(self) -> None:
        """Forget everything heard (after a pause in the stream, or unmuting)."""
        ...

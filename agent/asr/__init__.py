"""Speech recognition: the ``Recogniser`` protocol; one engine a file.

``prepare`` is the slow half and runs off the voice path; ``start`` is immediate. One
``Recognition`` serves one utterance:

    recognition = recogniser.start(recogniser.prepare(bias))
    recognition.accept(samples)          # as frames arrive
    recognition.anticipate()             # at a pause: decode what is there, in the background
    hypotheses = recognition.finish()    # best first
    decision = recognition.decide()      # with the bias taken into account, and why
    recognition.score(["Bauer", "Jones"])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.biasing import Bias, Hypothesis
from agent.biasing.arbitration import Decision
from agent.events import Samples


class Prepared(Protocol):
    """A bias that an engine has made ready to use; opaque to everyone else."""

    @property
    def bias(self) -> Bias:
        """The bias that this was made from."""
        ...


class Recognition(Protocol):
    """One utterance being recognised. Not thread-safe: one caller at a time."""

    def accept(self, samples: Samples) -> None:
        """Take more audio, ``int16[samples]`` at 16 kHz; cheap for engines that do not stream."""
        ...

    def partial(self) -> str:
        """What has been recognised so far; empty where the engine has nothing yet."""
        ...

    def anticipate(self) -> None:
        """The speaker paused: an engine may decode now what it has, in the background.

        If more speech follows, that work is thrown away; if not, ``finish`` is the sooner done.
        """
        ...

    def finish(self) -> tuple[Hypothesis, ...]:
        """Decode to the end; best first, empty when nothing was said."""
        ...

    def decide(self) -> Decision:
        """What was heard, free hypotheses and bias weighed against each other (after ``finish``).

        Without a bias it is the best free hypothesis.
        """
        ...

    def score(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        """Mean log probability a token of each text under the audio heard (after ``finish``).

        None where the engine cannot.
        """
        ...

    def close(self) -> None:
        """Give up what it holds; safe to call at any time and more than once."""
        ...


class Recogniser(Protocol):
    """A speech recogniser: loaded once, used for every turn."""

    @property
    def name(self) -> str:
        """Engine name, as in the settings: ``vosk``, ``moonshine``."""
        ...

    def prepare(self, bias: Bias) -> Prepared:
        """Turn a bias into the engine's own form; off the voice path, thread-safe."""
        ...

    def start(self, prepared: Prepared | None = None) -> Recognition:
        """Begin an utterance, with or without a prepared bias; immediate."""
        ...

"""A second opinion on whether the wake word was said: ``Confirm``, and one by the recogniser."""

from __future__ import annotations

import math
from typing import Protocol

from agent.asr import Recogniser, Recognition
from agent.errors import AgentError
from agent.events import Samples
from agent.wake import matching

HEARD = 0.5
"""Sureness from which the word counts as heard."""
DOUBTED = 0.15
"""Sureness under which it counts as not said even where a wake word engine alone would accept."""

_LIKELY = -2.0
"""Mean log probability a token (nats) from which the word is a likely transcript."""
_MARGIN = -1.5
"""How far (nats a token) it may be behind the recogniser's own transcript."""
_STEEPNESS = 2.0
"""Turns nats into sureness by a logistic curve."""
_NEAR_BY_TEXT = 0.4
"""Phonetic distance a phone that still counts where a recogniser gives texts only: a name that
its vocabulary lacks comes out as something near."""
_NEAR = 0.2
"""The same where it also scores the word itself."""


class Confirm(Protocol):
    """A second opinion on whether the wake word was just said."""

    @property
    def seconds(self) -> float:
        """Length of the audio it wants, ending at the moment it is asked."""
        ...

    def __call__(self, samples: Samples) -> float | None:
        """How surely the word is in ``int16[samples]``, 0 to 1; None when it cannot tell.

        It is asked in the thread that reads audio, rarely, and may take tens of milliseconds:
        meanwhile the microphone queues what it captures.
        """
        ...


class ByRecogniser:
    """Asks a recogniser whether it hears the word.

    The word is heard when it is in a transcript, or when it is a likely transcript itself: in
    noise a recogniser often writes other words ("I'm like, so") for what it also finds likely to
    be "Alexa". An unlikely word is not taken, however poor the alternatives.

    Args:
        recogniser: Any recogniser; used without a bias.
        word: The wake word, as people say it.
    """

    def __init__(self, recogniser: Recogniser, word: str) -> None:
        self._recogniser = recogniser
        self._word = word
        self._forms = _written(word)

    @property
    def seconds(self) -> float:
        """A little more than it takes to say the word, 1.3 s for five letters.

        What is said before the word makes it the less likely as a transcript of the whole; with
        1 s its beginning is often cut off.
        """
        letters = sum(letter.isalpha() for letter in self._word)
        return min(3.5, 0.9 + 0.08 * letters)

    def __call__(self, samples: Samples) -> float | None:
        """How surely the word is in ``int16[samples]``; None when the recogniser fails."""
        try:
            recognition = self._recogniser.start()
            try:
                recognition.accept(samples)
                return self._judge(recognition)
            finally:
                recognition.close()
        except AgentError:
            return None

    def _judge(self, recognition: Recognition) -> float:
        hypotheses = recognition.finish()
        if not hypotheses:
            return 0.0
        scores = recognition.score(self._forms)
        near = _NEAR_BY_TEXT if scores is None else _NEAR
        if any(matching.contains(heard.text, self._word, near) for heard in hypotheses):
            return 1.0
        if scores is None:
            return 0.0
        behind = max(scores) - hypotheses[0].score
        return _logistic(_STEEPNESS * min(max(scores) - _LIKELY, behind - _MARGIN))


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-max(-50.0, min(50.0, value))))


def _written(word: str) -> list[str]:
    """The ways a recogniser may write a wake word: capitals, full stop, comma."""
    words = word.split()
    titled = " ".join(part.capitalize() for part in words)
    forms = [titled, f"{titled}.", f"{titled},"]
    if len(words) > 1:
        forms += [f"{word.capitalize()}.", f"{words[0].capitalize()}, {titled.split(' ', 1)[1]}."]
    return list(dict.fromkeys(forms))

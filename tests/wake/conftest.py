"""Recordings of the wake word by speech synthesis, a scripted scorer and a scripted opinion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from agent.audio.files import read
from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection, WakeWord
from agent.wake.scorer import Score

RECORDINGS = Path(__file__).parent / "recordings"
STEP = 480


@pytest.fixture(scope="session")
def recording() -> Callable[[str], Samples]:
    """A synthesised recording by name, with a second of silence before and after."""

    def load(name: str) -> Samples:
        silence = np.zeros(SAMPLE_RATE, np.int16)
        return np.concatenate([silence, read(RECORDINGS / f"{name}.flac"), silence])

    return load


@pytest.fixture
def recordings() -> Path:
    return RECORDINGS


class ScriptedScorer:
    """Gives the scores of a script, one every 480 samples, then zeros."""

    engine = "scripted"
    word = "sesame"

    def __init__(self, scores: Sequence[float]) -> None:
        self._script = list(scores)
        self._heard = 0

    def accept(self, samples: Samples) -> list[Score]:
        before, self._heard = self._heard, self._heard + len(samples)
        return [Score(self._script[n] if n < len(self._script) else 0.0, (n + 1) * STEP)
                for n in range(before // STEP, self._heard // STEP)]

    def reset(self) -> None:
        self._heard = 0


@dataclass
class ScriptedConfirm:
    """Gives the same answer every time and keeps what it was given."""

    answer: float | None
    seconds: float = 0.6
    asked: list[Samples] = field(default_factory=list)

    def __call__(self, samples: Samples) -> float | None:
        self.asked.append(samples)
        return self.answer


@pytest.fixture
def scripted_scorer() -> type[ScriptedScorer]:
    return ScriptedScorer


@pytest.fixture
def scripted_confirm() -> type[ScriptedConfirm]:
    return ScriptedConfirm


@pytest.fixture(scope="session")
def feed() -> Callable[..., list[Detection]]:
    """Feeds audio in pieces of given lengths, over and over, and collects every detection."""

    def run(wake: WakeWord, samples: Samples, lengths: Sequence[int] = (320,)) -> list[Detection]:
        found: list[Detection] = []
        at = turn = 0
        while at < len(samples):
            length = lengths[turn % len(lengths)]
            detection = wake.accept(samples[at:at + length])
            at, turn = at + length, turn + 1
            while detection is not None:
                found.append(detection)
                detection = wake.accept(samples[:0])
        return found

    return run

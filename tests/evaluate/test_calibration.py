"""Refitting the thresholds on a user's recordings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.asr import Prepared
from agent.biasing import Bias, Hypothesis
from agent.biasing.arbitration import Arbiter, Evidence, Shape, Weights
from agent.errors import AgentError
from agent.evaluate import calibration
from agent.evaluate.manifest import Context, Line, Said
from agent.events import Expectation, Samples

BOOK = ("Meg Bauer", "Omar Haddad", "Lucia Rossi")
WEIGHTS = Weights({"gap": -2.0, "bias": 2.0}, 1.5, 1.8)
ARBITER = Arbiter(dict.fromkeys(Shape, WEIGHTS), measured=False)


class Heard:
    """Hears the first name of the bias: near when it was said, far when it was not."""

    def __init__(self, bias: Bias, name: str) -> None:
        known = [p.text for p in bias.phrases if p.weight >= 1]
        best = name if name in known else known[0]
        total = -4.0 if best == name else -14.0
        self.evidence = Evidence(Shape.PHRASE, "mumble", -2.0, 4, best, total, 4, None, 1.0, 8, 8)

    def accept(self, samples: Samples) -> None:
        pass

    def finish(self) -> tuple[Hypothesis, ...]:
        return (Hypothesis("mumble", -0.5),)

    def close(self) -> None:
        pass


class Ready:
    def __init__(self, bias: Bias) -> None:
        self.bias = bias


class Engine:
    name = "test"
    arbiter = ARBITER

    def __init__(self, said: Sequence[str]) -> None:
        self._said = list(said)
        self._at = 0

    def prepare(self, bias: Bias) -> Ready:
        return Ready(bias)

    def start(self, prepared: Prepared | None = None) -> Heard:
        assert prepared is not None
        self._at += 1
        return Heard(prepared.bias, self._said[(self._at - 1) % len(self._said)])


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    import numpy as np

    monkeypatch.setattr("agent.evaluate.runner.read_audio",
                        lambda line, noise: np.zeros(16_000, np.int16))
    context = Context((Said("agent", "Who?"),), contacts=BOOK)
    return [Line(str(n), tmp_path / "a.wav", BOOK[n % 3], True, expects=Expectation.NAME,
                 context=context) for n in range(12)]


def test_thresholds_move_between_right_and_wrong_answers(lines: list[Line]) -> None:
    found = calibration.fit(Engine([str(line.text) for line in lines]), lines)  # type: ignore
    assert found.table is not None
    phrase = found.table["shapes"]["phrase"]
    right, wrong = 2.0 - 2.0 * 0.5, 2.0 - 2.0 * 3.0
    assert wrong < phrase["accept"] < right
    assert phrase["sure"] >= phrase["accept"]
    report = "\n".join(found.report)
    assert "before: right with context 0 of 12" in report
    assert "after: right with context 12 of 12" in report
    assert "another taken: 0 of 12" in report


def test_too_few_recordings_change_nothing(lines: list[Line]) -> None:
    found = calibration.fit(Engine(["Meg Bauer"]), lines[:5])  # type: ignore[arg-type]
    assert found.table is None
    assert "too few" in found.report[-1]


def test_an_engine_without_thresholds_is_named(lines: list[Line]) -> None:
    class Bare:
        name = "bare"

    with pytest.raises(AgentError, match="bare"):
        calibration.fit(Bare(), lines)  # type: ignore[arg-type]

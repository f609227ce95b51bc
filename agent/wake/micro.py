"""microWakeWord: small streaming networks that run in a fraction of a per cent of a core.

The models and the library come with ``pymicro-wakeword`` (Apache-2.0). Method: Kevin Ahrendt,
microWakeWord, https://github.com/kahrendt/microWakeWord. The models score every 30 ms; the
package's own decision (a mean of five scores over the model's cut-off) is replaced by
``tiered``, on single scores.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.errors import AgentError
from agent.events import Samples
from agent.wake.micro_network import Frontend, Network
from agent.wake.scorer import Score
from agent.wake.tiered import Rule

ENGINE = "micro"

_HOP = 160
"""Samples between two feature frames (10 ms)."""
_LEAD = 320
"""Samples that the first 30 ms feature window needs beyond its hop."""
_BLIND = 0.3
"""Seconds after a reset in which no word can have ended."""


@dataclass(frozen=True, slots=True)
class Model:
    """One trained word."""

    word: str
    """As people say it."""
    network: Path
    """The network, a TensorFlow Lite file."""
    cutoff: float
    """Threshold its trainer recommends for a mean of five scores."""


def models() -> dict[str, Model]:
    """The words that can be listened for, by name in small letters.

    Raises:
        AgentError: The package is not installed.
    """
    try:
        import pymicro_wakeword
    except ImportError as error:
        raise AgentError("pymicro-wakeword, which holds microWakeWord, is not installed",
                         "run ./setup_device.sh, or choose another engine under [wake]") from error
    folder = Path(pymicro_wakeword.__file__).parent / "models"
    found = (_described(path) for path in sorted(folder.glob("*.json")))
    return {model.word.lower(): model for model in found}


def _described(path: Path) -> Model:
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return Model(str(table["wake_word"]), path.with_name(str(table["model"])),
                     float(table["micro"]["probability_cutoff"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error


def rule(model: Model) -> Rule:
    """Thresholds for a model.

    Measured on *alexa*, whose trainer's cut-off is 0.9; a model with a stricter cut-off is given
    stricter thresholds by the same distance on the logistic scale.
    """
    strictness = _logit(model.cutoff) - _logit(0.9)
    return Rule(short=5, long=10, candidate=_sigmoid(_logit(0.3) + max(0.0, strictness)),
                alone=_sigmoid(_logit(0.8) + strictness),
                certain=_sigmoid(_logit(0.95) + max(0.0, strictness)),
                patience=12, deaf=int(_BLIND / 0.03))


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


class MicroScorer:
    """Scores of a microWakeWord model, one every 30 ms.

    Args:
        model: One of ``models()``.

    Raises:
        AgentError: The model cannot be loaded.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._network = Network(_loaded(model))
        self._frontend = Frontend()
        self._features: list[float] = []
        self._frames = 0

    @property
    def engine(self) -> str:
        """``micro``."""
        return ENGINE

    @property
    def word(self) -> str:
        """The word listened for."""
        return self._model.word.lower()

    def accept(self, samples: Samples) -> list[Score]:
        """Take more audio; the scores it completes."""
        scores: list[Score] = []
        for features in self._frontend.accept(samples.astype("<i2", copy=False).tobytes()):
            self._features += features
            self._frames += 1
            if self._frames % self._network.stride == 0:
                value = self._network.score(self._features)
                scores.append(Score(value, _LEAD + self._frames * _HOP))
                self._features.clear()
        return scores

    def reset(self) -> None:
        """Forget everything heard."""
        self._network.reset()
        self._frontend.reset()
        self._features.clear()
        self._frames = 0


def _loaded(model: Model) -> Any:
    """The package's model, whose interpreter is used."""
    from pymicro_wakeword import MicroWakeWord

    library = _library()
    _check(model.network, library)
    try:
        return MicroWakeWord(
            id=model.network.stem, wake_word=model.word, tflite_model=model.network,
            probability_cutoff=model.cutoff, sliding_window_size=1, trained_languages=[],
            libtensorflowlite_c_path=library)
    except (RuntimeError, ValueError) as error:  # a network that is no microWakeWord
        raise _damaged(model.network) from error


def _library() -> Path:
    """The TensorFlow Lite library in the package."""
    import pymicro_wakeword

    folder = Path(pymicro_wakeword.__file__).parent / "lib"
    found = next(folder.glob("*tensorflowlite_c.*"), None)
    if found is None:
        raise AgentError(f"pymicro-wakeword has no library for this machine in {folder}", _MEND)
    return found


def _check(network: Path, library: Path) -> None:
    """Raise where the file is no network: the package would end the process on it."""
    from pymicro_wakeword.wakeword import TfLiteWakeWord

    try:
        functions = TfLiteWakeWord(library).lib
    except OSError as error:
        raise AgentError(f"{library} cannot be loaded: {error}", _MEND) from error
    handle = functions.TfLiteModelCreateFromFile(str(network.resolve()).encode())
    if not handle:
        raise _damaged(network)
    functions.TfLiteModelDelete(handle)


_MEND = "install pymicro-wakeword again: ./setup_device.sh"


def _damaged(path: Path) -> AgentError:
    return AgentError(f"wake word model {path} is missing or damaged", _MEND)

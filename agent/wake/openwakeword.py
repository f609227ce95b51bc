"""openWakeWord by plain onnxruntime: mel spectrogram, speech embedding, and a head for the word.

Method and models: David Scripka, openWakeWord, https://github.com/dscripka/openWakeWord; the
embedding is Google's ``speech_embedding`` (Lin et al. 2020, arXiv 2002.01322). The weights are
CC BY-NC-SA 4.0: not for commercial use.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples
from agent.wake.scorer import Score
from agent.wake.tiered import Rule

ENGINE = "openwakeword"
CATALOGUE_NAME = "openwakeword"
"""Name of the models in the catalogue."""

RULE = Rule(short=1, long=2, candidate=0.1, alone=0.5, certain=0.98, patience=5)
"""Thresholds for all heads; scores come every 80 ms."""

CHUNK = 1_280
"""Samples that one embedding moves on by (80 ms)."""
_OVERLAP = 480
"""Samples before the chunk that its first mel frame needs."""
_MELS_A_CHUNK = 8
_MEL_BINS = 32
_MEL_WINDOW = 76
"""Mel frames in one embedding."""
_EMBEDDINGS = 16
"""Embeddings that a head looks at (1.28 s)."""
_EMBEDDING_SIZE = 96
_HISTORY = 2.5
"""Seconds of faint noise heard before listening: heads fire on an empty history."""
_HISTORY_LEVEL = 8.0
"""Standard deviation of that noise on int16's scale (-72 dB): a quiet room."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Model:
    """One head, with the two networks all heads share."""

    word: str
    head: Path
    folder: Path


def models(folder: Path) -> dict[str, Model]:
    """The words that can be listened for, by name in small letters.

    Args:
        folder: Where the ONNX files are.
    """
    found: dict[str, Model] = {}
    for path in sorted(folder.glob("*_v[0-9]*.onnx")):
        word = path.stem.rsplit("_v", 1)[0].replace("_", " ")
        if word in ("timer", "weather"):  # heads for whole sentences, of another shape
            continue
        found[word] = Model(word, path, folder)
    return found


class OpenWakeWordScorer:
    """Scores of an openWakeWord head, one every 80 ms.

    Args:
        model: One of ``models(folder)``.

    Raises:
        AgentError: A file is missing or damaged.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._mel = _session(model.folder / "melspectrogram.onnx")
        self._embed = _session(model.folder / "embedding_model.onnx")
        self._head = _session(model.head)
        self._head_input = self._head.get_inputs()[0].name
        if list(self._head.get_inputs()[0].shape) != [1, _EMBEDDINGS, _EMBEDDING_SIZE]:
            raise _damaged(model.head)
        self._mels: Floats = np.zeros((_MEL_WINDOW, _MEL_BINS), np.float32)
        self._embeddings: Floats = np.zeros((_EMBEDDINGS, _EMBEDDING_SIZE), np.float32)
        self._waiting: Samples = np.zeros(0, np.int16)
        self._heard = 0
        self.reset()

    @property
    def engine(self) -> str:
        """``openwakeword``."""
        return ENGINE

    @property
    def word(self) -> str:
        """The word listened for."""
        return self._model.word

    def accept(self, samples: Samples) -> list[Score]:
        """Take more audio; the scores it completes."""
        self._waiting = np.concatenate([self._waiting, samples])
        scores: list[Score] = []
        while len(self._waiting) - _OVERLAP >= CHUNK:
            self._chunk(self._waiting[:_OVERLAP + CHUNK])
            self._waiting = self._waiting[CHUNK:]
            self._heard += CHUNK
            scores.append(Score(self._score(), self._heard))
        return scores

    def reset(self) -> None:
        """Forget everything heard, and hear a quiet room instead."""
        noise = np.random.default_rng(0).normal(
            0, _HISTORY_LEVEL, int(_HISTORY * SAMPLE_RATE) // CHUNK * CHUNK + _OVERLAP)
        self._heard = 0
        past = noise.round().astype(np.int16)
        for start in range(0, len(past) - _OVERLAP, CHUNK):
            self._chunk(past[start:start + CHUNK + _OVERLAP])
        self._waiting = past[-_OVERLAP:]

    def _chunk(self, samples: Samples) -> None:
        """Mel frames and embedding of ``int16[_OVERLAP + CHUNK]``."""
        sound = samples.astype(np.float32)[np.newaxis]
        mels = self._mel.run(None, {"input": sound})[0].reshape(-1, _MEL_BINS)[:_MELS_A_CHUNK]
        # The embedding was trained on another front end; this scaling makes them alike.
        self._mels = np.concatenate([self._mels[len(mels):], mels / 10 + 2])
        window = self._mels[np.newaxis, :, :, np.newaxis]
        embedding = self._embed.run(None, {"input_1": window})[0].reshape(1, _EMBEDDING_SIZE)
        self._embeddings = np.concatenate([self._embeddings[1:], embedding])

    def _score(self) -> float:
        found = self._head.run(None, {self._head_input: self._embeddings[np.newaxis]})[0]
        return float(found.reshape(-1)[0])


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    if not path.is_file():
        raise AgentError(f"wake word model {path} is missing", _FETCH)
    try:
        return onnxruntime.InferenceSession(str(path), options,
                                            providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no common base for what loading raises
        raise _damaged(path) from error


_FETCH = f"fetch it with: voice-agent models fetch {CATALOGUE_NAME}"


def _damaged(path: Path) -> AgentError:
    return AgentError(f"wake word model {path} is damaged", _FETCH)

"""Voice activity detection: how likely a short window is to hold speech."""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from agent.audio.conversion import Floats, to_float
from agent.errors import AgentError
from agent.events import Samples

WINDOW = 512
"""Samples a window: 32 ms, the size Silero's model is made for."""

FILE = "silero_vad_16k_op15.onnx"
"""The model file inside the ``silero-vad`` package: the 16 kHz one, half the size of the other."""

_CONTEXT = 64
"""Samples of the window before that the model sees again (silero-vad 5 and later)."""

_STATE = (2, 1, 128)


class VoiceActivity(Protocol):
    """Judges windows of a stream, one after another."""

    def probability(self, window: Samples) -> float:
        """Probability, 0 to 1, that ``int16[WINDOW]`` holds speech."""
        ...

    def reset(self) -> None:
        """The next window begins another stream."""
        ...


class SileroVad:
    """Silero VAD by onnxruntime, one thread, about 5 ms of one core per second of audio.

    Args:
        path: The ONNX file, or the folder that holds it.

    Raises:
        AgentError: The model is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self._session = _load(path / FILE if path.is_dir() else path)
        self._rate = np.array(16_000, np.int64)
        self._context: Floats = np.zeros(_CONTEXT, np.float32)
        self._state: Floats = np.zeros(_STATE, np.float32)

    def probability(self, window: Samples) -> float:
        """Probability, 0 to 1, that ``int16[WINDOW]`` holds speech."""
        if len(window) != WINDOW:
            raise ValueError(f"a window is {WINDOW} samples, not {len(window)}")
        audio = np.concatenate([self._context, to_float(window)])
        self._context = audio[-_CONTEXT:]
        likely, self._state = self._session.run(
            None, {"input": audio[None], "state": self._state, "sr": self._rate})
        return float(likely[0, 0])

    def twin(self) -> SileroVad:
        """Another detector for another stream, on the same loaded model."""
        other = copy(self)
        other.reset()
        return other

    def reset(self) -> None:
        """The next window begins another stream."""
        self._context = np.zeros(_CONTEXT, np.float32)
        self._state = np.zeros(_STATE, np.float32)


def _load(path: Path) -> Any:
    if not path.is_file():
        raise AgentError(f"the voice activity model is missing: {path}",
                         "run ./setup_device.sh, which installs it")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options,
                                               providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own classes, which it does not export
        raise AgentError(f"the voice activity model is damaged: {path}",
                         "remove it and run ./setup_device.sh again") from error
    if [i.name for i in session.get_inputs()] != ["input", "state", "sr"]:
        raise AgentError(f"{path} is not a Silero VAD model of version 5 or later",
                         "remove it and run ./setup_device.sh again")
    return session

"""The two networks of Moonshine: speech to hidden frames, and tokens one step further."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from agent.asr.moonshine import tokens as vocabulary
from agent.asr.moonshine import weights
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

Floats: TypeAlias = npt.NDArray[np.float32]
TokenIds: TypeAlias = npt.NDArray[np.int64]

WINDOW_SECONDS = 16.0
"""Longest speech that one encoding takes; attention's memory grows with its square."""
MIN_SAMPLES = 1_600
"""Shorter audio is padded with silence to this: the encoder's convolutions need about 60 ms."""
PEAK = 0.9
"""Level that the loudest sample is scaled to before encoding."""
_HEADS, _HEAD_SIZE, _MASK_STRIDE = 8, 36, 384
_M_MMAP_THRESHOLD = -3


@dataclass(frozen=True, slots=True)
class State:
    """What the decoder remembers of a batch of hypotheses: keys and values of its own layers."""

    past: tuple[Floats, ...] = field(repr=False)
    """For each decoder input of past keys or values: ``float32[batch, heads, length, size]``."""

    def select(self, rows: Sequence[int] | npt.NDArray[np.intp]) -> State:
        """The state of other hypotheses: ``rows`` of this batch, in that order, with repeats."""
        index = np.asarray(rows, dtype=np.intp)
        return State(tuple(np.take(array, index, axis=0) for array in self.past))


@dataclass(frozen=True, slots=True)
class Encoded:
    """One window of speech, encoded; everything a decode or a scoring of it starts from."""

    seconds: float
    """Length of the audio."""
    cross: tuple[Floats, ...] = field(repr=False)
    """Cross-attention keys and values, batch 1; they serve any batch by broadcasting."""
    start: State = field(repr=False)
    """Decoder state after the start token, batch 1."""
    logits: Floats = field(repr=False)
    """``float32[vocabulary]`` after the start token."""


class Model:
    """Encoder, decoder and vocabulary of one model folder. Thread-safe.

    Args:
        folder: Holds ``encoder_model.ort``, ``decoder_model_merged.ort``, ``tokenizer.bin``.
        threads: Processor threads of one run.

    Raises:
        AgentError: A file is missing or damaged.
    """

    def __init__(self, folder: Path, threads: int = 1) -> None:
        _keep_heap_small()
        self.tokens = vocabulary.read(folder / "tokenizer.bin")
        # The larger file first: what loading it takes for a moment is given back to the second.
        self._decoder = _open(folder / "decoder_model_merged.ort", threads)
        self._encoder = _open(folder / "encoder_model.ort", threads)
        inputs = [entry.name for entry in self._decoder.get_inputs()]
        pasts = [name for name in inputs if name.startswith("past_key_values.")]
        self._own = [name for name in pasts if ".decoder." in name]
        self._cross = [name for name in pasts if ".encoder." in name]
        if not self._own or len(self._own) != len(self._cross):
            raise AgentError(f"{folder} does not hold a Moonshine decoder")
        self._outputs = ["logits", *(_present(name) for name in self._own)]
        release_memory()

    def encode(self, samples: Samples) -> Encoded:
        """Encode up to ``WINDOW_SECONDS`` of speech, ``int16[samples]`` at 16 kHz.

        The offset of the microphone is removed and the level brought to ``PEAK``.
        """
        audio = level(samples)[np.newaxis]
        hidden, = self._encoder.run(None, {
            "input_values": audio, "attention_mask": np.ones(audio.shape, np.int64)})
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        logits, *present = self._decoder.run(
            [*self._outputs, *(_present(name) for name in self._cross)], {
                "input_ids": np.array([[vocabulary.START]], np.int64),
                "encoder_hidden_states": hidden,
                # The graph takes every 384th element as the mask of a hidden frame.
                "encoder_attention_mask": np.ones((1, hidden.shape[1] * _MASK_STRIDE), np.int64),
                "use_cache_branch": np.array([False]),
                **dict.fromkeys((*self._own, *self._cross), empty)})
        own, cross = present[:len(self._own)], present[len(self._own):]
        return Encoded(len(samples) / SAMPLE_RATE, tuple(cross), State(tuple(own)), logits[0, -1])

    def step(self, encoded: Encoded, state: State, tokens: TokenIds) -> tuple[Floats, State]:
        """Feed tokens to a batch of hypotheses.

        Args:
            encoded: The speech.
            state: State of the batch.
            tokens: ``int64[batch, length]``, the next tokens of each; all have one length.

        Returns:
            ``float32[batch, length, vocabulary]``: logits after each token; and the new state.
        """
        batch = tokens.shape[0]
        # This branch of the graph reads keys and values only; the rest just has to be there.
        logits, *own = self._decoder.run(self._outputs, {
            "input_ids": tokens,
            "encoder_hidden_states": np.zeros((batch, 1, _HEADS * _HEAD_SIZE), np.float32),
            "encoder_attention_mask": np.ones((batch, _MASK_STRIDE), np.int64),
            "use_cache_branch": np.array([True]),
            **dict(zip(self._own, state.past, strict=True)),
            **dict(zip(self._cross, encoded.cross, strict=True))})
        return logits, State(tuple(own))


def level(samples: Samples) -> Floats:
    """Audio as the encoder wants it: no offset, peak at ``PEAK``, at least ``MIN_SAMPLES``."""
    audio = samples.astype(np.float32)
    if audio.size:
        audio -= audio.mean()
        peak = float(np.abs(audio).max())
        if peak > 0:
            audio *= PEAK / peak
    if audio.size < MIN_SAMPLES:
        audio = np.pad(audio, (0, MIN_SAMPLES - audio.size))
    return audio


def log_softmax(logits: Floats) -> Floats:
    """Natural log probabilities over the last axis."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), np.float32)


def release_memory() -> None:
    """Give freed memory back to the system, where the C library can (glibc).

    Activations of an utterance are tens of megabytes that would otherwise stay resident.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _keep_heap_small() -> None:
    """Have glibc map blocks of 4 MB and more on their own, so that they go back when freed.

    By default it learns to keep blocks of up to 32 MB in the heap, which then fragments: 45 MB
    more at the peak for 14 s of speech, for no measurable gain in time on short ones.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, 4 << 20)


def _present(past: str) -> str:
    return past.replace("past_key_values", "present")


def _open(path: Path, threads: int) -> Any:
    import onnxruntime as ort

    if not path.is_file():
        raise AgentError(f"the speech model has no file {path}")
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # The arena keeps the largest activations it ever needed; a board of 512 MB cannot.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        with weights.suited(path) as file:
            return ort.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise AgentError(f"the speech model {path} is damaged or of an unknown version") from error

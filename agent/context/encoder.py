"""The context encoder at run time: texts to vectors, on one thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.context import Vectors
from agent.errors import AgentError

WIDTH = 384
MAX_TOKENS = 128
"""Tokens that the encoder reads; the rest of a text is left out."""
MOST_CHARACTERS = 2_000
"""Characters that are tokenised at all."""


class Encoder:
    """MiniLM in int8 by ``onnxruntime``; ``encode`` may be called from any thread.

    Args:
        folder: Folder of the model ``context-encoder``.

    Raises:
        AgentError: A file is missing or damaged, or a library is not installed.
    """

    def __init__(self, folder: Path) -> None:
        try:
            import onnxruntime
            from tokenizers import Tokenizer

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = options.inter_op_num_threads = 1
            options.enable_cpu_mem_arena = False
            options.log_severity_level = 4
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "encoder.onnx"), options, providers=["CPUExecutionProvider"])
            self._tokeniser: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the runtime's own, undeclared kinds
            raise AgentError(f"cannot use the context encoder in {folder} "
                             f"({type(error).__name__})",
                             "remove that folder and run: voice-agent models fetch "
                             "context-encoder") from error
        self._tokeniser.enable_truncation(MAX_TOKENS)
        self._tokeniser.enable_padding()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of length 1, ``float32[texts, 384]``; zeros for an empty text.

        Raises:
            AgentError: The model gave no vectors.
        """
        found = np.zeros((len(texts), WIDTH), np.float32)
        there = [place for place, text in enumerate(texts) if text.strip()]
        if not there:
            return found
        encoded = self._tokeniser.encode_batch([texts[i][:MOST_CHARACTERS] for i in there])
        vectors = self._session.run(["vector"], {
            "input_ids": np.array([e.ids for e in encoded], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], np.int64)})[0]
        if vectors.shape != (len(there), WIDTH) or not np.isfinite(vectors).all():
            raise AgentError("the context encoder gave no vectors",
                             "run: voice-agent models verify context-encoder")
        found[there] = vectors
        return found

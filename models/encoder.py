"""Building the context encoder: MiniLM's float weights become one small int8 ONNX file.

    tokens → MiniLM (6 layers, 384 wide) → masked mean → L2-normalised vector

Matrix products are quantised dynamically: weights once, per output channel and symmetrically;
activations at run time, per tensor (the scheme of ``onnxruntime.quantization.quantize_dynamic``).
Weights take 7 bits, since processors without VNNI add two 8-bit products in 16 bits, where 8-bit
weights overflow: with 7 the vectors are the same on every machine. The word embeddings are int8 by
rows and are read row by row, so that the runtime cannot unfold them to float.

Needs numpy alone, and gives the same bytes everywhere.
"""

from __future__ import annotations

import json
import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from models.errors import ModelError
from models.onnxfile import Graph

LAYERS, WIDTH, HEADS = 6, 384, 12
MAX_TOKENS = 128
"""Tokens that the encoder can read; its tokeniser cuts longer texts."""
WEIGHT_LEVELS = 63
"""Largest magnitude of a quantised weight: 7 bits."""
ROW_LEVELS = 127
"""Largest magnitude of a quantised embedding: they are not multiplied in integers."""

WEIGHTS = "model.safetensors"
ENCODER = "encoder.onnx"

Float: TypeAlias = npt.NDArray[np.float32]
Weights: TypeAlias = Mapping[str, Float]


def build(folder: Path) -> None:
    """Make ``encoder.onnx`` of the ``model.safetensors`` in a folder.

    Raises:
        ModelError: The weights are missing or are not MiniLM's.
    """
    (folder / ENCODER).write_bytes(encoder(read_weights(folder / WEIGHTS), quantised=True))


def read_weights(path: Path) -> Weights:
    """The float tensors of a safetensors file, mapped rather than read.

    The format: https://github.com/huggingface/safetensors#format.

    Raises:
        ModelError: The file is missing or is no safetensors file.
    """
    try:
        with path.open("rb") as stream:
            data = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        length = struct.unpack_from("<Q", data)[0]
        header = json.loads(data[8:8 + length])
        return {name: _tensor(data, entry, 8 + length) for name, entry in header.items()
                if entry.get("dtype") == "F32"}
    except (OSError, ValueError, KeyError, struct.error) as error:
        raise ModelError(f"cannot read the weights {path}: {error}") from error


def _tensor(data: mmap.mmap, entry: Mapping[str, Any], base: int) -> Float:
    start, end = entry["data_offsets"]
    return np.frombuffer(data, "<f4", (end - start) // 4, base + start).reshape(entry["shape"])


def encoder(weights: Weights, *, quantised: bool) -> bytes:
    """The encoder as the bytes of an ONNX file.

    Inputs ``input_ids`` and ``attention_mask``, ``int64[batch, tokens]``; output ``vector``,
    ``float32[batch, 384]``.

    Args:
        weights: MiniLM's tensors, by name.
        quantised: int8; otherwise float, to compare with.

    Raises:
        ModelError: A tensor is missing.
    """
    try:
        return _Writer(weights, quantised).write()
    except KeyError as error:
        raise ModelError(f"the encoder's weights lack {error.args[0]}") from error


def quantise(matrix: Float, axis: int, levels: int) -> tuple[npt.NDArray[np.int8], Float]:
    """Symmetric integers and the scale of each channel.

    Args:
        matrix: ``float32[rows, columns]``.
        axis: The axis that is summed up; each place on the other one is a channel.
        levels: Largest magnitude.
    """
    largest = np.abs(matrix).max(axis=axis, keepdims=True)
    scale = (np.maximum(largest, np.float32(1e-12)) / np.float32(levels)).astype(np.float32)
    return np.rint(matrix / scale).astype(np.int8), scale


class _Writer:
    """Writes the graph, node by node."""

    def __init__(self, weights: Weights, quantised: bool) -> None:
        self._weights, self._quantised = weights, quantised
        self._graph = Graph("context-encoder")

    def write(self) -> bytes:
        graph = self._graph
        hidden, bias = self._embeddings(), self._mask_bias()
        for layer in range(LAYERS):
            hidden = self._layer(hidden, bias, f"encoder.layer.{layer}.")
        self._pool(hidden)
        return graph.serialise({"input_ids": ("batch", "tokens"),
                                "attention_mask": ("batch", "tokens")},
                               "vector", ("batch", WIDTH), "voice-agent context encoder")

    def _embeddings(self) -> str:
        graph, weights = self._graph, self._weights
        words = self._words(weights["embeddings.word_embeddings.weight"])
        places = (weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
                  + weights["embeddings.token_type_embeddings.weight"][0])
        table = graph.constant("positions", places)
        shape = graph.add("Shape", ["input_ids"], "shape")
        length = graph.add("Slice", [shape, graph.integers(1), graph.integers(2)], "length")
        used = graph.add("Slice", [table, graph.integers(0), length, graph.integers(0)],
                         "positions_used")
        return self._norm(graph.add("Add", [words, used], "embedded"), "embeddings.LayerNorm")

    def _words(self, table: Float) -> str:
        graph = self._graph
        if not self._quantised:
            return graph.add("Gather", [graph.constant("words", table), "input_ids"], "words_read")
        rows, scale = quantise(table, 1, ROW_LEVELS)
        read = graph.add("Gather", [graph.constant("words", rows), "input_ids"], "rows")
        scales = graph.add("Gather", [graph.constant("word_scales", scale), "input_ids"],
                           "row_scales")
        return graph.add("Mul", [graph.add("Cast", [read], "rows_float", to=1), scales],
                         "words_read")

    def _mask_bias(self) -> str:
        """Added to attention: nothing for tokens, −10,000 for padding."""
        graph = self._graph
        graph.add("Cast", ["attention_mask"], "mask", to=1)
        missing = graph.add("Sub", [graph.constant("one", np.ones(1, np.float32)), "mask"],
                            "missing")
        far = graph.add("Mul", [missing, graph.constant("far", np.full(1, -1e4, np.float32))],
                        "mask_flat")
        return graph.add("Unsqueeze", [far, graph.integers(1, 2)], "mask_bias")

    def _layer(self, hidden: str, bias: str, at: str) -> str:
        graph, weights = self._graph, self._weights
        parts = [f"{at}attention.self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([weights[f"{part}.weight"] for part in parts]).T
        offset = np.concatenate([weights[f"{part}.bias"] for part in parts])
        both = self._matrix(hidden, matrix, offset, f"{at}qkv")
        query, key, value = (f"{at}{part}" for part in "qkv")
        graph.add("Split", [both], query, key, value, axis=2)
        mixed = self._attend(query, key, value, bias, at)
        hidden = self._joined(mixed, hidden, f"{at}attention.output")
        grown = self._gelu(self._dense(hidden, f"{at}intermediate.dense"), at)
        return self._joined(grown, hidden, f"{at}output")

    def _attend(self, query: str, key: str, value: str, bias: str, at: str) -> str:
        graph, size = self._graph, WIDTH // HEADS
        split = graph.integers(0, 0, HEADS, size)

        def heads(name: str, order: tuple[int, ...]) -> str:
            shaped = graph.add("Reshape", [name, split], f"{name}_heads")
            return graph.add("Transpose", [shaped], f"{name}_turned", perm=order)

        scores = graph.add("MatMul", [heads(query, (0, 2, 1, 3)), heads(key, (0, 2, 3, 1))],
                           f"{at}scores")
        scale = f"{at}scale"
        graph.constant(scale, np.full(1, size ** -0.5, np.float32))
        scores = graph.add("Mul", [scores, scale], f"{at}scaled")
        shares = graph.add("Softmax", [graph.add("Add", [scores, bias], f"{at}masked")],
                           f"{at}shares", axis=-1)
        mixed = graph.add("MatMul", [shares, heads(value, (0, 2, 1, 3))], f"{at}mixed")
        turned = graph.add("Transpose", [mixed], f"{at}mixed_turned", perm=(0, 2, 1, 3))
        return graph.add("Reshape", [turned, graph.integers(0, 0, WIDTH)], f"{at}attended")

    def _joined(self, name: str, residual: str, at: str) -> str:
        added = self._graph.add("Add", [self._dense(name, f"{at}.dense"), residual], f"{at}.sum")
        return self._norm(added, f"{at}.LayerNorm")

    def _gelu(self, name: str, at: str) -> str:
        """``x/2 · (1 + erf(x/√2))``, in the form that the runtime recognises and fuses."""
        graph = self._graph
        root = graph.constant(f"{at}root", np.full(1, 2 ** 0.5, np.float32))
        one = graph.constant(f"{at}one", np.ones(1, np.float32))
        half = graph.constant(f"{at}half", np.full(1, 0.5, np.float32))
        erf = graph.add("Erf", [graph.add("Div", [name, root], f"{at}div")], f"{at}erf")
        product = graph.add("Mul", [name, graph.add("Add", [erf, one], f"{at}erf_one")],
                            f"{at}product")
        return graph.add("Mul", [product, half], f"{at}gelu")

    def _norm(self, name: str, at: str) -> str:
        graph, weights = self._graph, self._weights
        inputs = [name, graph.constant(f"{at}.weight", weights[f"{at}.weight"]),
                  graph.constant(f"{at}.bias", weights[f"{at}.bias"])]
        return graph.add("LayerNormalization", inputs, f"{at}.out", axis=-1, epsilon=1e-12)

    def _dense(self, name: str, at: str) -> str:
        weights = self._weights
        return self._matrix(name, weights[f"{at}.weight"].T, weights[f"{at}.bias"], at)

    def _matrix(self, name: str, matrix: Float, bias: Float, at: str) -> str:
        graph = self._graph
        offset = graph.constant(f"{at}.bias", bias)
        if not self._quantised:
            product = graph.add("MatMul", [name, graph.constant(f"{at}.weight", matrix)],
                                f"{at}.product")
            return graph.add("Add", [product, offset], f"{at}.out")
        values, scale = quantise(matrix, 0, WEIGHT_LEVELS)
        weight = graph.constant(f"{at}.weight", values)
        zero = graph.constant(f"{at}.zero", np.zeros(1, np.int8).reshape(()))
        step = graph.constant(f"{at}.scale", scale.reshape(-1))
        graph.add("DynamicQuantizeLinear", [name], f"{at}.q", f"{at}.qs", f"{at}.qz")
        product = graph.add("MatMulInteger", [f"{at}.q", weight, f"{at}.qz", zero],
                            f"{at}.integers")
        real = graph.add("Cast", [product], f"{at}.cast", to=1)
        scales = graph.add("Mul", [f"{at}.qs", step], f"{at}.scales")
        return graph.add("Add", [graph.add("Mul", [real, scales], f"{at}.product"), offset],
                         f"{at}.out")

    def _pool(self, hidden: str) -> None:
        graph = self._graph
        wide = graph.add("Unsqueeze", ["mask", graph.integers(2)], "mask_wide")
        kept = graph.add("Mul", [hidden, wide], "kept")
        total = graph.add("ReduceSum", [kept, graph.integers(1)], "total", keepdims=0)
        graph.add("LpNormalization", [total], "vector", axis=-1, p=2)

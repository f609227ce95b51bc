"""The context encoder: built the same everywhere, small, and as good as the float model."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.context.encoder import Encoder
from agent.errors import AgentError
from agent.evaluate.experiment_world import classes, world
from models import catalogue, encoder
from models.errors import ModelError


@pytest.fixture(scope="module")
def weights(model_path: Callable[[str], Path]) -> Any:
    return encoder.read_weights(model_path("minilm") / "model.safetensors")


@pytest.fixture(scope="module")
def built(weights: Any) -> bytes:
    return encoder.encoder(weights, quantised=True)


@pytest.fixture(scope="module")
def tokeniser(model_path: Callable[[str], Path]) -> Any:
    tokenizers = pytest.importorskip("tokenizers")
    file = model_path("context-encoder") / "tokenizer.json"
    found = tokenizers.Tokenizer.from_file(str(file))
    found.enable_truncation(encoder.MAX_TOKENS)
    found.enable_padding()
    return found


def sentences() -> list[str]:
    """500 different ones: what people say, and what catalogues hold."""
    said = [text for kind in classes() for text in kind.said]
    named = [entry.described for entry in world(1_000).entries]
    return list(dict.fromkeys(said + named))[:500]


def vectors(model: bytes, tokeniser: Any, texts: list[str]) -> np.ndarray[Any, Any]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    found = []
    for at in range(0, len(texts), 10):
        encoded = tokeniser.encode_batch(texts[at:at + 10])
        found.append(session.run(None, {
            "input_ids": np.array([e.ids for e in encoded], np.int64),
            "attention_mask": np.array([e.attention_mask for e in encoded], np.int64)})[0])
    return np.concatenate(found)


def test_building_gives_the_catalogue_s_bytes_within_25_mb(built: bytes) -> None:
    (file,) = catalogue()["context-encoder"].built
    assert hashlib.sha256(built).hexdigest() == file.sha256
    assert len(built) == file.size and len(built) <= 25_000_000


def test_int8_vectors_are_near_the_float_model_s(weights: Any, built: bytes,
                                                tokeniser: Any) -> None:
    texts = sentences()
    assert len(texts) == 500
    small = vectors(built, tokeniser, texts)
    whole = vectors(encoder.encoder(weights, quantised=False), tokeniser, texts)
    assert np.allclose(np.linalg.norm(small, axis=1), 1, atol=1e-4)
    cosines = (small * whole).sum(axis=1)
    assert cosines.mean() >= 0.98 and cosines.min() >= 0.93


def test_padding_changes_nothing_and_meaning_shows(model_path: Callable[[str], Path]) -> None:
    there = Encoder(model_path("context-encoder"))
    alone = there.encode(["call the dentist"])[0]
    beside = there.encode(["call the dentist", "find a petrol station on the way to the sea"])
    assert float(alone @ beside[0]) > 0.99
    tooth, fuel, dentist = there.encode(["my tooth hurts", "the tank is empty", "dentist"])
    assert tooth @ dentist > fuel @ dentist + 0.1


def test_nothing_said_is_no_vector_and_very_long_texts_are_cut(
        model_path: Callable[[str], Path]) -> None:
    there = Encoder(model_path("context-encoder"))
    empty, long = there.encode(["  ", "tooth " * 10_000])
    assert not empty.any() and abs(np.linalg.norm(long) - 1) < 1e-4
    assert there.encode([]).shape == (0, 384)


def test_missing_or_wrong_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot read the weights"):
        encoder.build(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(ModelError, match="cannot read the weights"):
        encoder.build(tmp_path)
    with pytest.raises(ModelError, match="lack embeddings"):
        encoder.encoder({}, quantised=True)


def test_a_damaged_encoder_says_how_to_mend_it(tmp_path: Path) -> None:
    (tmp_path / "encoder.onnx").write_bytes(b"no model")
    with pytest.raises(AgentError, match="models fetch context-encoder"):
        Encoder(tmp_path)


@pytest.mark.parametrize("axis", [0, 1])
def test_quantised_values_are_within_half_a_step(axis: int) -> None:
    matrix = np.random.default_rng(1).normal(size=(40, 30)).astype(np.float32)
    values, scale = encoder.quantise(matrix, axis, 63)
    assert np.abs(values).max() <= 63
    assert (np.abs(values * scale - matrix) <= scale * 0.501).all()

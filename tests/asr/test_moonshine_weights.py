from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.asr.moonshine import weights
from agent.asr.moonshine.model import Model
from agent.events import Samples


@pytest.mark.parametrize("file", ["encoder_model.ort", "decoder_model_merged.ort"])
def test_only_weights_and_their_types_change(moonshine_folder: Path, file: str) -> None:
    original = (moonshine_folder / file).read_bytes()
    data = bytearray(original)
    assert weights.make_signed(data) >= 70
    before, after = (np.frombuffer(each, np.uint8) for each in (original, data))
    changed = before ^ after
    assert len(before) == len(after)
    # Weights differ in their top bit; the rest of the change is the type, 2 becoming 3.
    assert set(np.unique(changed).tolist()) == {0, 1, 128}
    assert 50 < (changed == 1).sum() < 2000


def test_signed_weights_stay(moonshine_folder: Path) -> None:
    data = bytearray((moonshine_folder / "encoder_model.ort").read_bytes())
    weights.make_signed(data)
    again = bytearray(data)
    assert weights.make_signed(again) == 0
    assert again == data


@pytest.mark.skipif(not weights.prefers_signed(), reason="the processor has no VNNI")
def test_signed_weights_give_the_same_numbers(moonshine_folder: Path, model: Model,
                                              beckett: Samples,
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "prefers_signed", lambda: False)
    unsigned = Model(moonshine_folder)
    ours, theirs = (each.encode(beckett) for each in (model, unsigned))
    assert np.array_equal(ours.logits, theirs.logits)
    tokens = np.array([[18274, 1898]])
    assert np.array_equal(model.step(ours, ours.start, tokens)[0],
                          unsigned.step(theirs, theirs.start, tokens)[0])


def test_an_unknown_file_is_loaded_as_it_is(tmp_path: Path,
                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "prefers_signed", lambda: True)
    path = tmp_path / "other.ort"
    path.write_bytes(b"something else entirely")
    with weights.suited(path) as file:
        assert file == path

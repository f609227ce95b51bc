from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asr.moonshine import tokens
from agent.asr.moonshine.model import Model
from agent.errors import AgentError

TEXTS = st.text(st.characters(exclude_characters="▁", exclude_categories=["Cs"]), max_size=60)


@pytest.fixture(scope="module")
def vocabulary(model: Model) -> tokens.Tokens:
    return model.tokens


@pytest.mark.parametrize("text", [
    "", "Meg Bauer.", "I'd like a 12-ounce latte, please!", "  two  spaces ", "Zoë Škvorecký",
    "김민수", "B. A. U. E. R.", "tab\tand\nline", "👍🏽", "\0"])
def test_text_survives_the_round_trip(vocabulary: tokens.Tokens, text: str) -> None:
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_any_text_survives_the_round_trip(vocabulary: tokens.Tokens) -> None:
    @given(TEXTS)
    def law(text: str) -> None:
        assert vocabulary.decode(vocabulary.encode(text)) == text

    law()


def test_encoding_is_the_one_the_decoder_writes(vocabulary: tokens.Tokens) -> None:
    """Token ids that the network itself gave for a recording."""
    written = [18274, 1898, 29892, 3926, 5229, 29892, 694, 4383, 29892, 1018, 1449, 29892, 4418,
               1449, 29892, 4418, 2253, 29889]
    text = "Ever tried, ever failed, no matter, try again, fail again, fail better."
    assert vocabulary.decode(written) == text
    assert vocabulary.encode(text) == tuple(written)


def test_single_characters_are_pieces_not_bytes(vocabulary: tokens.Tokens) -> None:
    assert vocabulary.encode("e.")[-1] == 29889


def test_control_tokens_have_no_text(vocabulary: tokens.Tokens) -> None:
    assert vocabulary.decode([tokens.START, 18274, tokens.END, 32_767]) == "Ever"


def test_lone_surrogates_do_not_crash(vocabulary: tokens.Tokens) -> None:
    assert vocabulary.decode(vocabulary.encode("a\ud800b")) == "a?b"


@pytest.mark.parametrize("data", [b"", b"\x05abc", b"\x80", b"\x01a" * 300, b"\xff" * 100])
def test_a_damaged_vocabulary_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(data)
    with pytest.raises(AgentError, match=r"tokenizer\.bin"):
        tokens.read(path)


def test_a_cut_vocabulary_is_an_error(tmp_path: Path, moonshine_folder: Path) -> None:
    whole = (moonshine_folder / "tokenizer.bin").read_bytes()
    path = tmp_path / "tokenizer.bin"
    path.write_bytes(whole[:len(whole) // 2 + 1])
    with pytest.raises(AgentError, match="cut short"):
        tokens.read(path)

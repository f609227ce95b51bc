"""Moonshine's text tokens: a Llama-style byte-pair vocabulary in its own binary file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from agent.errors import AgentError

START = 1
"""Token that every transcript starts with; never part of an encoded text."""
END = 2
"""Token that ends a transcript."""
_FIRST_BYTE = 3
_FIRST_PIECE = _FIRST_BYTE + 256
_SPACE = "▁"
_MARKER = re.compile(rb"<<ST_\d+>>")


class Tokens:
    """Vocabulary of one model: text to token ids and back.

    ``decode(encode(text)) == text`` for every text without U+2581 (the vocabulary's own mark
    for a space) and without lone surrogates.

    Args:
        pieces: The bytes of each token, by id.
    """

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = tuple(pieces)
        # Ids under _FIRST_PIECE are raw bytes. The same characters come again among the pieces,
        # and those ids are the ones the model was trained to write.
        self._ids = {piece.decode("utf-8", "surrogateescape"): number
                     for number, piece in enumerate(pieces)
                     if number >= _FIRST_PIECE and not _MARKER.fullmatch(piece)}
        self._encode_word = lru_cache(maxsize=20_000)(self._merge)

    def __len__(self) -> int:
        return len(self._pieces)

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of ``text``, without start and end."""
        if not text:
            return ()
        text = text.encode("utf-8", "replace").decode("utf-8")
        marked = _SPACE + text.replace(" ", _SPACE)
        # No piece has a space mark after another character, so words can be merged one by one.
        words = re.findall(f"{_SPACE}*[^{_SPACE}]+|{_SPACE}+", marked)
        return tuple(token for word in words for token in self._encode_word(word))

    def decode(self, tokens: Iterable[int]) -> str:
        """Text of token ids; start, end and the model's own markers are left out."""
        text = self.surface(tokens)
        return text[1:] if text.startswith(" ") else text

    def surface(self, tokens: Iterable[int]) -> str:
        """Text of token ids with the space that begins a word kept, also at the start."""
        data = b"".join(self.piece(token) for token in tokens)
        return data.decode("utf-8", "replace").replace(_SPACE, " ")

    def piece(self, token: int) -> bytes:
        """Bytes of one token (a word's leading space is U+2581); empty for control tokens."""
        if token < _FIRST_BYTE or token >= len(self._pieces):
            return b""
        piece = self._pieces[token]
        return b"" if _MARKER.fullmatch(piece) else piece

    def _merge(self, word: str) -> tuple[int, ...]:
        """Byte-pair merging: the adjacent pair whose joint piece has the lowest id goes first."""
        parts = list(word)
        while len(parts) > 1:
            ranks = [self._ids.get(a + b, len(self._pieces))
                     for a, b in itertools.pairwise(parts)]
            best = min(range(len(ranks)), key=ranks.__getitem__)
            if ranks[best] == len(self._pieces):
                break
            parts[best:best + 2] = [parts[best] + parts[best + 1]]
        return tuple(token for part in parts for token in self._ids_of(part))

    def _ids_of(self, part: str) -> tuple[int, ...]:
        if part in self._ids:
            return (self._ids[part],)
        return tuple(_FIRST_BYTE + byte for byte in part.encode("utf-8"))


def read(path: Path) -> Tokens:
    """Read ``tokenizer.bin``: for each token its length and its bytes.

    A length under 128 is one byte; a longer one is two, the low seven bits first with the top
    bit set, then the rest.

    Raises:
        AgentError: The file is missing or is no such vocabulary.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AgentError(f"cannot read the vocabulary {path}: {error.strerror}") from error
    pieces: list[bytes] = []
    at = 0
    try:
        while at < len(data):
            length = data[at]
            at += 1
            if length >= 128:
                length = length - 128 + 128 * data[at]
                at += 1
            if at + length > len(data):
                raise IndexError
            pieces.append(data[at:at + length])
            at += length
        tokens = Tokens(pieces)
    except IndexError as error:
        raise AgentError(f"the vocabulary {path} is cut short") from error
    except UnicodeDecodeError as error:
        raise AgentError(f"the vocabulary {path} is damaged") from error
    if len(pieces) <= _FIRST_PIECE or pieces[_FIRST_BYTE] != b"\0" or pieces[END] != b"</s>":
        raise AgentError(f"{path} is not a Moonshine vocabulary")
    return tokens

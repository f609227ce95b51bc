"""The words of a Vosk model, read from its files.

The library can say whether it knows a word, but not which words there are. A model has them in
``graph/words.txt``, or in the symbol table at the head of an OpenFst graph.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from agent.errors import AgentError

_FST_MAGIC = 2125659606
_SYMBOLS_MAGIC = 2125658996
_HAS_INPUT_SYMBOLS, _HAS_OUTPUT_SYMBOLS = 1, 2


def read(folder: Path) -> list[str]:
    """All words of the model in ``folder``.

    Raises:
        AgentError: The files are of a form that this cannot read.
    """
    listed = folder / "graph" / "words.txt"
    if listed.is_file():
        lines = listed.read_text(encoding="utf-8", errors="replace").splitlines()
        return [line.split()[0] for line in lines if line.strip()]
    for name in ("Gr.fst", "HCLr.fst", "HCLG.fst"):
        path = folder / "graph" / name
        if path.is_file():
            words = _output_symbols(path)
            if words:
                return words
    raise AgentError(f"the speech model {folder} does not list its words")


def _output_symbols(path: Path) -> list[str]:
    """Output symbols (else input symbols) of an OpenFst file; empty where it has none.

    Source of the format: OpenFst's ``FstHeader::Write`` and ``SymbolTableImpl::Write``.
    """
    with path.open("rb") as file:
        try:
            if _integer(file, "<i") != _FST_MAGIC:
                return []
            _text(file)
            _text(file)
            _version, flags = _integer(file, "<i"), _integer(file, "<i")
            file.seek(8 + 3 * 8, 1)
            words: list[str] = []
            for flag in (_HAS_INPUT_SYMBOLS, _HAS_OUTPUT_SYMBOLS):
                if flags & flag:
                    words = _symbols(file)
            return words
        except (struct.error, ValueError) as error:
            raise AgentError(f"{path} is damaged") from error


def _symbols(file: BinaryIO) -> list[str]:
    if _integer(file, "<i") != _SYMBOLS_MAGIC:
        raise ValueError("no symbol table where the header announces one")
    _text(file)
    _integer(file, "<q")
    words = []
    for _ in range(_integer(file, "<q")):
        words.append(_text(file))
        file.seek(8, 1)
    return words


def _integer(file: BinaryIO, form: str) -> int:
    number: int = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return number


def _text(file: BinaryIO) -> str:
    length = _integer(file, "<i")
    if not 0 <= length < 65_536:
        raise ValueError("implausible length")
    return file.read(length).decode("utf-8", "replace")

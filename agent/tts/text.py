"""Cutting a reply into pieces, so that its beginning can be heard while the rest is made."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST_PIECE = 90
"""Characters; a longer sentence is cut at a comma where it has one. About 5 s of speech."""

_SENTENCE_END = re.compile(r"(?<=[.?!;:])\s+(?=\S)")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|No|vs)|\b[A-Z])\.$")
_CLAUSE_END = re.compile(r"(?<=,)\s+")


def pieces(text: str) -> Iterator[str]:
    """Sentences of ``text`` in order, long ones cut at commas; joined by spaces they are the text.

    White space is folded, so that a line break in the middle of a sentence is not a pause.
    """
    folded = " ".join(text.split())
    for sentence in _sentences(folded):
        if len(sentence) <= LONGEST_PIECE:
            yield sentence
        else:
            yield from _clauses(sentence)


def _sentences(text: str) -> Iterator[str]:
    held = ""
    for part in _SENTENCE_END.split(text):
        held = f"{held} {part}" if held else part
        if not _ABBREVIATION.search(held):
            if held:
                yield held
            held = ""
    if held:
        yield held


def _clauses(sentence: str) -> Iterator[str]:
    held = ""
    for part in _CLAUSE_END.split(sentence):
        if held and len(held) + len(part) >= LONGEST_PIECE:
            yield held
            held = part
        else:
            held = f"{held} {part}" if held else part
    if held:
        yield held

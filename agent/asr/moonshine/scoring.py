"""Forced scoring: how likely given texts are under speech that has been encoded already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from agent.asr.moonshine.model import Encoded, Floats, Model
from agent.asr.moonshine.tokens import END

_POSITIONS = 192
"""Tokens run together; each costs 128 KB of logits."""


@dataclass(frozen=True, slots=True)
class TextScore:
    """A text under the audio, by teacher forcing."""

    text: str = field(repr=False)
    tokens: tuple[int, ...] = field(repr=False)
    """Without start and end."""
    log_probs: Floats = field(repr=False)
    """``float32[tokens + 1]``: log probability of each token and of the end token."""

    @property
    def total(self) -> float:
        """Log probability of the whole text."""
        return float(self.log_probs.sum())

    @property
    def mean(self) -> float:
        """Mean log probability a token, end token included; compares texts of any length."""
        return float(self.log_probs.mean())


def score(model: Model, encoded: Encoded, texts: Sequence[str]) -> list[TextScore]:
    """Score texts exactly as written (capitals and full stop count), in the order given.

    Texts are run together in batches of like length. The network quantises activations by the
    range of a whole batch, so a score moves by a few hundredths of a nat a token with the
    company it is computed in.
    """
    if not texts:
        return []
    tokens = [model.tokens.encode(text) for text in texts]
    first = _log_probs_of(encoded.logits[np.newaxis], np.array([_first(ids) for ids in tokens]))
    scores: list[TextScore | None] = [None] * len(texts)
    for rows in _batches(tokens):
        rest = _later_log_probs(model, encoded, [tokens[row] for row in rows])
        for row, log_probs in zip(rows, rest, strict=True):
            scores[row] = TextScore(texts[row], tokens[row],
                                    np.concatenate([first[row:row + 1], log_probs]))
    return [entry for entry in scores if entry is not None]


def _first(ids: tuple[int, ...]) -> int:
    return ids[0] if ids else END


def _batches(tokens: Sequence[tuple[int, ...]]) -> list[list[int]]:
    """Rows sorted by length and cut so that a batch has at most ``_POSITIONS`` tokens."""
    batches: list[list[int]] = []
    for row in sorted(range(len(tokens)), key=lambda row: len(tokens[row])):
        longest = max(1, len(tokens[row]))
        if not batches or (len(batches[-1]) + 1) * longest > _POSITIONS:
            batches.append([])
        batches[-1].append(row)
    return batches


def _later_log_probs(model: Model, encoded: Encoded,
                     batch: Sequence[tuple[int, ...]]) -> list[Floats]:
    """Log probabilities of the second token on, end token included, of each of ``batch``."""
    longest = max(len(ids) for ids in batch)
    if longest == 0:
        return [np.zeros(0, np.float32) for _ in batch]
    fed = np.full((len(batch), longest), END, np.int64)
    wanted = np.full((len(batch), longest), END, np.int64)
    for row, ids in enumerate(batch):
        fed[row, :len(ids)] = ids
        wanted[row, :max(0, len(ids) - 1)] = ids[1:]
    start = encoded.start.select([0] * len(batch))
    logits, _ = model.step(encoded, start, fed)
    found = [_log_probs_of(logits[row], wanted[row]) for row in range(len(batch))]
    return [found[row][:len(ids)] for row, ids in enumerate(batch)]


def _log_probs_of(logits: Floats, wanted: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Log probability of ``wanted[i]`` under ``logits[i]`` (or under the one row there is)."""
    highest = logits.max(axis=-1, keepdims=True)
    norm = highest[:, 0] + np.log(np.exp(logits - highest).sum(axis=-1))
    rows = np.arange(len(wanted)) if len(logits) > 1 else np.zeros(len(wanted), np.intp)
    return np.asarray(logits[rows, wanted] - norm[rows], np.float32)

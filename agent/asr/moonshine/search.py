"""Decoding: greedy, and beam search with n-best and a hook for contextual biasing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from agent.asr.moonshine.loops import looping
from agent.asr.moonshine.model import Encoded, Floats, Model, log_softmax
from agent.asr.moonshine.tokens import END

_TOKENS_A_SECOND, _MIN_TOKENS = 8.0, 16
"""People spell at most some eight tokens a second ("H.I.N.I.C.H."); speech has three to four."""


CancelCheck: TypeAlias = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Decoded:
    """One transcript of an encoded window."""

    text: str = field(repr=False)
    tokens: tuple[int, ...] = field(repr=False)
    """Without start and end."""
    log_probs: Floats = field(repr=False)
    """``float32[tokens (+ 1)]``: of each token and, unless it was cut, of the end token."""
    bonus: float = 0.0
    """What the hook added in all, not part of ``log_probs``."""
    looped: bool = False
    """The decoder began to repeat itself; the repetitions were cut off."""

    @property
    def total(self) -> float:
        """Log probability of the whole transcript, without the bonus."""
        return float(self.log_probs.sum())

    @property
    def mean(self) -> float:
        """Mean log probability a token (nats), end token included, without the bonus."""
        return float(self.log_probs.mean()) if self.log_probs.size else 0.0


@dataclass(frozen=True, slots=True)
class TokenBonus:
    """What a hook adds to the log probability of each possible next token of a hypothesis."""

    tokens: npt.NDArray[np.int64]
    """Ids that get a value of their own, each at most once."""
    values: Floats
    """Nats added for each of ``tokens``."""
    others: float = 0.0
    """Nats added for every other token (a refund is negative; ``-inf`` forbids them)."""


class Hook(Protocol):
    """Steers a beam search: a prefix tree of phrases, a constraint on the answer's form.

    A hook state is any immutable value; the search keeps one with every hypothesis and asks for
    it to be advanced only when a token is really taken.
    """

    def begin(self) -> Any:
        """State of the empty hypothesis."""
        ...

    def bonus(self, state: Any) -> TokenBonus:
        """What every possible next token gets; the end token counts as a token too."""
        ...

    def advance(self, state: Any, token: int) -> Any:
        """State after taking ``token`` (never the end token)."""
        ...


@dataclass(slots=True)
class _Path:
    """A hypothesis under way."""

    tokens: tuple[int, ...] = ()
    log_probs: tuple[float, ...] = ()
    bonus: float = 0.0
    hook_state: Any = None

    @property
    def merit(self) -> float:
        return sum(self.log_probs) + self.bonus


def token_limit(encoded: Encoded) -> int:
    """Most tokens that a transcript of this window may have."""
    return max(_MIN_TOKENS, int(encoded.seconds * _TOKENS_A_SECOND))


def greedy(model: Model, encoded: Encoded, cancelled: CancelCheck | None = None) -> Decoded:
    """The transcript that takes the likeliest token each time.

    Args:
        model: The networks.
        encoded: The speech.
        cancelled: Asked before each step; decoding stops early when it answers True.
    """
    logits, state = encoded.logits, encoded.start
    tokens: list[int] = []
    log_probs: list[float] = []
    for _ in range(token_limit(encoded)):
        token = int(logits.argmax())
        log_probs.append(-float(np.log(np.exp(logits - logits[token]).sum())))
        if token == END:
            break
        tokens.append(token)
        if looping(tokens) or (cancelled is not None and cancelled()):
            break
        step, state = model.step(encoded, state, np.array([[token]], np.int64))
        logits = step[0, -1]
    return _decoded(model, _Path(tuple(tokens), tuple(log_probs)))


def beam(model: Model, encoded: Encoded, width: int, hook: Hook | None = None,
         cancelled: CancelCheck | None = None) -> list[Decoded]:
    """Beam search; at most ``width`` transcripts with different texts, best first.

    Transcripts are ranked by log probability plus bonus a token (end token included), and a
    search is over once no hypothesis under way can still beat the worst one kept.

    Args:
        model: The networks.
        encoded: The speech.
        width: Hypotheses kept at each step.
        hook: Adds to the log probabilities of tokens; see ``Hook``.
        cancelled: Asked before each step; the best so far is returned when it answers True.
    """
    paths = [_Path(hook_state=hook.begin() if hook else None)]
    log_probs = log_softmax(encoded.logits)[np.newaxis]
    state, done = encoded.start, list[_Path]()
    for _ in range(token_limit(encoded)):
        paths, parents = _expand(paths, log_probs, width, hook, done)
        if not paths or _settled(paths, done, width) or (cancelled is not None and cancelled()):
            break
        last = np.array([[path.tokens[-1]] for path in paths], np.int64)
        logits, state = model.step(encoded, state.select(parents), last)
        log_probs = log_softmax(logits[:, -1])
    return _best(model, done or paths, width)


def _expand(paths: Sequence[_Path], log_probs: Floats, width: int, hook: Hook | None,
            done: list[_Path]) -> tuple[list[_Path], list[int]]:
    """The ``width`` best continuations and the rows they came from; ended ones go to ``done``."""
    options: list[tuple[float, int, int, float]] = []
    for row, path in enumerate(paths):
        gain = _bonus(hook, path, log_probs.shape[1])
        merit = log_probs[row] if gain is None else log_probs[row] + gain
        # One more than the width, because the end token takes none of the places.
        for token in np.argpartition(merit, -(width + 1))[-(width + 1):]:
            added = 0.0 if gain is None else float(gain[token])
            options.append((path.merit + float(merit[token]), row, int(token), added))
    options.sort(key=lambda option: (-option[0], option[1], option[2]))
    kept: list[_Path] = []
    parents: list[int] = []
    for merit_sum, row, token, added in options:
        if len(kept) == width or merit_sum == -np.inf:
            break
        path = paths[row]
        grown = _Path(path.tokens, (*path.log_probs, float(log_probs[row, token])),
                      path.bonus + added, path.hook_state)
        if token == END:
            done.append(grown)
            continue
        grown.tokens = (*path.tokens, token)
        if looping(grown.tokens):
            continue
        if hook is not None:
            grown.hook_state = hook.advance(path.hook_state, token)
        kept.append(grown)
        parents.append(row)
    return kept, parents


def _bonus(hook: Hook | None, path: _Path, vocabulary: int) -> Floats | None:
    if hook is None:
        return None
    given = hook.bonus(path.hook_state)
    gain = np.full(vocabulary, given.others, np.float32)
    gain[given.tokens] = given.values
    return gain


def _settled(paths: Sequence[_Path], done: Sequence[_Path], width: int) -> bool:
    """Whether ``width`` transcripts have ended that no path under way is better than."""
    if len(done) < width:
        return False
    worst = sorted((_rank(path) for path in done), reverse=True)[width - 1]
    return max(_rank(path) for path in paths) < worst


def _rank(path: _Path) -> float:
    return path.merit / len(path.log_probs)


def _best(model: Model, paths: Sequence[_Path], width: int) -> list[Decoded]:
    """The best transcript of each text, best first."""
    best: dict[str, Decoded] = {}
    for path in sorted(paths, key=_rank, reverse=True):
        decoded = _decoded(model, path)
        best.setdefault(decoded.text, decoded)
    return list(best.values())[:width]


def _decoded(model: Model, path: _Path) -> Decoded:
    period = looping(path.tokens)
    tokens = path.tokens[:len(path.tokens) - period] if period else path.tokens
    log_probs = np.array(path.log_probs[:len(tokens)] if period else path.log_probs, np.float32)
    # Some transcripts the network was trained on are British; the agent writes one way throughout.
    text = model.tokens.decode(tokens).strip().replace(" per cent", " percent")
    return Decoded(text, tokens, log_probs, path.bonus,
                   looped=bool(period))

"""``ScoredWakeWord``: a scorer, the tiered decision and the confirmation, as one ``WakeWord``."""

from __future__ import annotations

from collections import deque

from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection
from agent.wake.confirm import DOUBTED, HEARD, Confirm
from agent.wake.history import History
from agent.wake.scorer import Score, Scorer
from agent.wake.tiered import Decision, Rule, Verdict

_PIECE = SAMPLE_RATE // 2
"""Longest run of samples handled at once, so that the history need not hold more."""


class ScoredWakeWord:
    """Listens for one word by the scores of a model.

    Args:
        scorer: Gives the scores.
        rule: Thresholds.
        refractory: Seconds after a detection in which there is no other.
        confirm: Asked about candidates; without it the rule's ``alone`` threshold decides.
    """

    def __init__(self, scorer: Scorer, rule: Rule, refractory: float = 1.0,
                 confirm: Confirm | None = None) -> None:
        self._scorer = scorer
        self._confirm = confirm
        self._decision = Decision(rule, can_ask=confirm is not None)
        self._refractory = round(refractory * SAMPLE_RATE)
        seconds = confirm.seconds if confirm is not None else 0.0
        self._wanted = round(seconds * SAMPLE_RATE)
        self._history = History(self._wanted + _PIECE)
        self._ready: deque[Detection] = deque()
        self._quiet_until = 0
        self._began = 0

    @property
    def word(self) -> str:
        """The word listened for."""
        return self._scorer.word

    def accept(self, samples: Samples) -> Detection | None:
        """Take more audio, ``int16[samples]`` at 16 kHz, any length.

        Returns the next detection. More than one in a long piece of audio are returned by the
        calls that follow, which may be empty.
        """
        for start in range(0, len(samples), _PIECE):
            piece = samples[start:start + _PIECE]
            if self._wanted:
                self._history.append(piece)
            for score in self._scorer.accept(piece):
                self._follow(score)
        return self._ready.popleft() if self._ready else None

    def reset(self) -> None:
        """Forget everything heard; time starts at 0 again."""
        self._scorer.reset()
        self._decision.reset()
        self._history.clear()
        self._ready.clear()
        self._quiet_until = 0
        self._began = 0

    def _follow(self, score: Score) -> None:
        verdict = self._decision.follow(score.value)
        if self._decision.begins:
            self._began = score.end
        if verdict is Verdict.NOTHING:
            return
        heard = score.end >= self._quiet_until
        if heard and verdict is Verdict.ASK:
            heard = self._ask(score.end)
        if heard:
            self._quiet_until = score.end + self._refractory
            self._ready.append(Detection(self.word, self._scorer.engine, self._decision.peak,
                                         self._began / SAMPLE_RATE))
        self._decision.settle(accepted=heard)

    def _ask(self, end: int) -> bool:
        assert self._confirm is not None  # without it the decision never asks
        answer = self._confirm(self._history.slice(end - self._wanted, end))
        if answer is None:
            return self._decision.strong
        return answer >= (DOUBTED if self._decision.strong else HEARD)

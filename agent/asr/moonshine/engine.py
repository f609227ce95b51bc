"""Moonshine as the agent's ``Recogniser``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np

from agent.asr import Prepared
from agent.asr.moonshine import contextual, scoring, search, windows
from agent.asr.moonshine.model import Encoded, Model, release_memory
from agent.asr.settings import Settings
from agent.asr.worker import Worker
from agent.biasing import Bias, Hypothesis, arbitration
from agent.biasing.arbitration import Arbiter, Decision, Evidence
from agent.biasing.settings import Settings as BiasSettings
from agent.events import Samples

_PAUSE_FRAMES = 5
"""Frames before an anticipated end that are taken for the level of the pause."""


@dataclass(frozen=True, slots=True)
class MoonshinePrepared:
    """A bias for Moonshine."""

    bias: Bias
    context: contextual.Context = field(repr=False)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a decode leaves behind: the hypotheses, and the encoded speech to score texts on."""

    hypotheses: tuple[Hypothesis, ...] = field(default=(), repr=False)
    encoded: tuple[Encoded, ...] = field(default=(), repr=False)
    """One for each window; more than one only for audio longer than a window."""
    evidence: Evidence | None = field(default=None, repr=False)
    """What the context makes of it; None without a bias, or when it has no candidate."""


class MoonshineRecogniser:
    """Loads the model once; every utterance is one ``MoonshineRecognition``.

    Args:
        folder: The model's folder.
        settings: Threads and beam width.
        bias_settings: What context may cost.

    Raises:
        AgentError: The model is missing or damaged.
    """

    def __init__(self, folder: Path, settings: Settings | None = None,
                 bias_settings: BiasSettings | None = None) -> None:
        self.settings = settings or Settings()
        self.bias_settings = bias_settings or BiasSettings()
        thresholds = self.bias_settings.thresholds
        self.arbiter = (arbitration.load(thresholds) if thresholds != Path()
                        else arbitration.shipped(self.name))
        self.model = Model(folder, self.settings.threads)
        self._worker = Worker("moonshine")

    @property
    def name(self) -> str:
        """``moonshine``."""
        return "moonshine"

    def prepare(self, bias: Bias) -> MoonshinePrepared:
        """Compile the bias: word automaton, prefix trees, pronunciations."""
        return MoonshinePrepared(bias, contextual.prepare(bias, self.model.tokens))

    def start(self, prepared: Prepared | None = None) -> MoonshineRecognition:
        """Begin an utterance."""
        context = prepared.context if isinstance(prepared, MoonshinePrepared) else None

        def decode(samples: Samples, cancelled: search.CancelCheck) -> Heard:
            return self.decode(samples, cancelled, context)

        return MoonshineRecognition(decode, self.model, self._worker, self.arbiter)

    def decode(self, samples: Samples, cancelled: search.CancelCheck | None = None,
               context: contextual.Context | None = None) -> Heard:
        """Recognise audio of any length; nothing in it gives no hypothesis.

        Args:
            samples: ``int16[samples]`` at 16 kHz.
            cancelled: Asked now and then; the result is worthless once it has answered True.
            context: What may be said; audio longer than a window is recognised without it.
        """
        encoded: list[Encoded] = []
        lists: list[list[search.Decoded]] = []
        for window in windows.split(samples):
            if windows.is_silent(window) or (cancelled is not None and cancelled()):
                continue
            encoded.append(self.model.encode(window))
            lists.append(self._search(encoded[-1], cancelled))
        if cancelled is not None and cancelled():
            return Heard()
        evidence = self._weigh(encoded, lists, context)
        release_memory()
        return Heard(_join(lists), tuple(encoded), evidence)

    def _weigh(self, encoded: Sequence[Encoded], lists: Sequence[list[search.Decoded]],
               context: contextual.Context | None) -> Evidence | None:
        wanted = context is not None and not context.is_empty and self.bias_settings.enabled
        if context is None or not wanted or len(encoded) != 1:
            return None
        budget = self.bias_settings.budget_ms
        deadline = contextual.Deadline(budget / 1000 if budget else None)
        return contextual.gather(self.model, encoded[0], lists[0], context, self.bias_settings,
                                 deadline)

    def _search(self, encoded: Encoded,
                cancelled: search.CancelCheck | None) -> list[search.Decoded]:
        if self.settings.beam == 1:
            return [search.greedy(self.model, encoded, cancelled)]
        return search.beam(self.model, encoded, self.settings.beam, cancelled=cancelled)


class MoonshineRecognition:
    """One utterance: collects audio, decodes at the end or ahead of it at a pause.

    Args:
        decode: Recognises collected audio.
        model: Scores texts afterwards.
        worker: Runs decodes ahead of time, one at a time.
        arbiter: Weighs free transcript and context; the shipped one if not given.
    """

    def __init__(self, decode: Callable[[Samples, search.CancelCheck], Heard], model: Model,
                 worker: Worker, arbiter: Arbiter | None = None) -> None:
        self._arbiter = arbiter or arbitration.shipped("moonshine")
        self._decode = decode
        self._model = model
        self._worker = worker
        self._pieces: list[Samples] = []
        self._length = 0
        self._ahead: _Anticipation | None = None
        self._heard: Heard | None = None
        self._given_up = Event()

    @property
    def heard(self) -> Heard:
        """What ``finish`` found; empty before."""
        return self._heard or Heard()

    @property
    def samples(self) -> Samples:
        """All the audio so far, ``int16[samples]``."""
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0] if self._pieces else np.zeros(0, np.int16)

    def accept(self, samples: Samples) -> None:
        """Keep more audio, ``int16[samples]``."""
        self._pieces.append(samples.astype(np.int16, copy=True))
        self._length += len(samples)

    def partial(self) -> str:
        """The transcript up to the last anticipated pause, when that is ready."""
        ahead = self._ahead
        if ahead is None or not ahead.future.done():
            return ""
        hypotheses = ahead.future.result().hypotheses
        return hypotheses[0].text if hypotheses else ""

    def anticipate(self) -> None:
        """Start decoding what is there on the worker thread."""
        if self._ahead is not None:
            if self._ahead.still_holds(self.samples):
                return
            self._ahead.cancelled.set()
        samples, cancelled = self.samples, Event()
        future = self._worker.submit(self._decode, samples, cancelled.is_set)
        self._ahead = _Anticipation(samples, future, cancelled)

    def finish(self) -> tuple[Hypothesis, ...]:
        """Decode, or take the anticipated decode when only the pause went on after it."""
        if self._heard is None:
            ahead = self._ahead
            if ahead is not None and ahead.still_holds(self.samples):
                self._heard = ahead.future.result()
            else:
                self._drop_ahead()
                self._heard = self._decode(self.samples, self._given_up.is_set)
        return self._heard.hypotheses

    def decide(self) -> Decision:
        """Free transcript or context, whichever the evidence speaks for (after ``finish``)."""
        hypotheses = self.finish()
        evidence = self.heard.evidence
        if evidence is not None:
            return self._arbiter.decide(evidence)
        texts = tuple(hypothesis.text for hypothesis in hypotheses)
        return arbitration.plain(texts[0] if texts else "", texts[1:])

    @property
    def evidence(self) -> Evidence | None:
        """What spoke for and against the context; None where there was none."""
        return self.heard.evidence

    def score(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        """Mean log probability a token of each text, exactly as written.

        None when there is no speech, or more than one window of it.
        """
        heard = self.heard
        if len(heard.encoded) != 1:
            return None
        scores = scoring.score(self._model, heard.encoded[0], texts)
        release_memory()
        return tuple(entry.mean for entry in scores)

    def close(self) -> None:
        """Stop a decode that is under way, also one that another thread waits for."""
        self._given_up.set()
        self._drop_ahead()

    def _drop_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.cancelled.set()
            self._ahead = None


@dataclass(frozen=True, slots=True)
class _Anticipation:
    """A decode that was started at a pause."""

    samples: Samples = field(repr=False)
    future: Future[Heard]
    cancelled: Event

    def still_holds(self, samples: Samples) -> bool:
        """Whether what came after the pause began is no louder than the pause itself."""
        later = windows.levels(samples[len(self.samples):])
        if not len(later):
            return True
        pause = windows.levels(self.samples)[-_PAUSE_FRAMES:]
        limit = max(windows.SILENCE, 2 * float(pause.max(initial=0)))
        return float(later.max()) <= limit


def _sentence(texts: Sequence[str]) -> str:
    """Texts of successive windows as one; a window may begin with the comma of the last."""
    first, *later = [text for text in texts if text] or [""]
    return " ".join([first, *(text.lstrip(",.;:!? ") for text in later)]).strip()


def _join(lists: Sequence[Sequence[search.Decoded]]) -> tuple[Hypothesis, ...]:
    """Hypotheses of the whole from those of its windows.

    The i-th of each window are put together (the last where a window has fewer), so that the
    first is the best of every window and scores stay in order.
    """
    joined: dict[str, Hypothesis] = {}
    for rank in range(max((len(entry) for entry in lists), default=0)):
        parts = [entry[min(rank, len(entry) - 1)] for entry in lists if entry]
        text = _sentence([part.text for part in parts])
        tokens = sum(part.log_probs.size for part in parts)
        if text and tokens:
            mean = sum(part.total for part in parts) / tokens
            joined.setdefault(text, Hypothesis(text, mean, tokens))
    return tuple(sorted(joined.values(), key=lambda entry: -entry.score))

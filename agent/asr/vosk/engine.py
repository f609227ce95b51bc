"""Vosk as the agent's ``Recogniser``: a free decode, and one under the bias's grammar."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from agent.asr import Prepared
from agent.asr.settings import Settings
from agent.asr.vosk import grammar
from agent.asr.vosk import profile as profiles
from agent.asr.vosk.levels import Leveller
from agent.asr.vosk.matching import Ranked, View, index, rank
from agent.asr.vosk.model import VoskModel
from agent.asr.vosk.respelling import PhoneticSpeller
from agent.asr.vosk.room import Room
from agent.asr.vosk.stream import Stream
from agent.asr.vosk.weighing import weigh, written_out
from agent.asr.worker import Worker
from agent.biasing import NO_BIAS, Bias, Hypothesis, Phrase, arbitration
from agent.biasing.arbitration import Arbiter, Decision, Evidence, plain
from agent.biasing.settings import Settings as BiasSettings
from agent.events import SAMPLE_RATE, Samples

CONTEXT_ALTERNATIVES = 20
"""Hypotheses of each decode under the grammar that speak for the phrases that they sound like."""


class _Pool:
    """Recognisers of one kind that lie ready, because making one takes up to 100 ms."""

    def __init__(self, model: VoskModel, lines: Sequence[str] | None,
                 rate: int = SAMPLE_RATE) -> None:
        self._model = model
        self._lines = lines
        self._rate = rate
        self._lock = Lock()
        self._ready = [self._model.recogniser(lines, rate)]

    def take(self) -> Any:
        """A clean recogniser; made when none lies ready."""
        with self._lock:
            if self._ready:
                return self._ready.pop()
        return self._model.recogniser(self._lines, self._rate)

    def give_back(self, recogniser: Any) -> None:
        """Keep one that has nothing in flight."""
        with self._lock:
            if not self._ready:
                self._ready.append(recogniser)


class VoskPrepared:
    """A bias as a grammar, with recognisers that hold it compiled, one a speed.

    A new recogniser is made for every grammar: giving one a new grammar (``SetGrammar``) ends
    the process when audio is in flight.
    """

    def __init__(self, bias: Bias, built: grammar.Grammar, model: VoskModel,
                 rates: Sequence[int] = (SAMPLE_RATE,)) -> None:
        self._bias = bias
        self.grammar = built
        self.spelled = built.spellings()
        known: dict[str, Phrase] = {}
        for phrase in bias.phrases:
            if phrase.weight > 0 and phrase.kind not in ("carrier", "screen"):
                known.setdefault(phrase.text, phrase)
        self.known = tuple(known.values())
        index(self.known, self.spelled)
        self.pools = [_Pool(model, built.lines, rate) for rate in rates] if built.lines else []

    @property
    def bias(self) -> Bias:
        """The bias that this was made from."""
        return self._bias


class VoskRecogniser:
    """Loads the model once; every utterance is one ``VoskRecognition``.

    Args:
        folder: The model's folder.
        settings: Number of alternatives.
        speller: Spells phrases in words that the model knows.
        bias_settings: Whether context is used, and by which thresholds.

    Raises:
        AgentError: Vosk or the model is missing, or the model is damaged.
    """

    def __init__(self, folder: Path, settings: Settings | None = None,
                 speller: grammar.Speller | None = None,
                 bias_settings: BiasSettings | None = None) -> None:
        self.settings = settings or Settings()
        self.bias_settings = bias_settings or BiasSettings()
        self.model = VoskModel(folder)
        self.speller = speller or PhoneticSpeller(folder)
        thresholds = self.bias_settings.thresholds
        language = "ko" if "-ko" in folder.name else "en"
        self.profile = profiles.shipped(language)
        self.arbiter = (arbitration.load(thresholds) if thresholds != Path()
                        else arbitration.shipped("vosk-ko" if language == "ko" else "vosk"))
        self._free = _Pool(self.model, None)
        self._workers = {"free": Worker("vosk-free"), "context": Worker("vosk-grammar")}

    @property
    def name(self) -> str:
        """``vosk``."""
        return "vosk"

    def prepare(self, bias: Bias) -> VoskPrepared:
        """Spell and compile the bias; about 1 ms for 100 phrases. Thread-safe."""
        used = written_out(bias, self.model.knows) if self.bias_settings.enabled else NO_BIAS
        built = grammar.build(used, self.speller, self.model.knows)
        return VoskPrepared(bias, built, self.model, self.profile.rates)

    def start(self, prepared: Prepared | None = None) -> VoskRecognition:
        """Begin an utterance."""
        if prepared is not None and not isinstance(prepared, VoskPrepared):
            raise TypeError(f"prepared by another engine: {type(prepared).__name__}")
        free = self._stream(self._free, "free")
        if prepared is None or not prepared.pools:
            return VoskRecognition(free)
        views = [self._stream(pool, "context") for pool in prepared.pools]
        budget = self.bias_settings.budget_ms / 1000 or inf
        return VoskRecognition(free, views, prepared, self.arbiter, self.profile, budget)

    def decode(self, samples: Samples, phrases: Sequence[str] | None = None,
               ) -> tuple[Hypothesis, ...]:
        """Recognise whole audio at once, freely or under a grammar of ``phrases``.

        Args:
            samples: ``int16[samples]``.
            phrases: Lines of known words; those with unknown words are left out, and where
                none remains there is no hypothesis.
        """
        if phrases is None:
            stream = self._stream(self._free, "free")
        else:
            known = tuple(line for line in phrases
                          if line.strip() and all(map(self.model.knows, line.split())))
            if not known:
                return ()
            stream = self._stream(_Pool(self.model, known), "context")
        leveller = Leveller()
        for block in (*leveller.accept(samples), *leveller.flush()):
            stream.accept(block)
        return stream.finish()

    def _stream(self, pool: _Pool, source: Literal["free", "context"]) -> Stream:
        return Stream(pool.take(), self._workers[source], source,
                      self.settings.alternatives if source == "free" else CONTEXT_ALTERNATIVES,
                      pool.give_back)


class VoskRecognition:
    """One utterance: the same frames to the free and the grammar recognisers, on two threads.

    Args:
        free: The free decode.
        views: The decodes under the grammar, if there is one, at the speeds of the profile.
        prepared: The grammar and what it was made of.
        arbiter: Weighs what was heard freely and under the grammar.
        profile: How the model hears.
        budget: Seconds after the end of the audio in which the grammar must be done; views that
            are late count for nothing.
    """

    def __init__(self, free: Stream, views: Sequence[Stream] = (),
                 prepared: VoskPrepared | None = None, arbiter: Arbiter | None = None,
                 profile: profiles.Profile = profiles.PLAIN, budget: float = inf) -> None:
        self._prepared = prepared
        self._arbiter = arbiter
        self._profile = profile
        self._budget = budget
        self._free = free
        self._views = tuple(views)
        self._evidence: Evidence | None = None
        self._leveller = Leveller()
        self._room = Room() if profile.room else None
        if self._room is not None:
            self._show(self._room.begin())
        self.free: tuple[Hypothesis, ...] = ()
        """What was heard freely, best first; after ``finish``."""
        self.context: tuple[Hypothesis, ...] = ()
        """What was heard under the grammar, best first, as the catalogue spells it."""
        self.heard: list[View] = []
        """What each of the decodes under the grammar heard, in the grammar's words."""
        self._finished = False

    def accept(self, samples: Samples) -> None:
        """Queue audio, ``int16[samples]``; returns at once."""
        self._feed(self._leveller.accept(samples))

    def partial(self) -> str:
        """The best free text so far."""
        return self._free.partial

    def anticipate(self) -> None:
        """Decode what was held back to learn the level; the rest has kept up with the audio."""
        self._feed(self._leveller.pause())

    def finish(self) -> tuple[Hypothesis, ...]:
        """Free hypotheses, best first, then those under the grammar, best first."""
        if not self._finished:
            self._finished = True
            deadline = time.monotonic() + self._budget
            self._feed(self._leveller.flush())
            if self._room is not None:
                self._show(self._room.end())
            self.free = self._free.finish()
            self.heard = [(view.finish(self._left(deadline)), view.frames)
                          for view in self._views]
            if self._prepared is not None:
                self.context = self._restored(self.heard[0][0], self._prepared.grammar)
                self._evidence = weigh(self.free, self.context, self._ranked(), self._prepared.bias)
        return self.free + self.context

    def decide(self) -> Decision:
        """What was heard freely or under the grammar, whichever the evidence speaks for."""
        self.finish()
        if self._evidence is None or self._arbiter is None:
            return _plain(self.free)
        return self._arbiter.decide(self._evidence)

    @property
    def evidence(self) -> Evidence | None:
        """What speaks for and against the grammar's answer; None where there is none."""
        return self._evidence

    def score(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        """None: Vosk cannot score a text of one's choice."""
        return None

    def close(self) -> None:
        """Drop what is queued."""
        self._free.close()
        for view in self._views:
            view.close()

    def _feed(self, blocks: Sequence[Samples]) -> None:
        for block in blocks:
            self._free.accept(block)
            self._show(block if self._room is None else self._room.hear(block))

    @staticmethod
    def _left(deadline: float) -> float | None:
        """Seconds that a view may still take; None where there is no limit."""
        return max(0.0, deadline - time.monotonic()) if deadline < inf else None

    def _show(self, block: Samples) -> None:
        for view in self._views:
            view.accept(block)

    def _ranked(self) -> list[Ranked]:
        assert self._prepared is not None
        return rank(self._prepared.known, self.heard, self._profile, self._prepared.spelled)

    def _restored(self, hypotheses: Sequence[Hypothesis],
                  written_as: grammar.Grammar) -> tuple[Hypothesis, ...]:
        written: dict[str, Hypothesis] = {}
        for entry in hypotheses[:self._free.alternatives]:
            text = written_as.restore(entry.text)
            written.setdefault(text, dataclasses.replace(entry, text=text))
        return tuple(written.values())


def _plain(hypotheses: Sequence[Hypothesis]) -> Decision:
    texts = tuple(entry.text for entry in hypotheses)
    return plain(texts[0] if texts else "", texts[1:])

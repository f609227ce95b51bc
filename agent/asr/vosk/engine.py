"""Vosk as the agent's ``Recogniser``: a free decode, and one under the bias's grammar."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from agent.asr import Prepared
from agent.asr.settings import Settings
from agent.asr.vosk import grammar
from agent.asr.vosk.levels import Leveller
from agent.asr.vosk.model import VoskModel
from agent.asr.vosk.respelling import PhoneticSpeller
from agent.asr.vosk.stream import Stream
from agent.asr.vosk.weighing import weigh, written_out
from agent.asr.worker import Worker
from agent.biasing import NO_BIAS, Bias, Hypothesis, arbitration
from agent.biasing.arbitration import Arbiter, Decision, Evidence, plain
from agent.biasing.settings import Settings as BiasSettings
from agent.events import Samples


class _Pool:
    """Recognisers of one kind that lie ready, because making one takes up to 100 ms."""

    def __init__(self, model: VoskModel, lines: Sequence[str] | None) -> None:
        self._model = model
        self._lines = lines
        self._lock = Lock()
        self._ready = [self._model.recogniser(lines)]

    def take(self) -> Any:
        """A clean recogniser; made when none lies ready."""
        with self._lock:
            if self._ready:
                return self._ready.pop()
        return self._model.recogniser(self._lines)

    def give_back(self, recogniser: Any) -> None:
        """Keep one that has nothing in flight."""
        with self._lock:
            if not self._ready:
                self._ready.append(recogniser)


class VoskPrepared:
    """A bias as a grammar, with a recogniser that holds it compiled.

    A new recogniser is made for every grammar: giving one a new grammar (``SetGrammar``) ends
    the process when audio is in flight.
    """

    def __init__(self, bias: Bias, built: grammar.Grammar, model: VoskModel) -> None:
        self._bias = bias
        self.grammar = built
        self.pool = _Pool(model, built.lines) if built.lines else None

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
        self.arbiter = (arbitration.load(thresholds) if thresholds != Path()
                        else arbitration.shipped(_thresholds_of(folder)))
        self._free = _Pool(self.model, None)
        self._workers = (Worker("vosk-free"),
                         Worker("vosk-grammar"))

    @property
    def name(self) -> str:
        """``vosk``."""
        return "vosk"

    def prepare(self, bias: Bias) -> VoskPrepared:
        """Spell and compile the bias; about 1 ms for 100 phrases. Thread-safe."""
        used = written_out(bias, self.model.knows) if self.bias_settings.enabled else NO_BIAS
        built = grammar.build(used, self.speller, self.model.knows)
        return VoskPrepared(bias, built, self.model)

    def start(self, prepared: Prepared | None = None) -> VoskRecognition:
        """Begin an utterance."""
        if prepared is not None and not isinstance(prepared, VoskPrepared):
            raise TypeError(f"prepared by another engine: {type(prepared).__name__}")
        free = self._stream(self._free, 0)
        if prepared is None or prepared.pool is None:
            return VoskRecognition(free)
        return VoskRecognition(free, self._stream(prepared.pool, 1), prepared.grammar,
                               prepared.bias, self.arbiter)

    def decode(self, samples: Samples, phrases: Sequence[str] | None = None,
               ) -> tuple[Hypothesis, ...]:
        """Recognise whole audio at once, freely or under a grammar of ``phrases``.

        Args:
            samples: ``int16[samples]``.
            phrases: Lines of known words; those with unknown words are left out, and where
                none remains there is no hypothesis.
        """
        if phrases is None:
            stream = self._stream(self._free, 0)
        else:
            known = tuple(line for line in phrases
                          if line.strip() and all(map(self.model.knows, line.split())))
            if not known:
                return ()
            stream = self._stream(VoskPrepared(
                NO_BIAS, grammar.Grammar(known), self.model).pool, 1)
        leveller = Leveller()
        for block in (*leveller.accept(samples), *leveller.flush()):
            stream.accept(block)
        return stream.finish()

    def _stream(self, pool: _Pool | None, kind: int) -> Stream:
        assert pool is not None
        return Stream(pool.take(), self._workers[kind], ("free", "context")[kind],
                      self.settings.alternatives, pool.give_back)


class VoskRecognition:
    """One utterance: the same frames to the free and the grammar recogniser, each on a thread.

    Args:
        free: The free decode.
        context: The decode under the grammar, if there is one.
        written: The grammar, for writing its phrases as the catalogue does.
        bias: What the grammar was made of.
        arbiter: Weighs what was heard freely and under the grammar.
    """

    def __init__(self, free: Stream, context: Stream | None = None,
                 written: grammar.Grammar | None = None, bias: Bias = NO_BIAS,
                 arbiter: Arbiter | None = None) -> None:
        self._bias = bias
        self._arbiter = arbiter
        self._free = free
        self._context = context
        self._grammar = written or grammar.Grammar()
        self._leveller = Leveller()
        self.free: tuple[Hypothesis, ...] = ()
        """What was heard freely, best first; after ``finish``."""
        self.context: tuple[Hypothesis, ...] = ()
        """What was heard under the grammar, best first, as the catalogue spells it."""
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
            self._feed(self._leveller.flush())
            self.free = self._free.finish()
            if self._context is not None:
                self.context = self._restored(self._context.finish())
        return self.free + self.context

    def decide(self) -> Decision:
        """What was heard freely or under the grammar, whichever the evidence speaks for."""
        self.finish()
        evidence = self.evidence
        if evidence is None or self._arbiter is None:
            return _plain(self.free)
        return self._arbiter.decide(evidence)

    @property
    def evidence(self) -> Evidence | None:
        """What speaks for and against the grammar's answer; None where there is none."""
        return weigh(self.free, self.context, self._bias) if self._context is not None else None

    def score(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        """None: Vosk cannot score a text of one's choice."""
        return None

    def close(self) -> None:
        """Drop what is queued."""
        self._free.close()
        if self._context is not None:
            self._context.close()

    def _feed(self, blocks: Sequence[Samples]) -> None:
        for block in blocks:
            self._free.accept(block)
            if self._context is not None:
                self._context.accept(block)

    def _restored(self, hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
        written: dict[str, Hypothesis] = {}
        for entry in hypotheses:
            text = self._grammar.restore(entry.text)
            written.setdefault(text, dataclasses.replace(entry, text=text))
        return tuple(written.values())


def _thresholds_of(folder: Path) -> str:
    """Which shipped thresholds belong to a model: those of its language, where there are some."""
    return "vosk-ko" if "-ko" in folder.name else "vosk"


def _plain(hypotheses: Sequence[Hypothesis]) -> Decision:
    texts = tuple(entry.text for entry in hypotheses)
    return plain(texts[0] if texts else "", texts[1:])

"""Runs a recogniser over a manifest's recordings."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.asr import Prepared, Recogniser
from agent.audio import files
from agent.biasing import NO_BIAS
from agent.biasing.arbitration import Decision
from agent.errors import AgentError
from agent.evaluate import noise as mixing
from agent.evaluate import scoring
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Context, Line
from agent.events import Expectation, Samples


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise to mix in."""

    samples: Samples = field(repr=False)
    snr_db: float

    @classmethod
    def read(cls, path: Path, snr_db: float) -> Noise:
        """Noise from a file.

        Raises:
            AgentError: The file cannot be read.
        """
        return cls(files.read(path), snr_db)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one recording."""

    line: Line
    text: str = field(repr=False)
    plain: str = field(repr=False)
    """The free transcript of the same run."""
    decision: Decision = field(repr=False)
    seconds: float
    """Wall time from the end of the audio to the decision."""

    @property
    def exact(self) -> bool | None:
        """Whether the transcript is what was said; None where the manifest does not say."""
        return self._exact(self.text)

    @property
    def plain_exact(self) -> bool | None:
        """The same of the free transcript."""
        return self._exact(self.plain)

    @property
    def accepted(self) -> bool | None:
        """Whether all slot values were heard; None where there are no slots."""
        return scoring.accepted(self.text, self.line.slots) if self.line.slots else None

    @property
    def right(self) -> bool | None:
        """Exact where there is a text, accepted where there are only slots."""
        return self.accepted if self.exact is None else self.exact

    @property
    def plain_right(self) -> bool | None:
        """The same of the free transcript."""
        if self.line.has_text:
            return self.plain_exact
        return scoring.accepted(self.plain, self.line.slots) if self.line.slots else None

    def _exact(self, text: str) -> bool | None:
        if not self.line.has_text:
            return None
        return scoring.exact(text, self.line.text, self.line.expects)


def run(recogniser: Recogniser, lines: Sequence[Line], *, context: bool,
        noise: Noise | None = None) -> Iterator[Result]:
    """Recognise every line, in order.

    Args:
        recogniser: The engine.
        lines: The recordings.
        context: Whether the recogniser is told what the device knows.
        noise: Mixed into every recording.

    Raises:
        AgentError: A recording cannot be read; names it.
    """
    prepared: dict[tuple[Context, Expectation | None], Prepared] = {}
    for line in lines:
        samples = read_audio(line, noise)
        key = (line.context, line.expects)
        if context and key not in prepared:
            bias = bias_of(*key)
            prepared[key] = recogniser.prepare(bias if bias is not None else NO_BIAS)
        yield recognise(recogniser, line, samples, prepared[key] if context else None)


def recognise(recogniser: Recogniser, line: Line, samples: Samples,
              prepared: Prepared | None) -> Result:
    """Recognise one recording."""
    recognition = recogniser.start(prepared)
    try:
        recognition.accept(samples)
        start = time.perf_counter()
        hypotheses = recognition.finish()
        decision = recognition.decide()
        seconds = time.perf_counter() - start
    finally:
        recognition.close()
    plain = hypotheses[0].text if hypotheses else ""
    return Result(line, decision.text, plain, decision, seconds)


def read_audio(line: Line, noise: Noise | None) -> Samples:
    """A line's audio, with noise where asked for.

    Raises:
        AgentError: It cannot be read; names the line.
    """
    try:
        samples = files.read(line.audio)
    except AgentError as error:
        raise AgentError(f"recording {line.id}: {error.what}", error.mend) from error
    if noise is None or not samples.any():
        return samples
    return mixing.mix(line.id, samples, noise.samples, noise.snr_db)

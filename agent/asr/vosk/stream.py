"""One Vosk decode: frames in on a thread of its own, hypotheses out."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from agent.asr.worker import Worker
from agent.biasing import Hypothesis
from agent.events import SAMPLE_RATE, Samples

FRAME_SECONDS = 0.03
"""What one decoded frame of a chain model covers."""
_PARTIAL_SECONDS = 0.2


class Stream:
    """Feeds one recogniser in order, without keeping the caller waiting.

    Args:
        recogniser: A ``KaldiRecognizer`` with nothing in flight.
        worker: Runs one job at a time; may be shared by streams one after the other.
        source: ``free`` or ``context``, for the hypotheses.
        alternatives: Most hypotheses to return.
        give_back: Called with the recogniser once it is clean again.
    """

    def __init__(self, recogniser: Any, worker: Worker, source: str,
                 alternatives: int, give_back: Callable[[Any], None]) -> None:
        self._recogniser = recogniser
        self._recogniser.SetMaxAlternatives(alternatives)
        self._worker = worker
        self.alternatives = alternatives
        self._source = source
        self._give_back = give_back
        self._jobs: list[Future[None]] = []
        self._samples = 0
        self._next_partial = 0.0
        self._partial = ""
        self._closing = False
        self._closed = False

    @property
    def partial(self) -> str:
        """The best text so far, a fifth of a second behind at most."""
        return self._partial

    @property
    def frames(self) -> float:
        """What scores are divided by: frames of the audio taken, at its true rate."""
        return max(1.0, self._samples / SAMPLE_RATE / FRAME_SECONDS)

    def accept(self, samples: Samples) -> None:
        """Queue audio, ``int16[samples]``."""
        self._jobs = [job for job in self._jobs if not job.done() or job.exception()]
        self._jobs.append(self._worker.submit(self._feed, samples.tobytes(), len(samples)))

    def finish(self, timeout: float | None = None) -> tuple[Hypothesis, ...]:
        """Decode what is queued to the end; best first, empty texts left out.

        Args:
            timeout: Seconds after which the rest is dropped, and nothing was heard.
        """
        if self._closed or self._closing:
            return ()
        result = self._worker.submit(self._final)
        try:
            found = result.result(timeout)
        except TimeoutError:
            self._closing = True
            return ()
        for job in self._jobs:
            job.result()
        return found

    def close(self) -> None:
        """Drop what is queued and give the recogniser back."""
        if self._closed or self._closing:
            return
        self._closing = True
        self._worker.submit(self._drop)

    def _feed(self, data: bytes, count: int) -> None:
        # Once given back the recogniser may be another stream's.
        if self._closing or self._closed or not data:
            return
        # The library's own endpoint (the value returned) is ignored: the agent's endpointer
        # decides, and an utterance with a pause stays one.
        self._recogniser.AcceptWaveform(data)
        self._samples += count
        if self._source == "free" and self._samples >= self._next_partial:
            self._next_partial = self._samples + _PARTIAL_SECONDS * SAMPLE_RATE
            self._partial = json.loads(self._recogniser.PartialResult()).get("partial", "")

    def _final(self) -> tuple[Hypothesis, ...]:
        if self._closed:
            return ()
        result = json.loads(self._recogniser.FinalResult())
        self._release()
        alternatives = result.get("alternatives") or [result]
        hypotheses = [Hypothesis(entry["text"].strip(), entry.get("confidence", 0.0) / self.frames,
                                 len(entry["text"].split()), self._source)
                      for entry in alternatives if entry.get("text", "").strip()]
        return tuple(sorted(hypotheses, key=lambda entry: -entry.score))

    def _drop(self) -> None:
        if not self._closed:
            self._recogniser.FinalResult()
            self._release()

    def _release(self) -> None:
        self._closed = True
        self._give_back(self._recogniser)

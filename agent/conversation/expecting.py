"""Making the recogniser ready for what may be said, while the agent is still speaking.

Best effort: nothing here can delay or break a turn.
"""

from __future__ import annotations

import asyncio
import contextlib

from agent.asr import Prepared, Recogniser
from agent.biasing import NO_BIAS, Bias, builders
from agent.events import EventBus, ExpectSpeech, Fault
from agent.worker import Worker, Workload


class BestEffort:
    """Prepares biases on a worker; hands out what is ready, or nothing.

    Args:
        recogniser: Prepares.
        worker: Where it does so, beside recognition itself.
        workload: Counts preparing as outstanding work.
        bus: Where a failure is announced.
    """

    def __init__(self, recogniser: Recogniser, worker: Worker, workload: Workload,
                 bus: EventBus) -> None:
        self._recogniser, self._worker = recogniser, worker
        self._workload, self._bus = workload, bus
        self._standing: Prepared | None = None
        self._base = NO_BIAS
        self._turn: asyncio.Task[Prepared | None] | None = None

    async def know(self, base: Bias) -> None:
        """Make ready for what may be said after a wake word: the user's names and commands."""
        self._base = base
        self._standing = await self._prepare(base) if base.phrases else None

    def standing(self) -> Prepared | None:
        """What may be said after a wake word."""
        return self._standing

    def expect(self, question: ExpectSpeech) -> None:
        """Begin to prepare for the answer to ``question``."""
        self._drop()
        bias = builders.turn(self._base, question.expectation, question.alternatives)
        self._turn = asyncio.create_task(self._prepare(bias))

    async def ready(self) -> Prepared | None:
        """What has been prepared by now; None when it is late or failed."""
        await asyncio.sleep(0)
        done = self._turn is not None and self._turn.done()
        prepared = self._turn.result() if self._turn is not None and done else None
        self._drop()
        return prepared

    def _drop(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.cancel()
        self._turn = None

    async def _prepare(self, bias: Bias) -> Prepared | None:
        with self._workload.working(), contextlib.suppress(asyncio.CancelledError):
            try:
                return await self._worker.run(self._recogniser.prepare, bias)
            except Exception as error:
                self._bus.publish(Fault(0.0, "context", type(error).__name__))
        return None

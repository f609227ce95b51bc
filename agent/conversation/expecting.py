"""Making the recogniser ready for what may be said, while the agent is still speaking.

Best effort: nothing here can delay or break a turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

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
        now: Seconds on the agent's clock.
    """

    def __init__(self, recogniser: Recogniser, worker: Worker, workload: Workload,
                 bus: EventBus, now: Callable[[], float]) -> None:
        self._recogniser, self._worker = recogniser, worker
        self._workload, self._bus, self._now = workload, bus, now
        self._standing: Prepared | None = None
        self._base = NO_BIAS
        self._turn: asyncio.Task[Prepared | None] | None = None

    async def know(self, base: Bias) -> None:
        """Make ready for what may be said after a wake word: the user's names and commands."""
        self._base = base
        self._standing = await self._prepare(lambda: base) if base.phrases else None

    def standing(self) -> Prepared | None:
        """What may be said after a wake word."""
        return self._standing

    def expect(self, question: ExpectSpeech) -> None:
        """Begin to prepare for the answer to ``question``."""
        self._drop()
        self._turn = asyncio.create_task(self._prepare(lambda: builders.turn(
            self._base, question.expectation, question.alternatives)))

    async def ready(self) -> Prepared | None:
        """What has been prepared by now; None when it is late or failed."""
        await asyncio.sleep(0)
        turn = self._turn
        ready = turn is not None and turn.done() and not turn.cancelled()
        self._drop()
        return turn.result() if turn is not None and ready else None

    def _drop(self) -> None:
        if self._turn is not None and not self._turn.done():
            self._turn.cancel()
        self._turn = None

    async def _prepare(self, make: Callable[[], Bias]) -> Prepared | None:
        with self._workload.working():
            try:
                return await self._worker.run(lambda: self._recogniser.prepare(make()))
            except Exception as error:
                self._bus.publish(Fault(self._now(), "context", type(error).__name__))
        return None

"""The context window of one turn: everything that happens while the question is being spoken.

Row returned → items read and unsealed → signals → encoded → selected → prepared.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal, Protocol, TypeVar

from agent.asr import Prepared, Recogniser
from agent.biasing import Bias, builders
from agent.context import Signal, Situation, TurnContext, Vectors, selection, signals
from agent.context.hosting import EncoderHost, quietly
from agent.context.library import Library
from agent.context.pace import FEWEST, Pace, Work, expected_seconds
from agent.context.reading import turn_context
from agent.context.selection import Sayable
from agent.context.settings import Settings
from agent.context.signals import Reading
from agent.context.stored import Items, Row
from agent.errors import AgentError
from agent.events import ContextOpened, ContextStep, Event, EventBus, ExpectSpeech
from agent.worker import Worker

T = TypeVar("T")
Step = Literal["items", "signals", "encoded", "selected", "prepared"]

ENCODING_SHARE = 0.4
"""Share of the expected window after which encoding is given up."""


class Base(Protocol):
    """What windows start from."""

    @property
    def sayable(self) -> Sayable:
        """What may be said at any time."""
        ...

    @property
    def library(self) -> Library:
        """What the user can name."""
        ...


@dataclass
class Parts:
    """What every window works with."""

    recogniser: Recogniser
    items: Items
    host: EncoderHost
    settings: Settings
    bus: EventBus
    now: Callable[[], float]
    signals: Sequence[Signal]
    pace: Pace
    worker: Worker = field(default_factory=lambda: Worker("context"))


class Window:
    """One window. ``run`` is cancelled at the deadline; what it began on a thread ends unseen.

    Args:
        parts: What it works with.
        base: What may be said at any time.
        question: What is being asked.
        situation: What the agent is doing.
    """

    def __init__(self, parts: Parts, base: Base, question: ExpectSpeech,
                 situation: Situation) -> None:
        self._parts, self._base = parts, base
        self._question, self._situation = question, situation
        self.began = time.perf_counter()
        self.row: Row | None = None
        self.vectors: Vectors | None = None
        """Of the user's and of the agent's side, ``float32[2, 384]``; None while there is none."""
        self.by_vector = False
        self.fallback: Prepared | None = None
        """A bias without a vector, where windows have been too short lately."""
        self.ready_at: float | None = None
        """When the bias was ready, on the clock of ``began``."""
        self.closed = False
        """Whether its end has been announced."""
        self.without_vector = ""
        """Why there is no vector, in a few words."""

    async def run(self, stored: Awaitable[Row | None]) -> Prepared:
        """Do every step.

        Raises:
            AgentError: A step failed; its text holds nothing of what was said.
            Exception: Whatever else a step raised.
        """
        row = await stored
        if row is None:
            raise AgentError("the turn was not stored")
        if not row.expects_speech:
            raise AgentError("the stored turn expects no speech")
        self.row = row
        self._publish(ContextOpened(self._parts.now(), row.turn))
        turn = await self._read(row)
        reading = await self._ask_signals(turn)
        window = expected_seconds(turn.rounds[-1].reply if turn.rounds else "")
        if self._parts.settings.hurry and self._parts.pace.pressed:
            await self._begin_small(turn, reading)
        await self._encode(reading, window)
        bias = await self._select(turn, reading, window)
        return await self._prepare(bias)

    async def _read(self, row: Row) -> TurnContext:
        start = time.perf_counter()
        rounds = await self._parts.items.rounds(row, self._parts.settings.rounds)
        carried = await self._parts.items.carried()
        self._done("items", start, len(rounds) + len(carried))
        return turn_context(rounds, carried, self._situation, self._question)

    async def _ask_signals(self, turn: TurnContext) -> Reading:
        start = time.perf_counter()
        reading = await self._on_worker(lambda: signals.read(self._parts.signals, turn))
        self._done("signals", start, len(reading.used))
        return reading

    async def _begin_small(self, turn: TurnContext, reading: Reading) -> None:
        """Where windows have been too short: something first that needs no vector."""
        def prepare() -> Prepared:
            bias, _ = self._narrowed(turn, reading, Work(FEWEST, FEWEST), None)
            return self._parts.recogniser.prepare(bias)

        self.fallback = await self._on_worker(prepare)

    async def _encode(self, reading: Reading, window: float) -> None:
        """Encode both sides; a turn without a vector goes on."""
        start = time.perf_counter()
        settings = self._parts.settings
        limit = min(settings.encode_ms / 1000, ENCODING_SHARE * window) if settings.hurry else None
        try:
            self.vectors = await self._parts.host.encode(reading.texts, limit)
        except Exception as error:  # whatever the runtime raises; its message may hold the text
            self.without_vector = f"encoder: {type(error).__name__}"
            return
        if self._base.library.vectors is None:
            self.without_vector = "the names have no vectors yet"
        self._done("encoded", start, sum(bool(text) for text in reading.texts))

    async def _select(self, turn: TurnContext, reading: Reading, window: float) -> Bias:
        start = time.perf_counter()
        pace, library = self._parts.pace, self._base.library
        left = window - (start - self.began) if self._parts.settings.hurry else inf
        work = pace.work(len(library), left)
        vectors = self.vectors

        def select() -> Bias:
            bias, self.by_vector = self._narrowed(turn, reading, work, vectors)
            return bias

        bias = await self._on_worker(select)
        if vectors is not None:
            pace.scanned(min(work.scan, len(library)), time.perf_counter() - start)
        self._done("selected", start, min(work.phrases, len(library)))
        return bias

    def _narrowed(self, turn: TurnContext, reading: Reading, work: Work,
                  vectors: Vectors | None) -> tuple[Bias, bool]:
        """The turn's bias, and whether vectors had a part in it."""
        library = self._base.library
        chosen = selection.choose(library, reading, turn.expectation, vectors,
                                  limit=work.phrases, scan=work.scan)
        base = self._base.sayable.narrowed(library, chosen, work.phrases)
        return builders.turn(base, turn.expectation, turn.alternatives), chosen.by_vector

    async def _prepare(self, bias: Bias) -> Prepared:
        start = time.perf_counter()
        prepared = await self._on_worker(lambda: self._parts.recogniser.prepare(bias))
        self.ready_at = time.perf_counter()
        self._parts.pace.prepared(len(bias.phrases), self.ready_at - start)
        self._done("prepared", start, len(bias.phrases))
        return prepared

    async def _on_worker(self, call: Callable[[], T]) -> T:
        """Run a call beside playback; when cancelled, the next window gets another thread."""
        parts = self._parts
        try:
            return await parts.worker.run(quietly(call))
        except asyncio.CancelledError:
            parts.worker.close()
            parts.worker = Worker("context")
            raise

    def _done(self, step: Step, start: float, count: int) -> None:
        now = time.perf_counter()
        self._publish(ContextStep(self._parts.now(), step, now - start, now - self.began, count))

    def _publish(self, event: Event) -> None:
        self._parts.bus.publish(event)

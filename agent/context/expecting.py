"""What the conversation expects to hear: the standing bias, and a window for each question."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from agent.asr import Prepared
from agent.biasing import Bias
from agent.context import Entry, Situation, Vectors
from agent.context.embedding import VectorStore, embedded
from agent.context.library import Library
from agent.context.selection import Sayable
from agent.context.stored import Row
from agent.context.window import Parts, Window
from agent.errors import AgentError
from agent.events import ContextClosed, ExpectSpeech, Fault
from agent.worker import Workload

FREED_AFTER = 1.0
"""Seconds after which what was prepared for a window is freed. That takes 40 ms, and the button may
have closed it: then the microphone and the lights come first."""

Outcome = Literal["ready", "no-vector", "late", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Known:
    """What windows start from."""

    sayable: Sayable = field(default_factory=Sayable)
    library: Library = field(default_factory=Library)


@dataclass(frozen=True, slots=True)
class Catalogues:
    """Where the vectors of the user's names come from.

    Args:
        version: Of the encoder.
        store: Waits for the store and gives it; None where there is none.
    """

    version: str
    store: Callable[[], Awaitable[VectorStore | None]]


class ContextExpectations:
    """Prepares recognition for what may be said; best effort, never waited for.

    Args:
        parts: What windows work with.
        catalogues: Where vectors come from.
        workload: Counts windows as outstanding work.
        situation: What the agent is doing now.
    """

    def __init__(self, parts: Parts, catalogues: Catalogues, workload: Workload,
                 situation: Callable[[], Situation]) -> None:
        self._parts, self._catalogues = parts, catalogues
        self._workload, self._situation = workload, situation
        self._known = Known()
        self._standing: Prepared | None = None
        self._learning: asyncio.Task[None] | None = None
        self._window: tuple[Window, asyncio.Task[Prepared | None]] | None = None
        self._told: set[str] = set()

    @property
    def vectors(self) -> Vectors | None:
        """Of what the user said and of what was replied, ``float32[2, 384]``.

        Those of the window that is open or was used last, until the dialogue ends.
        """
        return None if self._window is None else self._window[0].vectors

    async def know(self, base: Bias, entries: Iterable[Entry] = ()) -> None:
        """Make ready for what may be said after a wake word: the user's names and commands.

        The vectors of ``entries`` are computed in the background.
        """
        gc.unfreeze()
        library = Library.of(entries)
        self._known = Known(Sayable.of(base, library), library)
        if self._learning is not None:
            self._learning.cancel()
        if self._parts.settings.enabled:
            self._learning = asyncio.create_task(self._learn(library))
        if not base.phrases:
            self._standing = None
            return
        with self._workload.working():
            try:
                self._standing = await self._parts.worker.run(
                    lambda: self._prepare_standing(base))
            except Exception as error:
                self._standing = None
                self._fault(type(error).__name__)

    def _prepare_standing(self, base: Bias) -> Prepared:
        prepared = self._parts.recogniser.prepare(base)
        # Windows search all names by sound; made here, that takes none of their time.
        self._known.sayable.answers.retriever  # noqa: B018
        return prepared

    async def learnt(self) -> None:
        """Wait until the vectors of all entries are there, or cannot be had."""
        if self._learning is not None:
            await asyncio.wait([self._learning])

    def standing(self) -> Prepared | None:
        """What may be said after a wake word; with a question taken up, its answers too."""
        return self._prepared_by_now() or self._standing

    def expect(self, question: ExpectSpeech, row: Awaitable[Row | None]) -> None:
        """Open the window of ``question``, as soon as its turn has been stored."""
        self.drop()
        if not self._parts.settings.enabled:
            return
        window = Window(self._parts, self._known, question, self._situation())
        self._window = window, asyncio.create_task(self._work(window, row))

    async def ready(self) -> Prepared | None:
        """What has been prepared by now; None when it is late or failed."""
        await asyncio.sleep(0)
        return self._prepared_by_now()

    def _prepared_by_now(self) -> Prepared | None:
        if self._window is None:
            return None
        window, task = self._window
        if not task.done():
            task.cancel()
            self._parts.pace.overran()
            if window.fallback is None:
                self._close(window, "late")
            else:
                self._close(window, "no-vector", "the vector was late")
            return window.fallback
        prepared = None if task.cancelled() else task.result()
        if prepared is not None:
            self._parts.pace.kept()
            self._close(window, "ready" if window.by_vector else "no-vector",
                        window.without_vector)
        return prepared

    def drop(self) -> None:
        """Close a window that nobody waits for any more, and forget its vectors."""
        if self._window is None:
            return
        (window, task), self._window = self._window, None
        task.cancel()
        if task.done() and not task.cancelled():
            task.get_loop().call_later(FREED_AFTER, _free, task.result())
        self._close(window, "cancelled")

    async def close(self) -> None:
        """Give up whatever is being worked on."""
        self.drop()
        if self._learning is not None:
            self._learning.cancel()
            await asyncio.wait([self._learning])

    async def _work(self, window: Window, row: Awaitable[Row | None]) -> Prepared | None:
        with self._workload.working():
            try:
                return await window.run(row)
            except Exception as error:  # the kind alone: a message may hold what was said
                what = error.what if isinstance(error, AgentError) else type(error).__name__
                self._close(window, "failed", what)
        return None

    def _close(self, window: Window, outcome: Outcome, reason: str = "") -> None:
        if window.closed:
            return
        window.closed = True
        now = time.perf_counter()
        margin = None if window.ready_at is None else now - window.ready_at
        self._parts.bus.publish(ContextClosed(self._parts.now(), outcome, now - window.began,
                                              margin, reason))
        if outcome in ("late", "failed", "no-vector") and window.row is not None:
            self._parts.items.mark(window.row, f"context:{outcome}")

    async def _learn(self, library: Library) -> None:
        with self._workload.working():
            if not await self._parts.host.open():
                self._fault_once(f"no vectors: {self._parts.host.problem}")
                return
            try:
                complete = await embedded(library, self._parts.host, self._catalogues.version,
                                          await self._catalogues.store(), self._unkept)
            except Exception as error:
                what = error.what if isinstance(error, AgentError) else type(error).__name__
                self._fault_once(f"no vectors: {what}")
                return
        if self._known.library is library:
            self._known = Known(self._known.sayable, complete)
            # Thousands of names live until the catalogue changes: the collector need not walk
            # them, which would take 100 ms in the middle of some window.
            gc.freeze()

    def _unkept(self, error: Exception) -> None:
        self._fault_once(f"vectors are not kept: {type(error).__name__}")

    def _fault_once(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._fault(what)

    def _fault(self, what: str) -> None:
        self._parts.bus.publish(Fault(self._parts.now(), "context", what))


def _free(prepared: Prepared | None) -> None:
    """Nothing is left to be done: the last reference goes with the call."""

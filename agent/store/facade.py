"""The context store as the agent uses it: asynchronous, with one thread behind it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import TypeVar

from agent.store import catalogue, deleting, interactions, outbox, overview, questions, sweep
from agent.store.engine import Engine, Surroundings
from agent.store.outbox import Outgoing
from agent.store.overview import Overview
from agent.store.records import CatalogueEntry, Interaction, NewItem, OpenItem, SealedItem
from agent.store.session import Session, checkpoint
from agent.store.settings import Settings

T = TypeVar("T")


class ContextStore:
    """Keeps what was said, sealed, for as long as its kind may be kept.

    Every method hands its work to the store's thread and returns an awaitable at once; work is
    done in the order in which it was handed over, whether or not it is awaited.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    async def open(cls, settings: Settings, surroundings: Surroundings | None = None, *,
                   guest: bool = False, create: bool = True) -> ContextStore:
        """Open the store, or make one where there is none.

        Args:
            settings: Where it is and how it is kept.
            surroundings: Clocks, environment and epoch keys other than the machine's.
            guest: A command: asks a running agent to step aside meanwhile.
            create: Make a store where there is none.

        Raises:
            StoreError: One of its kinds; the store was left untouched where it is.
        """
        engine = Engine(settings, surroundings or Surroundings(), guest, create)
        try:
            await asyncio.wrap_future(engine.start())
        except BaseException:
            await asyncio.to_thread(engine.stop)
            raise
        return cls(engine)

    async def close(self) -> None:
        """Finish what was handed over and close the store."""
        await asyncio.to_thread(self._engine.stop)

    async def __aenter__(self) -> ContextStore:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    # --- the dialogue's turns -------------------------------------------------------------------

    def append(self, dialogue_id: str, turn: int, event: str,
               items: Sequence[NewItem] = ()) -> asyncio.Future[Interaction]:
        """Add events and texts to a turn, all or nothing; the row as the write returned it.

        Args:
            dialogue_id: From ``new_dialogue_id``.
            turn: Number of the turn in the dialogue, from 0.
            event: One or more event strings, separated by spaces; never spoken text.
            items: The texts, each kept for the span of its kind.

        Raises:
            ValueError: Something is malformed.
            StoreError: Nothing was written.
        """
        given = tuple(items)
        return self._run(lambda s: interactions.append(s, dialogue_id, turn, event, given))

    def close_turn(self, dialogue_id: str, turn: int) -> asyncio.Future[Interaction | None]:
        """End a turn; without ``expect-speech`` what was said and replied is deleted now."""
        def job(session: Session) -> Interaction | None:
            row = interactions.close_turn(session, dialogue_id, turn)
            if row and not row.expects_speech:
                sweep.expire_epochs(session)
            return row
        return self._run(job)

    def close_dialogue(self, dialogue_id: str) -> asyncio.Future[Interaction | None]:
        """End a dialogue (nothing was answered): its texts but carry-over are deleted now."""
        def job(session: Session) -> Interaction | None:
            row = interactions.close_dialogue(session, dialogue_id)
            sweep.expire_epochs(session)
            return row
        return self._run(job)

    def get(self, dialogue_id: str, turn: int) -> asyncio.Future[Interaction | None]:
        """A turn's row as it is now."""
        return self._run(lambda s: interactions.get(s, dialogue_id, turn))

    def open_items(self, row: Interaction) -> asyncio.Future[tuple[OpenItem, ...]]:
        """The texts that a row refers to, decrypted; expired ones are left out.

        Raises:
            SealBrokenError: A text does not belong where it was found.
        """
        return self._run(lambda s: interactions.open_items(s, row))

    def open_rounds(self, dialogue_id: str, count: int = 3) -> asyncio.Future[tuple[OpenItem, ...]]:
        """The texts of a dialogue's last turns, decrypted, oldest first."""
        return self._run(lambda s: interactions.open_rounds(s, dialogue_id, count))

    def carry_over(self, limit: int = interactions.CARRY_OVER_LIMIT
                   ) -> asyncio.Future[tuple[OpenItem, ...]]:
        """The live carry-over texts of all dialogues, decrypted, newest first."""
        return self._run(lambda s: interactions.carry_over(s, limit))

    def open_question(self) -> asyncio.Future[Interaction | None]:
        """The newest turn, of any dialogue, that still waits for an answer."""
        return self._run(questions.newest_open)

    def delete(self, dialogue_id: str, turn: int) -> asyncio.Future[bool]:
        """Delete a turn's row and texts now."""
        return self._run(lambda s: deleting.delete(s, dialogue_id, turn))

    # --- catalogues -----------------------------------------------------------------------------

    async def put_catalogue(self, name: str, entries: Sequence[CatalogueEntry]) -> int:
        """Write entries of a catalogue; a turn's work may come between two chunks."""
        for start in range(0, len(entries), catalogue.CHUNK):
            some = tuple(entries[start:start + catalogue.CHUNK])
            await self._run(partial(catalogue.put, name=name, entries=some))
        return len(entries)

    def remove_catalogue(self, name: str, keys: Sequence[str]) -> asyncio.Future[int]:
        """Delete entries of a catalogue by key; returns how many were there."""
        return self._run(lambda s: catalogue.remove(s, name, tuple(keys)))

    async def catalogue(self, name: str) -> tuple[CatalogueEntry, ...]:
        """All entries of a catalogue in order of their keys, read in chunks."""
        found: list[CatalogueEntry] = []
        while True:
            after = found[-1].key if found else ""
            page = await self._run(partial(catalogue.page, name=name, after=after))
            if not page:
                return tuple(found)
            found += page

    # --- sync -----------------------------------------------------------------------------------

    def unsent(self, limit: int = 25, after: str = "") -> asyncio.Future[tuple[Outgoing, ...]]:
        """Live rows with ``version > acked_version`` and their sealed texts."""
        return self._run(lambda s: outbox.unsent(s, limit, after))

    def acknowledge(self, taken: Sequence[tuple[str, int]]) -> asyncio.Future[int]:
        """Note the (id, version) pairs that a cloud table has."""
        return self._run(lambda s: outbox.acknowledge(s, tuple(taken)))

    def merge(self, interaction: Interaction,
              items: Sequence[SealedItem]) -> asyncio.Future[bool]:
        """Take a row and its texts from another device; deletion and expiry win."""
        return self._run(lambda s: outbox.merge(s, interaction, tuple(items)))

    # --- care -----------------------------------------------------------------------------------

    def sweep(self) -> asyncio.Future[int]:
        """Remove what has expired now, and empty the log; how many rows and items went."""
        return self._run(sweep.run)

    def checkpoint(self) -> asyncio.Future[bool]:
        """Empty the log into the database now."""
        return self._run(checkpoint)

    def overview(self) -> asyncio.Future[Overview]:
        """Counts, ages and sizes of what is stored."""
        return self._run(overview.summarise)

    def submit(self, job: Callable[[Session], T]) -> Future[T]:
        """As ``run``, for a thread without an event loop."""
        return self._engine.submit(job)

    def run(self, job: Callable[[Session], T]) -> asyncio.Future[T]:
        """Run a function of the open session on the store's thread."""
        return self._run(job)

    def _run(self, job: Callable[[Session], T]) -> asyncio.Future[T]:
        return _as_async(self._engine.submit(job))


def _as_async(done: Future[T]) -> asyncio.Future[T]:
    return asyncio.wrap_future(done)


def new_dialogue_id() -> str:
    """A dialogue's id: 8 hex digits that rise with time, for neighbouring rows, and 16 random."""
    return f"{int(time.time()) & 0xFFFFFFFF:08x}{secrets.token_hex(8)}"

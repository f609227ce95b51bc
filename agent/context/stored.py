"""The turn's texts, as the window reads them from the store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from agent.context.reading import StoredText
from agent.errors import AgentError
from agent.store import BestEffortStore


class Row(Protocol):
    """A turn's row, as the store returned it."""

    @property
    def dialogue_id(self) -> str:
        """The dialogue."""
        ...

    @property
    def turn(self) -> int:
        """The turn's number in it."""
        ...

    @property
    def item_ids(self) -> tuple[str, ...]:
        """The turn's texts."""
        ...

    @property
    def expects_speech(self) -> bool:
        """Whether the microphone reopens without a wake word."""
        ...


class Items(Protocol):
    """Reads and unseals what a window needs; unlike the best-effort store, it raises."""

    async def rounds(self, row: Row, count: int) -> Sequence[StoredText]:
        """The texts of the dialogue's last turns, oldest first."""
        ...

    async def carried(self) -> Sequence[StoredText]:
        """The live carry-over texts of all dialogues, newest first."""
        ...

    def mark(self, row: Row, event: str) -> None:
        """Note an event in the turn's row, without waiting."""
        ...


class StoredItems:
    """Items of the context store.

    Args:
        store: The store.
    """

    def __init__(self, store: BestEffortStore) -> None:
        self._store = store

    async def rounds(self, row: Row, count: int) -> Sequence[StoredText]:
        """The texts of the dialogue's last turns, oldest first.

        Raises:
            AgentError: The store is not open, or none of the row's texts could be read: their key
                is lost, or they have expired.
        """
        store = self._store.store
        if store is None:
            raise AgentError("the context store is not open")
        found = await store.open_rounds(row.dialogue_id, count)
        if row.item_ids and not found:
            raise AgentError("the turn's texts cannot be read")
        return found

    async def carried(self) -> Sequence[StoredText]:
        """The live carry-over texts of all dialogues, newest first."""
        store = self._store.store
        return () if store is None else await store.carry_over()

    def mark(self, row: Row, event: str) -> None:
        """Note an event in the turn's row, without waiting."""
        self._store.append(row.dialogue_id, row.turn, event)



"""Taking up a question that another device of the household left open, when this one is woken.

It happens while the user speaks: nothing waits for it, and what comes too late is left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from agent.dialogue.manager import Dialogue
from agent.dialogue.resuming import Round, resume
from agent.events import ExpectSpeech
from agent.store import BestEffortStore, Interaction, OpenItem
from agent.worker import Workload

log = logging.getLogger(__name__)

ROUNDS = 8
"""Turns of a dialogue that are played again at most."""

Pull = Callable[[], Awaitable[bool]]
"""Fetches what the household has live, within a deadline of its own; whether that was anything."""
Expect = Callable[[ExpectSpeech, Awaitable[Interaction | None]], None]
"""Begins to prepare recognition for the answer to a question."""


class Handover(Protocol):
    """Looks for an open question at a wake word."""

    def woken(self) -> None:
        """A wake word or the button opened the microphone: begin to look."""
        ...

    def settle(self) -> Interaction | None:
        """Stop looking; the turn whose question is pending now, None for no question."""
        ...


class NoHandover:
    """For a device without a household: a question ends with its dialogue."""

    def woken(self) -> None:
        """Look for nothing."""

    def settle(self) -> None:
        """Nothing was found."""


class HouseholdHandover:
    """Takes up the newest open question that the store has, or that a pull brings into it.

    Args:
        store: Where turns are kept; never raises and never makes anyone wait.
        dialogue: Its pending question is set, between two of its turns.
        expect: Prepares recognition for the answer.
        drop: Gives that up again.
        pull: Brings the household's live turns into the store.
        workload: Counts looking as outstanding work.
    """

    def __init__(self, store: BestEffortStore, dialogue: Dialogue, expect: Expect,
                 drop: Callable[[], None], pull: Pull, workload: Workload) -> None:
        self._store, self._dialogue = store, dialogue
        self._expect, self._drop = expect, drop
        self._pull, self._workload = pull, workload
        self._looking: asyncio.Task[None] | None = None
        self._taken: Interaction | None = None

    def woken(self) -> None:
        """Begin to look: first at what is here, then at what the household has."""
        self.settle()
        self._taken = None
        self._looking = asyncio.create_task(self._look())

    def settle(self) -> Interaction | None:
        """Stop looking; the turn whose question is pending now, None for no question."""
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        return self._taken

    async def _look(self) -> None:
        with self._workload.working():
            try:
                await self._take_up()
                if await self._pull():
                    await self._take_up()
            except Exception as error:  # the kind alone: a message may hold what was said
                log.warning("no open question was looked for: %s", type(error).__name__)

    async def _take_up(self) -> None:
        """Make the newest open question the pending one; none when it has been answered."""
        row = await self._store.open_question()
        if _same(row, self._taken):
            return
        items = () if row is None else await self._store.open_rounds(row.dialogue_id, ROUNDS)
        if self._taken is not None:
            self._taken = None
            self._dialogue.close()
            self._drop()
        question = resume(self._dialogue, rounds(items))
        if row is not None and question is not None:
            self._taken = row
            self._expect(question, _given(row))


def rounds(items: Sequence[OpenItem]) -> tuple[Round, ...]:
    """What was said and replied in each turn, in order of turns."""
    turns: dict[str, dict[str, list[str]]] = {}
    for item in items:
        turns.setdefault(item.interaction_id, {}).setdefault(item.kind, []).append(item.text)
    return tuple(Round("\n".join(turn.get("said", ())), "\n".join(turn.get("reply", ())))
                 for turn in turns.values())


def _same(row: Interaction | None, other: Interaction | None) -> bool:
    return row is not None and other is not None and row.id == other.id


def _given(row: Interaction) -> Awaitable[Interaction]:
    done: asyncio.Future[Interaction] = asyncio.get_running_loop().create_future()
    done.set_result(row)
    return done

"""One device of a soak, as a process of its own, so that it can be killed at any instant.

    python -m tests.sync.soak_device NAME FOLDER ENDPOINT CREDENTIALS TABLES COUNT

Writes its share of interactions, edits and deletes some, and pulls what the others have. A line in
its journal follows each write that the store has acknowledged. Started again after a kill it goes
on where the journal ends. Ends when the file ``stop`` is in its folder.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import secrets
import sys
from pathlib import Path

from agent.store import ContextStore, NewItem, Settings, StoreError, Surroundings
from agent.store.records import Interaction
from agent.store.settings import Retention
from agent.sync import Sync
from agent.sync.backoff import Pace
from tests.sync.conftest import sync_settings
from tests.sync.rings import Ring

PACE = Pace(first_s=0.05, cap_s=0.5, open_after=8, rest_s=0.5, probe_s=0.1, settle_s=0.1)
LONG_S = 86_400.0
LIVES_MS = {"text": 2 * 86_400_000, "row": 2 * 86_400_000}
PULL_EVERY = 40


def retention() -> Retention:
    return Retention(said_s=LONG_S, reply_s=LONG_S, consulted_s=LONG_S, epoch_s=3600.0)


def ring(name: str) -> Ring:
    made = Ring(name, epoch_ms=600_000)
    made.lives = LIVES_MS
    return made


def store_settings(folder: Path) -> Settings:
    return Settings(directory=folder / "state", outbox=True, quota_mib=1024,
                    retention=retention())


def dialogue_of(name: str, number: int) -> str:
    """Ids that a restarted device finds again; they begin like all dialogues with a time."""
    return "6b49d200" + hashlib.sha256(f"{name} {number}".encode()).hexdigest()[:16]


class Script:
    """What the device does; its journal says how far it came."""

    def __init__(self, name: str, folder: Path, store: ContextStore, sync: Sync) -> None:
        self.name, self.store, self.sync = name, store, sync
        self.path = folder / "journal"
        self.path.touch()
        lines = [line.split() for line in self.path.read_text().splitlines()]
        self.next = 1 + max((int(line[1]) for line in lines if line[0] == "made"), default=-1)
        self.journal = self.path.open("a", buffering=1)
        self.chance = random.Random(secrets.token_bytes(8))

    def note(self, *words: object) -> None:
        self.journal.write(" ".join(map(str, words)) + "\n")

    async def text(self, dialogue: str, kind: str, event: str) -> None:
        mark = secrets.token_hex(8)
        await self.store.append(dialogue, 0, event, [NewItem(kind, f"{self.name} {mark}")])
        self.note("text", dialogue, kind, mark)

    async def interaction(self, number: int) -> None:
        dialogue = dialogue_of(self.name, number)
        row = await self.store.get(dialogue, 0)
        if row is None or "speak" not in row.events:
            await self.text(dialogue, "said", "utterance intent:call")
            self.sync.nudge()
            await self.text(dialogue, "reply", "speak expect-speech")
        what = self.chance.random()
        if what < 0.05:
            await self.store.close_dialogue(dialogue)
            self.note("closed", dialogue)
        elif what < 0.07:
            await self.store.delete(dialogue, 0)
            self.note("deleted", dialogue)
        self.note("made", number)
        self.sync.nudge()

    async def edit(self, found: list[Interaction]) -> None:
        """Add to what another device began."""
        theirs = [row for row in found if row.device_id and not row.deleted]
        for row in self.chance.sample(theirs, min(3, len(theirs))):
            try:
                await self.text(row.dialogue_id, "consulted", "note")
            except (StoreError, ValueError):
                continue

    async def run(self, count: int, stop: Path) -> None:
        while self.next < count:
            await self.interaction(self.next)
            self.next += 1
            if self.next % PULL_EVERY == 0:
                await self.edit(list(await self.sync.pull(5.0)))
            await asyncio.sleep(0)
        self.note("finished")
        while not stop.exists():
            await asyncio.sleep(0.2)


async def main(name: str, folder: Path, endpoint: str, credentials: Path, tables: str,
               count: int) -> None:
    store = await ContextStore.open(
        store_settings(folder), Surroundings(environ={"XDG_RUNTIME_DIR": str(folder / "memory")}))
    settings = sync_settings(endpoint, credentials, tables=tables, read_timeout_s=5.0)
    keys = ring(name)
    sync = Sync(settings, lambda: store, lambda: keys, folder / "state", pace=PACE)
    sync.start()
    await Script(name, folder, store, sync).run(count, folder / "stop")
    await sync.close()
    await store.close()


if __name__ == "__main__":
    _, given, where, address, key_file, table_names, how_many = sys.argv
    asyncio.run(main(given, Path(where), address, Path(key_file), table_names, int(how_many)))

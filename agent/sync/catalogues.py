"""Catalogues of a household: each device shares its own and has those of the others.

A device's contacts, devices, places and preferences are documents in the cloud, sealed under the
household's document key. A look for changes is one request. What came from the others is kept in
the encrypted store, so that it is there without a network, and nowhere else.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType

from agent.store import CatalogueEntry, ContextStore, StoreError
from agent.sync import Backend
from agent.sync.household.file import NoHouseholdError
from agent.sync.household.generations import Generations
from agent.sync.household.index import Entry, Index
from agent.sync.household.keyring import HouseholdKeyring
from agent.sync.household.shelf import Seen, Shelf

log = logging.getLogger(__name__)

CATALOGUE = "household"
"""Name of the store's catalogue in which the documents are kept."""
STATE = "state"

Texts = Mapping[str, str]
Opened = Callable[[], Awaitable[ContextStore | None]]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of another device."""

    entry: Entry
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Held:
    """What this device knows of the household's documents."""

    household: str = ""
    serial: int = 0
    """The highest serial of an index that was seen."""
    op: str | None = None
    """Names the index that was seen last."""
    shared: Mapping[str, str] = field(default_factory=dict)
    """Digests of this device's own documents as they were published, by name."""
    documents: tuple[Document, ...] = field(default=(), repr=False)


class Exchange:
    """One look at the cloud and what follows from it; blocks.

    Args:
        backend: The cloud's tables.
        keyring: This device's household.
    """

    def __init__(self, backend: Backend, keyring: HouseholdKeyring) -> None:
        self._keyring = keyring
        self._shelf = Shelf(backend, keyring)
        self._generations = Generations(self._shelf, keyring)

    def run(self, own: Texts, held: Held) -> Held:
        """Publish what is new here and fetch what is new there.

        Args:
            own: This device's documents as they are now, by name.
            held: What was known before.

        Raises:
            CloudError: The cloud did not answer.
            RemovedError: The household has gone on without this device.
            ReplayedError: The cloud gave something that the household did not write.
        """
        if held.household != self._keyring.household:
            held = Held(self._keyring.household)
        record, taken = self._generations.follow()
        digests = {name: _digest(text) for name, text in own.items()}
        known = record is not None and record.op == held.op and not taken
        if known and digests == held.shared and not self._has_news():
            return held
        seen = self._shelf.seen(record, held.serial)
        seen = self._publish(own, digests, held, seen)
        self._shelf.learn(seen.index)
        return Held(held.household, seen.index.serial, seen.op, digests,
                    tuple(self._documents(seen.index, held.documents)))

    def _has_news(self) -> bool:
        """Whether the others cannot know this device's key, or one that it let in."""
        membership = self._keyring.membership
        return bool(membership.former_private and not membership.former_until)

    def _publish(self, own: Texts, digests: Texts, held: Held, seen: Seen) -> Seen:
        me = self._keyring.device
        there = {e.name for e in seen.index.entries if e.owner == me}
        texts = {name: own[name].encode() for name, digest in digests.items()
                 if name not in there or held.shared.get(name) != digest}
        gone = there - set(own)
        members = self._keyring.membership.household.members
        stale = any(seen.index.member(m.id) is None for m in members)
        if texts or gone or stale or self._has_news():
            return self._shelf.publish(texts, gone, held.serial)
        return seen

    def _documents(self, index: Index, before: Iterable[Document]) -> Iterable[Document]:
        """The others' documents, the last written first; only what is new is fetched."""
        known = {(d.entry.id, d.entry.version): d for d in before}
        for entry in sorted(index.entries, key=lambda e: e.order, reverse=True):
            if entry.owner == self._keyring.device:
                continue
            document = known.get((entry.id, entry.version))
            if document is None:
                text = self._shelf.fetch(entry).decode("utf-8", "replace")
                document = Document(entry, text)
            yield replace(document, entry=entry)


class HouseholdCatalogues:
    """The household's documents as the agent uses them.

    Args:
        exchange: Looks at the cloud.
        opened: The store once it is open; None while there is none. Then documents are kept in
            this process only.
    """

    def __init__(self, exchange: Exchange, opened: Opened) -> None:
        self._exchange = exchange
        self._opened = opened
        self._held: Held | None = None
        self._changed = False
        self._turn = asyncio.Lock()

    def documents(self) -> Mapping[str, tuple[str, ...]]:
        """The others' documents by name (``contacts``, ``devices``, …), the last written first."""
        found: dict[str, list[str]] = {}
        for document in self._held.documents if self._held else ():
            found.setdefault(document.entry.name, []).append(document.text)
        return MappingProxyType({name: tuple(texts) for name, texts in found.items()})

    def changed(self) -> bool:
        """Whether ``documents`` changed since this was last asked."""
        changed, self._changed = self._changed, False
        return changed

    async def load(self) -> None:
        """Take up what the store holds; once, before the first exchange."""
        async with self._turn:
            if self._held is None:
                self._held = await self._stored()
                self._changed = bool(self._held.documents)

    async def exchange(self, own: Texts) -> bool:
        """Publish what changed here and fetch what changed there.

        Args:
            own: This device's documents as they are now, by name.

        Returns:
            Whether ``documents`` changed.

        Raises:
            NoHouseholdError: This device has left the household; its documents are dropped.
            AgentError: As of ``Exchange.run``; what is known stays as it is.
        """
        await self.load()
        async with self._turn:
            before = self._held or Held()
            try:
                after = await asyncio.to_thread(self._exchange.run, dict(own), before)
            except NoHouseholdError:
                # This device has left it: nothing of the others stays here.
                self._changed = self._changed or bool(before.documents)
                self._held = Held()
                await self._keep(before, self._held)
                raise
            if after == before:
                return False
            changed = after.documents != before.documents
            self._held, self._changed = after, self._changed or changed
            await self._keep(before, after)
            return changed

    # --- the store ------------------------------------------------------------------------------

    async def _stored(self) -> Held:
        store = await self._opened()
        if store is None:
            return Held()
        try:
            entries = {e.key: e.entry for e in await store.catalogue(CATALOGUE)}
            return _held(entries)
        except StoreError as error:
            log.warning("the household's documents are fetched anew: %s", error.what)
        except (KeyError, TypeError, ValueError):
            log.warning("the household's documents are fetched anew")
        return Held()

    async def _keep(self, before: Held, after: Held) -> None:
        store = await self._opened()
        if store is None:
            return
        old = {_key(d.entry) for d in before.documents}
        new = {_key(d.entry): d for d in after.documents}
        known = {_key(d.entry): d for d in before.documents}
        entries = [CatalogueEntry(key, _document_bytes(document))
                   for key, document in new.items() if known.get(key) != document]
        try:
            if old - set(new):
                await store.remove_catalogue(CATALOGUE, sorted(old - set(new)))
            # The state last: after a crash in between, the documents are fetched again.
            await store.put_catalogue(CATALOGUE, [
                *entries, CatalogueEntry(STATE, _state_bytes(after))])
        except StoreError as error:
            log.warning("the household's documents are kept in this process only: %s", error.what)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _key(entry: Entry) -> str:
    return f"document {entry.owner} {entry.name}"


def _document_bytes(document: Document) -> bytes:
    entry = document.entry
    return json.dumps([entry.owner, entry.name, entry.version, entry.op, entry.parts,
                       document.text], ensure_ascii=False).encode("utf-8", "surrogatepass")


def _state_bytes(held: Held) -> bytes:
    keys = [_key(document.entry) for document in held.documents]
    return json.dumps({"household": held.household, "serial": held.serial, "op": held.op,
                       "shared": dict(held.shared), "documents": keys}).encode()


def _held(entries: Mapping[str, bytes]) -> Held:
    """What the store holds.

    Raises:
        KeyError, TypeError, ValueError: It is not whole.
    """
    if STATE not in entries:
        return Held()
    state = json.loads(entries[STATE])
    documents = []
    for key in state["documents"]:
        *values, text = json.loads(entries[key])
        documents.append(Document(Entry(*values), text))
    return Held(state["household"], state["serial"], state["op"], state["shared"],
                tuple(documents))

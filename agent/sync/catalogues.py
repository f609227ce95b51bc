"""Catalogues of a household: each device shares its own and has those of the others.

A device's contacts, devices, places and preferences are documents in the cloud, sealed under the
household's document key. A look for changes is one request. What came from the others is kept in
the encrypted store, so that it is there without a network, and nowhere else.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import sha256
from types import MappingProxyType
from typing import Final

from agent.store import CatalogueEntry, StoreError, catalogue
from agent.sync import Backend, Keyring
from agent.sync.household.generations import Generations
from agent.sync.household.index import Entry, Index
from agent.sync.household.keyring import HouseholdKeyring
from agent.sync.household.packing import DocumentTooLargeError, pack
from agent.sync.household.shelf import Seen, Shelf
from agent.sync.intake import StoreGate, ask

log = logging.getLogger(__name__)

CATALOGUE = "household"
"""Name of the store's catalogue in which the documents are kept."""
STATE = "state"
LOOK_EVERY_MS: Final = 60_000
"""How long a look at the cloud is good for, in milliseconds."""

Texts = Mapping[str, str]


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
    """The household's documents as the agent uses them; a ``Companion`` of ``Sync``.

    ``documents``, ``changed`` and ``offer`` return at once and may be called from any thread;
    ``load`` and ``exchange`` block.

    Args:
        store: The open store; None while there is none. Then documents are kept in this process
            only.
    """

    def __init__(self, store: Callable[[], StoreGate | None]) -> None:
        self._store = store
        self._own: dict[str, str] | None = None
        self._held: Held | None = None
        self._changed = False
        self._looked: int | None = None
        self._turn = threading.Lock()

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

    def offer(self, own: Texts) -> bool:
        """Say what this device's own documents are now; they are published at the next exchange.

        Returns:
            Whether they are others than before; then an exchange is due.
        """
        if self._own == own:
            return False
        self._own, self._looked = dict(own), None
        return True

    @property
    def loaded(self) -> bool:
        """Whether ``load`` has nothing more to do."""
        return self._held is not None

    def load(self) -> None:
        """Take up what the store holds, if that was not done yet and the store is open."""
        with self._turn:
            self._load()

    def drop(self) -> None:
        """Forget what the others shared: this device does not belong to them any more."""
        with self._turn:
            self._load()
            self._take(self._held or Held(), Held())

    def exchange(self, backend: Backend, keyring: Keyring, now_ms: int) -> None:
        """Publish what changed here and fetch what changed there; see ``Companion.exchange``.

        Nothing is asked of the cloud within ``LOOK_EVERY_MS`` of the last time, unless there is
        something to publish.

        Raises:
            AgentError: As of ``Exchange.run``; what is known stays as it is.
        """
        if not isinstance(keyring, HouseholdKeyring):
            return
        with self._turn:
            self._load()
            own, looked = self._own, self._looked
            fresh = looked is not None and 0 <= now_ms - looked < LOOK_EVERY_MS
            if own is None or fresh:
                return
            before = self._held or Held()
            after = Exchange(backend, keyring).run(self._fitting(own), before)
            self._take(before, after)
            if self._own is own:
                self._looked = now_ms

    def _take(self, before: Held, after: Held) -> None:
        if after != before:
            self._held = after
            self._changed = self._changed or after.documents != before.documents
            self._keep(before, after)

    def _fitting(self, own: Texts) -> Texts:
        """Without what is too large for the cloud, which is said and does not stop the rest."""
        fitting = {}
        for name, text in own.items():
            try:
                pack(name, text.encode())
                fitting[name] = text
            except DocumentTooLargeError as error:
                log.warning("%s", error.what)
        return fitting

    # --- the store ------------------------------------------------------------------------------

    def _load(self) -> None:
        store = self._store()
        if self._held is not None or store is None:
            return
        try:
            self._held = _held({e.key: e.entry for e in _entries(store)})
        except StoreError as error:
            log.warning("the household's documents are fetched anew: %s", error.what)
        except (KeyError, TypeError, ValueError):
            log.warning("the household's documents are fetched anew")
            self._held = Held()
        self._changed = bool(self._held and self._held.documents)

    def _keep(self, before: Held, after: Held) -> None:
        store = self._store()
        if store is None:
            return
        known = {_key(d.entry): d for d in before.documents}
        new = {_key(d.entry): d for d in after.documents}
        gone = sorted(set(known) - set(new))
        entries = [CatalogueEntry(key, _document_bytes(document))
                   for key, document in new.items() if known.get(key) != document]
        # The state last: after a crash in between, the documents are fetched again.
        entries.append(CatalogueEntry(STATE, _state_bytes(after)))
        try:
            if gone:
                ask(store, partial(catalogue.remove, name=CATALOGUE, keys=gone))
            ask(store, partial(catalogue.put, name=CATALOGUE, entries=entries))
        except (StoreError, TimeoutError) as error:
            log.warning("the household's documents are kept in this process only: %s",
                        type(error).__name__)


def _entries(store: StoreGate) -> list[CatalogueEntry]:
    found: list[CatalogueEntry] = []
    while page := ask(store, partial(catalogue.page, name=CATALOGUE,
                                     after=found[-1].key if found else "")):
        found += page
    return found


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

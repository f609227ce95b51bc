"""Vectors of the catalogue: computed once, kept in the encrypted store, updated on change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import numpy as np

from agent.context import Vectors
from agent.context.encoder import WIDTH
from agent.context.hosting import EncoderHost
from agent.context.library import Library, key_of
from agent.store import CatalogueEntry

CATALOGUE = "context-vectors"
"""Name of the catalogue in the store."""
BATCH = 8
"""Entries encoded at once: a window that opens meanwhile waits for no more than these."""
SAVED = 256
"""Vectors after which what there is is written, so that a restart goes on from there."""


class VectorStore(Protocol):
    """The part of the context store that keeps catalogues."""

    async def catalogue(self, name: str) -> tuple[CatalogueEntry, ...]:
        """All entries of a catalogue."""
        ...

    async def put_catalogue(self, name: str, entries: Sequence[CatalogueEntry]) -> int:
        """Write entries."""
        ...

    def remove_catalogue(self, name: str, keys: Sequence[str]) -> Awaitable[int]:
        """Delete entries."""
        ...


async def embedded(library: Library, host: EncoderHost, version: str,
                   store: VectorStore | None, failed: Callable[[Exception], None]) -> Library:
    """The library with the vectors of all its entries.

    Args:
        library: Without vectors.
        host: Encodes.
        version: Of the encoder: with another one every vector is computed anew.
        store: Where vectors are kept; None keeps them in memory alone.
        failed: Told what the store could not do; the vectors are used nevertheless.

    Raises:
        AgentError: There is no encoder.
    """
    keys = [key_of(entry, version) for entry in library.entries]
    kept = _Kept(store, failed)
    found = await kept.read()
    stale = sorted(found.keys() - set(keys))
    vectors = np.zeros((len(keys), WIDTH), np.float32)
    missing = []
    for place, key in enumerate(keys):
        packed = found.get(key)
        if packed is None:
            missing.append(place)
        else:
            vectors[place] = unpack(packed)
    for start in range(0, len(missing), SAVED):
        some = missing[start:start + SAVED]
        for at in range(0, len(some), BATCH):
            batch = some[at:at + BATCH]
            vectors[batch] = await host.encode([library.entries[i].described for i in batch])
        await kept.write({keys[i]: pack(vectors[i]) for i in some})
    await kept.drop(stale)
    return library.with_vectors(vectors)


class _Kept:
    """The stored vectors; whatever the store refuses is told once."""

    def __init__(self, store: VectorStore | None, failed: Callable[[Exception], None]) -> None:
        self._store, self._failed = store, failed

    async def read(self) -> dict[str, bytes]:
        if self._store is None:
            return {}
        try:
            entries = await self._store.catalogue(CATALOGUE)
        except Exception as error:
            self._give_up(error)
            return {}
        return {e.key: e.vector for e in entries if len(e.vector) == WIDTH + 4}

    async def write(self, packed: dict[str, bytes]) -> None:
        if self._store is None:
            return
        try:
            await self._store.put_catalogue(
                CATALOGUE, [CatalogueEntry(key, b"", data) for key, data in packed.items()])
        except Exception as error:
            self._give_up(error)

    async def drop(self, keys: Sequence[str]) -> None:
        if self._store is None or not keys:
            return
        try:
            await self._store.remove_catalogue(CATALOGUE, keys)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._store = None
        self._failed(error)


def pack(vector: Vectors) -> bytes:
    """A vector as a ``float32`` step and ``int8[384]``: 388 bytes, cosine above 0.999."""
    step = np.float32(max(float(np.abs(vector).max()), 1e-9) / 127)
    values = np.rint(vector / step).astype(np.int8)
    return bytes(step.tobytes() + values.tobytes())


def unpack(data: bytes) -> Vectors:
    """The vector that was packed, ``float32[384]``."""
    step = np.frombuffer(data, np.float32, 1)
    values: Vectors = np.frombuffer(data, np.int8, offset=4).astype(np.float32) * step
    return values

"""Epoch keys: the only way to read a stored text, and they exist only in memory.

An epoch takes new interactions for a short while (``epoch_s``) and dies when the longest-lived
text it may have taken has expired; no text under it may expire later. Its key is in this process
and in a file of a memory file system, so that a restarted agent can go on but a rebooted one
cannot. Forgetting the key is the erasure; whatever flash memory still holds is then noise.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import struct
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from agent.store.memoryfs import restore
from agent.store.sealing import EPOCH_ID_BYTES, KEY_BYTES, wrapping_key

log = logging.getLogger(__name__)

MAGIC = b"voice-agent epoch 1\n"
LOOK_EVERY_S = 0.2
"""How often a known key's file is looked for; it goes when someone else destroys the key."""
RECORD = struct.Struct(f">{len(MAGIC)}s36s{EPOCH_ID_BYTES}s{KEY_BYTES}sqq")


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch's key and its times on the store's timeline, in milliseconds."""

    id: bytes
    key: bytes = field(repr=False)
    closes_at: int
    """From here on it takes no new interaction."""
    dies_at: int
    """The key is destroyed; every text under it has expired by then."""
    wrapping: bytes = field(repr=False)
    """The key that wraps interaction keys, derived from ``key``."""


class EpochSource(Protocol):
    """Where epoch keys come from: this device's memory, or a household's."""

    def current(self, now: int) -> Epoch:
        """The epoch for a new interaction."""
        ...

    def find(self, epoch_id: bytes, now: int) -> Epoch | None:
        """A living epoch; None once its key is gone."""
        ...

    def expire(self, now: int) -> int:
        """Destroy the keys of dead epochs; returns how many."""
        ...

    def retain(self, in_use: Collection[bytes]) -> int:
        """Destroy every key with nothing left under it; returns how many."""
        ...

    def ids(self) -> tuple[bytes, ...]:
        """Epochs whose keys exist."""
        ...


class MemoryEpochs:
    """Epoch keys of this device.

    Args:
        folder: A private folder in a memory file system; None keeps keys in this process only.
        boot_id: This boot; keys of another boot are destroyed on sight.
        window_ms: How long an epoch takes new interactions.
        longest_ms: The longest span of any text.
    """

    def __init__(self, folder: Path | None, boot_id: str, window_ms: int, longest_ms: int) -> None:
        self._folder = folder
        self._boot = boot_id
        self._window = window_ms
        self._longest = longest_ms
        self._known: dict[bytes, Epoch] = {}
        self._current: Epoch | None = None
        self._looked = 0.0
        self._drop_unfinished()

    @property
    def folder(self) -> Path | None:
        """Where the keys' files are; None when they are in this process only."""
        return self._folder

    def current(self, now: int) -> Epoch:
        """The epoch for a new interaction, made when none is open."""
        open_now = self._current
        if open_now and now < open_now.closes_at and self._still_there(open_now.id):
            return open_now
        for epoch_id in self.ids():
            epoch = self.find(epoch_id, now)
            if epoch and now < epoch.closes_at:
                self._current = epoch
                return epoch
        self._current = self._create(now)
        return self._current

    def find(self, epoch_id: bytes, now: int) -> Epoch | None:
        """A living epoch by its id; one that should be dead is destroyed here and now."""
        epoch = self._known.get(epoch_id)
        if epoch and not self._still_there(epoch_id):
            self._forget(epoch_id)
            return None
        epoch = epoch or self._read(epoch_id)
        if epoch is None:
            return None
        if now >= epoch.dies_at:
            self._destroy(epoch_id)
            return None
        self._known[epoch_id] = epoch
        return epoch

    def expire(self, now: int) -> int:
        """Destroy the keys of epochs that have died."""
        return sum(self.find(epoch_id, now) is None for epoch_id in self.ids())

    def retain(self, in_use: Collection[bytes]) -> int:
        """Destroy every key but those of ``in_use``."""
        unused = [epoch_id for epoch_id in self.ids() if epoch_id not in in_use]
        for epoch_id in unused:
            self._destroy(epoch_id)
        return len(unused)

    def ids(self) -> tuple[bytes, ...]:
        """Epochs whose keys exist, in this process or in the folder."""
        found = set(self._known)
        if self._folder:
            with contextlib.suppress(OSError):
                found |= {bytes.fromhex(p.stem) for p in self._folder.glob("*.key")
                          if len(p.stem) == 2 * EPOCH_ID_BYTES and _is_hex(p.stem)}
        return tuple(sorted(found))

    def _create(self, now: int) -> Epoch:
        key, epoch_id = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(EPOCH_ID_BYTES)
        closes = now + self._window
        epoch = Epoch(epoch_id, key, closes, closes + self._longest, wrapping_key(key))
        self._known[epoch_id] = epoch
        if self._folder:
            try:
                if not self._folder.is_dir():
                    restore(self._folder)
                self._write(epoch)
            except OSError as error:
                log.warning("epoch key kept in this process only: %s", error.strerror)
                self._folder = None
        return epoch

    def _drop_unfinished(self) -> None:
        # Left by a kill between writing a key and naming it; nothing was wrapped by it.
        if self._folder:
            for path in self._folder.glob("*.new"):
                with contextlib.suppress(OSError):
                    path.unlink()

    def _path(self, epoch_id: bytes) -> Path:
        assert self._folder is not None
        return self._folder / f"{epoch_id.hex()}.key"

    def _still_there(self, epoch_id: bytes) -> bool:
        # Another process that erases the store removes the file; a cached key must go with it.
        if self._folder is None:
            return True
        now = time.monotonic()
        if now - self._looked < LOOK_EVERY_S and epoch_id in self._known:
            return True
        self._looked = now
        return self._path(epoch_id).exists()

    def _write(self, epoch: Epoch) -> None:
        path = self._path(epoch.id)
        temporary = path.with_suffix(".new")
        record = RECORD.pack(MAGIC, self._boot.encode(), epoch.id, epoch.key, epoch.closes_at,
                             epoch.dies_at)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, record)
        finally:
            os.close(handle)
        temporary.rename(path)

    def _read(self, epoch_id: bytes) -> Epoch | None:
        if self._folder is None:
            return None
        try:
            data = self._path(epoch_id).read_bytes()
        except OSError:
            return None
        if len(data) != RECORD.size:
            self._destroy(epoch_id)
            return None
        magic, boot, stored_id, key, closes, dies = RECORD.unpack(data)
        same_boot = bool(self._boot) and boot.rstrip(b"\0") == self._boot.encode()
        if magic != MAGIC or stored_id != epoch_id or not same_boot:
            self._destroy(epoch_id)
            return None
        return Epoch(epoch_id, key, closes, dies, wrapping_key(key))

    def _forget(self, epoch_id: bytes) -> None:
        self._known.pop(epoch_id, None)
        if self._current and self._current.id == epoch_id:
            self._current = None

    def _destroy(self, epoch_id: bytes) -> None:
        self._forget(epoch_id)
        if self._folder is None:
            return
        path = self._path(epoch_id)
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                os.write(handle, bytes(RECORD.size))
            finally:
                os.close(handle)
        with contextlib.suppress(OSError):
            path.unlink()


def _is_hex(text: str) -> bool:
    return all(char in "0123456789abcdef" for char in text)

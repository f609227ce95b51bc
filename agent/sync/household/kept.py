"""Keys of past hours, for as long as anything sealed under them may live.

They are in this process and in a file of a memory file system each, like the store's own epoch
keys: a restarted agent can go on with them, a rebooted one cannot.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from agent.store.memoryfs import restore
from agent.store.sealing import KEY_BYTES
from agent.sync.keys import Purpose

log = logging.getLogger(__name__)

MAGIC = b"voice-agent household epoch 1\n"
NAME_BYTES = 32
RECORD = struct.Struct(f">{len(MAGIC)}s36s{NAME_BYTES}s{KEY_BYTES}sq")
_NAME = re.compile(r"[0-9a-f]{6}-[0-9a-f]{8}-(text|row)")


@dataclass(frozen=True, slots=True, order=True)
class KeyName:
    """Which key it is."""

    generation: int
    hour: int
    purpose: Purpose

    def __str__(self) -> str:
        return f"{self.generation:06x}-{self.hour:08x}-{self.purpose}"

    @classmethod
    def parse(cls, text: str) -> KeyName | None:
        """The opposite of ``str``; None for any other text."""
        if not _NAME.fullmatch(text):
            return None
        generation, hour, purpose = text.split("-")
        return cls(int(generation, 16), int(hour, 16), "text" if purpose == "text" else "row")


@dataclass(frozen=True, slots=True)
class _Kept:
    key: bytes = field(repr=False)
    dies_at: int


class KeptKeys:
    """Keys of past epochs.

    Args:
        folder: A private folder in a memory file system; None keeps them in this process only.
        boot_id: This boot; keys of another boot are destroyed on sight.
    """

    def __init__(self, folder: Path | None, boot_id: str) -> None:
        self._folder = folder
        self._boot = boot_id.encode()
        self._known: dict[KeyName, _Kept] = {}

    def put(self, name: KeyName, key: bytes, dies_at: int) -> None:
        """Keep a key until a time in UTC milliseconds."""
        self._known[name] = _Kept(key, dies_at)
        if self._folder is None:
            return
        try:
            if not self._folder.is_dir():
                restore(self._folder)
            self._write(name, self._known[name])
        except OSError as error:
            log.warning("household keys are kept in this process only: %s", error.strerror)
            self._folder = None

    def get(self, name: KeyName) -> bytes | None:
        """A key that is still kept."""
        if self._folder and not self._path(name).exists() and self._folder.is_dir():
            # Another process has destroyed it: this one must not go on with its copy.
            self._known.pop(name, None)
        kept = self._known.get(name) or self._read(name)
        if kept is None:
            return None
        self._known[name] = kept
        return kept.key

    def expire(self, now_ms: int) -> int:
        """Destroy the keys whose time is over; returns how many."""
        over = [name for name in self.names()
                if (kept := self._known.get(name) or self._read(name)) is None
                or kept.dies_at <= now_ms]
        for name in over:
            self._destroy(name)
        return len(over)

    def clear(self) -> None:
        """Destroy every key."""
        for name in self.names():
            self._destroy(name)

    def names(self) -> tuple[KeyName, ...]:
        """The keys that are kept."""
        found = set(self._known)
        if self._folder:
            for path in self._folder.glob("*.key"):
                name = KeyName.parse(path.stem)
                if name:
                    found.add(name)
        return tuple(sorted(found))

    def _path(self, name: KeyName) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.key"

    def _write(self, name: KeyName, kept: _Kept) -> None:
        path = self._path(name)
        temporary = path.with_suffix(f".{os.getpid()}.new")
        temporary.unlink(missing_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            os.write(handle, RECORD.pack(MAGIC, self._boot, str(name).encode(), kept.key,
                                         kept.dies_at))
        finally:
            os.close(handle)
        temporary.rename(path)

    def _read(self, name: KeyName) -> _Kept | None:
        if self._folder is None:
            return None
        try:
            data = self._path(name).read_bytes()
        except OSError:
            return None
        if len(data) == RECORD.size:
            magic, boot, stored, key, dies_at = RECORD.unpack(data)
            ours = (MAGIC, str(name).encode(), self._boot)
            if self._boot and (magic, stored.rstrip(b"\0"), boot.rstrip(b"\0")) == ours:
                return _Kept(key, dies_at)
        self._destroy(name)
        return None

    def _destroy(self, name: KeyName) -> None:
        self._known.pop(name, None)
        if self._folder is None:
            return
        path = self._path(name)
        with contextlib.suppress(OSError):
            handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                os.write(handle, bytes(RECORD.size))
            finally:
                os.close(handle)
        with contextlib.suppress(OSError):
            path.unlink()

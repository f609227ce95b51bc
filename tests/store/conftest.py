"""Stores in temporary folders, with clocks and a boot that tests can change."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import hmac
import shutil
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from agent.store import Settings, Surroundings, opening, session
from agent.store.connection import PAGE_SIZE, log_path
from agent.store.sentinel import path_of
from agent.store.session import Session


class ManualClock:
    """Clocks that only move when told."""

    def __init__(self) -> None:
        self.boot = "boot-1"
        self.up = 1_000_000
        self.wall = 1_800_000_000_000

    def boot_id(self) -> str:
        return self.boot

    def boot_ms(self) -> int:
        return self.up

    def wall_ms(self) -> int:
        return self.wall

    def pass_s(self, seconds: float) -> None:
        self.up += round(seconds * 1000)
        self.wall += round(seconds * 1000)

    def reboot(self, off_s: float = 60.0) -> None:
        """A new boot after so long; the wall clock knows."""
        self.boot = f"boot-{int(self.boot[5:]) + 1}"
        self.up = 10_000
        self.wall += round(off_s * 1000)


@dataclasses.dataclass
class Place:
    """A store's folder, memory folder and clock."""

    settings: Settings
    memory: Path
    clock: ManualClock

    @property
    def environ(self) -> dict[str, str]:
        return {"XDG_RUNTIME_DIR": str(self.memory)}

    @property
    def surroundings(self) -> Surroundings:
        return Surroundings(clock=self.clock, environ=self.environ)

    @property
    def path(self) -> Path:
        return self.settings.database

    def reboot(self, off_s: float = 60.0) -> None:
        """Memory is emptied and a new boot begins."""
        self.clock.reboot(off_s)
        for child in self.memory.iterdir():
            shutil.rmtree(child)

    @contextlib.contextmanager
    def open(self, **wanted: Any) -> Iterator[Session]:
        """A session on this thread, closed as a sound one."""
        found = self.session(**wanted)
        try:
            yield found
        finally:
            session.close(found)

    def session(self, **wanted: Any) -> Session:
        self.settings.directory.mkdir(mode=0o700, exist_ok=True)
        given = {"clock": self.clock, "environ": self.environ, **wanted}
        return opening.open_session(self.settings, **given)

    def files(self) -> dict[str, bytes]:
        return {p.name: p.read_bytes() for p in sorted(self.settings.directory.iterdir())
                if not p.name.endswith(("-shm", ".lock"))}

    def with_settings(self, **changes: Any) -> Place:
        return dataclasses.replace(
            self, settings=dataclasses.replace(self.settings, **changes))

    def copy_to(self, folder: Path) -> Place:
        """An image of the store as it lies on the disk now, sharing clock and memory."""
        folder.mkdir(mode=0o700, parents=True)
        for name in (self.path, log_path(self.path), path_of(self.path), self.settings.key_path):
            if name.exists():
                shutil.copy2(name, folder / name.name)
        return self.with_settings(directory=folder)


def decrypted_page(page: bytes, number: int, key: bytes, salt: bytes) -> bytes:
    """SQLCipher 4's page format, read independently of SQLCipher; fails on a wrong HMAC."""
    mac_key = hashlib.pbkdf2_hmac("sha512", key, bytes(b ^ 0x3A for b in salt), 2, 32)
    body = page[16 if number == 1 else 0:PAGE_SIZE - 80]
    iv, mac = page[PAGE_SIZE - 80:PAGE_SIZE - 64], page[PAGE_SIZE - 64:]
    assert hmac.new(mac_key, body + iv + struct.pack("<I", number), "sha512").digest() == mac
    decryptor = Cipher(algorithms.AES256(key), modes.CBC(iv)).decryptor()
    return decryptor.update(body) + decryptor.finalize()


def decrypted(place: Place, key: bytes) -> list[bytes]:
    """Every page of the database and every frame of the log, decrypted."""
    data = place.path.read_bytes()
    salt = data[:16]
    pages = [decrypted_page(data[at:at + PAGE_SIZE], at // PAGE_SIZE + 1, key, salt)
             for at in range(0, len(data), PAGE_SIZE)]
    log = log_path(place.path).read_bytes() if log_path(place.path).exists() else b""
    for at in range(32, len(log) - PAGE_SIZE - 23, PAGE_SIZE + 24):
        number = struct.unpack(">I", log[at:at + 4])[0]
        frame = log[at + 24:at + 24 + PAGE_SIZE]
        if number or any(frame):
            pages.append(decrypted_page(frame, number, key, salt))
    return pages


@pytest.fixture
def memory() -> Iterator[Path]:
    """A folder in a real memory file system."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    folder.chmod(0o700)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing; a killed process cannot tell."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="store-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def place(tmp_path: Path, memory: Path) -> Place:
    """Where a store may be made."""
    return Place(Settings(directory=tmp_path / "state"), memory, ManualClock())


@pytest.fixture
def read_pages() -> Any:
    """``decrypted(place, key)``."""
    return decrypted


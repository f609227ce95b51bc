"""The 32-byte root key, from a systemd credential or from a 0600 file made once.

There are two slots, so that the key can be replaced: the current root and, while it is being
replaced, the next one. Every other key comes from a root by HKDF.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.store import files
from agent.store.errors import KeyMissingError, KeyRefusedError
from agent.store.sealing import KEY_BYTES, derive

CREDENTIAL = "voice-agent.root"
NEXT_CREDENTIAL = "voice-agent.root-next"
HEADER = "voice-agent root key 1"


@dataclass(frozen=True, slots=True)
class Root:
    """A root key; the keys made of it are derived when asked for."""

    secret: bytes = field(repr=False)

    @property
    def database_key(self) -> bytes:
        """The raw key of the encrypted database."""
        return derive(self.secret, "database 1")

    @property
    def check(self) -> str:
        """Names this root without telling anything about it, for the sentinel."""
        return derive(self.secret, "check 1", 16).hex()


@dataclass(frozen=True, slots=True)
class Roots:
    """The two slots."""

    origin: str
    """``credential`` or ``file``."""
    where: Path
    """The key file, or the credential's folder."""
    current: Root
    next: Root | None = None

    @property
    def all(self) -> tuple[Root, ...]:
        """The roots at hand, the current one first."""
        return (self.current, self.next) if self.next else (self.current,)


def load(key_path: Path, environ: Mapping[str, str] | None = None) -> Roots | None:
    """Read the root key; None where there is none yet.

    Raises:
        KeyRefusedError: The file is readable by others, belongs to someone else, or is no key.
    """
    given = os.environ if environ is None else environ
    folder = given.get("CREDENTIALS_DIRECTORY")
    if folder:
        current = _credential(Path(folder) / CREDENTIAL)
        if current:
            return Roots("credential", Path(folder), current,
                         _credential(Path(folder) / NEXT_CREDENTIAL))
    if not os.path.lexists(key_path):
        return None
    return _load_file(key_path)


def create(key_path: Path) -> Roots:
    """Make a root key file, or read the one that another process has just made."""
    root = Root(secrets.token_bytes(KEY_BYTES))
    try:
        files.write_new(key_path, _encode(root, None))
    except FileExistsError:
        return _load_file(key_path)
    except OSError as error:
        raise KeyRefusedError(f"cannot make the root key file {key_path}: {error.strerror}",
                         "check that the folder can be written") from error
    return Roots("file", key_path, root)


def save(roots: Roots) -> None:
    """Write both slots of a key file."""
    if roots.origin != "file":
        raise KeyRefusedError("the root key is a systemd credential, which is read-only",
                         f"give the service a second one named {NEXT_CREDENTIAL}")
    try:
        files.replace(roots.where, _encode(roots.current, roots.next))
    except OSError as error:
        raise KeyRefusedError(f"cannot write the root key file {roots.where}: {error.strerror}",
                         "check the folder's rights and free space") from error


def _credential(path: Path) -> Root | None:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KeyRefusedError(f"cannot read the credential {path}: {error.strerror}",
                         "check LoadCredential= of the service") from error
    return Root(_parse_key(data if len(data) == KEY_BYTES else data.strip(), path))


def _parse_key(data: bytes, path: Path) -> bytes:
    if len(data) == KEY_BYTES:
        return data
    try:
        key = bytes.fromhex(data.decode("ascii"))
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise KeyRefusedError(f"{path} holds no root key", "it must be 32 bytes, or 64 hex digits")
    return key


def _load_file(path: Path) -> Roots:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as error:
        raise KeyRefusedError(f"cannot read the root key file {path}: {error.strerror}",
                         "it must be a plain file of the agent's own user") from error
    with os.fdopen(handle, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
            raise KeyRefusedError(f"the root key file {path} belongs to another user",
                             f"chown it to the agent's user, uid {os.geteuid()}")
        if found.st_mode & 0o077:
            raise KeyRefusedError(
                f"the root key file {path} can be read by others "
                f"(mode {stat.S_IMODE(found.st_mode):04o})", f"chmod 600 {path}")
        data = file.read(4096)
    return _decode(data, path)


def _encode(current: Root, following: Root | None) -> bytes:
    lines = [HEADER, f"current {current.secret.hex()}"]
    if following:
        lines.append(f"next {following.secret.hex()}")
    return ("\n".join(lines) + "\n").encode()


def _decode(data: bytes, path: Path) -> Roots:
    lines = data.decode("ascii", "replace").splitlines()
    slots = dict(line.split(" ", 1) for line in lines[1:] if " " in line)
    if (not lines or lines[0] != HEADER
            or "current" not in slots or set(slots) - {"current", "next"}):
        raise KeyRefusedError(f"{path} is no root key file",
                         "restore it from a copy; without it the store cannot be read")
    following = slots.get("next")
    return Roots("file", path, Root(_parse_key(slots["current"].encode(), path)),
                 Root(_parse_key(following.encode(), path)) if following else None)


def missing(database: Path, origin: str) -> KeyMissingError:
    """The error for a store without its key.

    Args:
        database: The store.
        origin: Where its key came from when it was last opened, as its sentinel says.
    """
    if origin == "credential":
        return KeyMissingError(
            f"the key of the store at {database} is a systemd credential, which this process "
            "was not given",
            f"run it with `systemd-run --pipe -p LoadCredentialEncrypted={CREDENTIAL} …`, as "
            "the privacy page shows")
    return KeyMissingError(
        f"there is a store at {database} but no root key: this is a new install beside an old "
        "store",
        "put the old root key back, or run `voice-agent privacy erase` to start anew")

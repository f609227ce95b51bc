"""The membership on disk: one 0600 file beside the store's root, replaced as the chain steps.

With a systemd credential ``voice-agent.household`` (32 bytes) the file is sealed under it, so that
neither a stolen card nor an old block of it shows the chain. One process at a time changes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from agent.store import files
from agent.store.sealing import KEY_BYTES, NONCE_BYTES, derive
from agent.sync.household.membership import MalformedError, Membership, decode, encode
from agent.sync.keys import EpochError

CREDENTIAL = "voice-agent.household"
NAME = "household.key"
PLAIN, SEALED = b"voice-agent household 1 plain\n", b"voice-agent household 1 sealed\n"
LARGEST = 256 * 1024


class HouseholdFileError(EpochError):
    """The household's file cannot be used; it was left as it is."""


class NoHouseholdError(EpochError):
    """This device belongs to no household."""


class HouseholdFile:
    """Reads and replaces the membership.

    Args:
        folder: The store's folder.
        environ: Where ``$CREDENTIALS_DIRECTORY`` is looked up; the process's own by default.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.path = folder / NAME
        self._environ = os.environ if environ is None else environ
        self._guard = threading.RLock()
        self._stamp: tuple[int, int, int] | None = None
        self._cached: Membership | None = None

    def find(self) -> Membership | None:
        """The membership as it is now; None where there is none.

        Raises:
            HouseholdFileError: It is there and cannot be read.
        """
        with self._guard:
            try:
                found = self.path.lstat()
            except FileNotFoundError:
                self._stamp = self._cached = None
                return None
            except OSError as error:
                raise self._error(f"cannot be read: {error.strerror}") from error
            stamp = (found.st_ino, found.st_mtime_ns, found.st_size)
            if stamp != self._stamp:
                self._cached = self._load()
                self._stamp = stamp
            return self._cached

    def read(self) -> Membership:
        """The membership as it is now.

        Raises:
            NoHouseholdError: There is none.
            HouseholdFileError: It is there and cannot be read.
        """
        found = self.find()
        if found is None:
            raise NoHouseholdError(
                "this device belongs to no household",
                "`voice-agent household create NAME` starts one, `household join` joins one")
        return found

    def create(self, membership: Membership) -> None:
        """Write the first membership.

        Raises:
            HouseholdFileError: There is one already, or it cannot be written.
        """
        self.prepare()
        with self._alone():
            if os.path.lexists(self.path):
                raise HouseholdFileError(
                    f"this device belongs to a household already ({self.path})",
                    "`voice-agent household leave` ends that")
            self._write(membership)

    def change(self, step: Callable[[Membership], Membership]) -> Membership:
        """Replace the membership by what ``step`` makes of it, all or nothing.

        Raises:
            NoHouseholdError, HouseholdFileError: Nothing was changed.
        """
        with self._alone():
            before = self.read()
            after = step(before)
            if after != before:
                self._write(after)
            return after

    def delete(self) -> bool:
        """Forget the household: overwrite the file and remove it; whether there was one."""
        if not os.path.lexists(self.path):
            return False
        with self._alone():
            with contextlib.suppress(OSError):
                handle = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW)
                try:
                    os.write(handle, bytes(os.fstat(handle).st_size))
                    os.fsync(handle)
                finally:
                    os.close(handle)
            try:
                self.path.unlink(missing_ok=True)
                files.sync_folder(self.path.parent)
            except OSError as error:
                raise self._error(f"cannot be removed: {error.strerror}") from error
            self._stamp = self._cached = None
        return True

    def prepare(self) -> None:
        """Make the folder.

        Raises:
            HouseholdFileError: It cannot be made.
        """
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise HouseholdFileError(f"cannot make the folder {folder}: {error.strerror}",
                                     "set store.directory to one that can be written") from error

    # --- inside ---------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with self._guard:
            try:
                handle = os.open(self.path.with_name("household.lock"),
                                 os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            except OSError as error:
                raise self._error(f"cannot be locked: {error.strerror}") from error
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)

    def _write(self, membership: Membership) -> None:
        key = self._credential()
        text = encode(membership)
        if key is None:
            data = PLAIN + text
        else:
            nonce = secrets.token_bytes(NONCE_BYTES)
            data = SEALED + nonce + ChaCha20Poly1305(key).encrypt(nonce, text, SEALED)
        try:
            files.replace(self.path, data)
        except OSError as error:
            raise self._error(f"cannot be written: {error.strerror}") from error

    def _load(self) -> Membership:
        data = self._bytes()
        if data.startswith(PLAIN):
            text = data[len(PLAIN):]
        elif data.startswith(SEALED):
            text = self._unseal(data[len(SEALED):])
        else:
            raise self._error("is no household file")
        try:
            return decode(text)
        except MalformedError as error:
            raise self._error(f"is damaged: {error}") from None

    def _bytes(self) -> bytes:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from error
        with os.fdopen(handle, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                raise HouseholdFileError(f"{self.path} belongs to another user",
                                         f"chown it to the agent's user, uid {os.geteuid()}")
            if found.st_mode & 0o077:
                raise HouseholdFileError(
                    f"{self.path} can be read by others (mode {stat.S_IMODE(found.st_mode):04o})",
                    f"chmod 600 {self.path}")
            return file.read(LARGEST)

    def _unseal(self, data: bytes) -> bytes:
        key = self._credential()
        if key is None:
            raise HouseholdFileError(
                f"{self.path} is sealed by the systemd credential {CREDENTIAL}, which this "
                "process was not given",
                f"run it with `systemd-run --pipe -p LoadCredentialEncrypted={CREDENTIAL} …`")
        try:
            return ChaCha20Poly1305(key).decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], SEALED)
        except (InvalidTag, ValueError):
            raise self._error(f"is not sealed by this credential {CREDENTIAL}") from None

    def _credential(self) -> bytes | None:
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if not folder:
            return None
        path = Path(folder) / CREDENTIAL
        try:
            secret = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise HouseholdFileError(f"cannot read the credential {path}: {error.strerror}",
                                     "check LoadCredential= of the service") from error
        if len(secret) != KEY_BYTES:
            raise HouseholdFileError(f"the credential {path} must be {KEY_BYTES} bytes",
                                     f"make it of `head -c {KEY_BYTES} /dev/urandom`")
        return derive(secret, "household file 1")

    def _error(self, problem: str) -> HouseholdFileError:
        return HouseholdFileError(
            f"the household file {self.path} {problem}",
            "put it right, or `voice-agent household leave` and join again")

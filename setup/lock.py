"""The lock file: which of its entries a machine needs, and hashes of wheels built elsewhere.

    python -m setup.lock requirements.lock setuptools rich     # those entries, for pip
    python -m setup.lock requirements.lock --offline DIR       # all, for a folder of --download

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

TARGET = "target.json"
"""In a folder of ``--download``: for which machine it was made, and from which lock file."""
BUILT = "built.json"
"""There too: SHA-256, by package name, of the wheels built from source packages."""

ENTRY = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: *; *(?P<marker>[^\\]+?))? *\\?$")


class LockError(Exception):
    """A lock file or a downloaded folder that cannot be used; the text says why, in one line."""


@dataclass(frozen=True)
class Entry:
    """One pinned package."""

    name: str
    version: str
    marker: str
    """Environment marker (PEP 508); empty where the package is needed everywhere."""
    hashes: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")
        return " \\\n    ".join([head, *(f"--hash={h}" for h in self.hashes)])


@dataclass(frozen=True)
class Target:
    """A kind of machine that wheels are made for."""

    machine: str
    """``x86_64`` or ``aarch64``."""
    python: str
    """``3.11``, ``3.12`` or ``3.13``."""

    @classmethod
    def here(cls) -> Target:
        """This machine and this Python."""
        return cls(platform.machine(), "{}.{}".format(*sys.version_info[:2]))

    def __str__(self) -> str:
        return f"{self.machine} and Python {self.python}"


def parse(text: str) -> list[Entry]:
    """Read a lock file as ``uv pip compile --generate-hashes`` writes it."""
    entries: list[Entry] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.startswith("--hash=") and entries:
            found = stripped.removeprefix("--hash=").rstrip("\\ ")
            entries[-1] = replace(entries[-1], hashes=(*entries[-1].hashes, found))
            continue
        match = ENTRY.match(stripped)
        if match is None:
            raise LockError(f"lock file, line {number}: not understood: {stripped}")
        entries.append(Entry(match["name"], match["version"], match["marker"] or "", ()))
    return entries


def select(entries: Iterable[Entry], names: Iterable[str]) -> list[Entry]:
    """The entries of some packages."""
    wanted = list(names)
    chosen = [e for e in entries if e.name in wanted]
    lacking = set(wanted) - {e.name for e in chosen}
    if lacking:
        raise LockError(f"not in the lock file: {', '.join(sorted(lacking))}")
    return chosen


def with_built(entries: Iterable[Entry], built: Mapping[str, str]) -> list[Entry]:
    """Accept, besides the hashes of the lock file, those of wheels built from its sources."""
    return [replace(e, hashes=(*e.hashes, f"sha256:{built[e.name]}")) if e.name in built else e
            for e in entries]


def digest(lock: Path) -> str:
    """SHA-256 of the lock file."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def for_folder(lock: Path, folder: Path, here: Target) -> list[Entry]:
    """The entries as a folder of ``--download`` can satisfy them on this machine.

    Raises:
        LockError: The folder is none, or was made for another machine or from another lock file.
    """
    try:
        made = json.loads((folder / TARGET).read_text(encoding="utf-8"))
        built = json.loads((folder / BUILT).read_text(encoding="utf-8"))
        target, locked = Target(made["machine"], made["python"]), made["lock"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LockError(f"{folder} is not a folder that ./setup_device.sh --download made whole "
                        f"({TARGET} or {BUILT} is missing or damaged)") from error
    if target != here:
        raise LockError(f"{folder} was made for {target}, but this machine is {here}; make it with:"
                        f" ./setup_device.sh --download DIR --for {here.machine}"
                        f" --python {here.python}")
    if locked != digest(lock):
        raise LockError(f"{folder} was made for another version of voice-agent; make it anew with:"
                        f" ./setup_device.sh --download DIR")
    return with_built(parse(lock.read_text(encoding="utf-8")), built)


def main() -> int:
    """Print entries for pip; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lock", type=Path)
    parser.add_argument("names", nargs="*", metavar="PACKAGE", help="only these")
    parser.add_argument("--offline", type=Path, metavar="DIR", help="a folder of --download")
    args = parser.parse_args()
    try:
        if args.offline:
            entries = for_folder(args.lock, args.offline, Target.here())
        else:
            entries = parse(args.lock.read_text(encoding="utf-8"))
        print("\n".join(map(str, select(entries, args.names) if args.names else entries)))
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

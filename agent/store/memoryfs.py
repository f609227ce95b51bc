"""Finds a folder that lives in memory, so that what is in it is gone at the next boot."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

log = logging.getLogger(__name__)

MOUNTS = Path("/proc/self/mountinfo")
MEMORY_TYPES = frozenset({"tmpfs", "ramfs"})


def candidates(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Where a memory file system usually is, best first."""
    runtime = environ.get("XDG_RUNTIME_DIR")
    return (*((Path(runtime),) if runtime else ()), Path("/run"), Path("/dev/shm"))


def is_in_memory(path: Path, mounts: Path = MOUNTS) -> bool:
    """Whether the file system under ``path`` is tmpfs or ramfs (``man 5 proc``, mountinfo)."""
    try:
        real = str(path.resolve(strict=True))
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return False
    best, kind = -1, ""
    for line in lines:
        fields = line.split()
        if "-" not in fields or len(fields) < 10:
            continue
        point = _unescape(fields[4])
        inside = point == "/" or real == point or real.startswith(point + "/")
        # A later mount over the same point hides the earlier one, hence >=.
        if inside and len(point) >= best:
            best, kind = len(point), fields[fields.index("-") + 1]
    return kind in MEMORY_TYPES


def private_folder(name: str, environ: Mapping[str, str] | None = None) -> Path | None:
    """Make or find a 0700 folder of ours in memory; None where there is no such place."""
    given = os.environ if environ is None else environ
    for base in candidates(given):
        if not is_in_memory(base):
            continue
        outer = base / f"voice-agent-{os.geteuid()}"
        if _own(outer) and _own(outer / name):
            return outer / name
    log.warning("no memory file system can be written; texts will not outlive this process")
    return None


def restore(folder: Path) -> bool:
    """Make a private folder again that someone has removed (logind does, at the last logout)."""
    return _own(folder.parent) and _own(folder)


def _own(folder: Path) -> bool:
    """Whether the folder exists, is ours alone and no link; made if absent."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return (stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
            and found.st_mode & 0o077 == 0)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, char)
    return text

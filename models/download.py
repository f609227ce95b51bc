"""One file over HTTP: resumed after a cut, checked, never half-written under its final name.

A ``.part`` file in the user's cache keeps what has come, so that a later run goes on from there
(``Range``, RFC 9110 section 14). It is named by the checksum of the whole, so it can never be taken
for another file, and it is removed as soon as it turns out wrong.
"""

from __future__ import annotations

import http.client
import os
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from models.errors import ModelError
from models.installed import sha256_of
from models.progress import Advance, Progress

CHUNK = 1 << 16
TRIES_WITHOUT_PROGRESS = 3
TRIES_ALTOGETHER = 50


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    connect: float = 15.0
    """For the site to accept a connection, looking up its name included."""
    read: float = 30.0
    """For the next bytes."""
    pause: float = 1.0
    """Before the first retry; doubled for each one after."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The file to download, and what it must turn out to be."""

    url: str
    size: int
    sha256: str
    label: str


class _CutError(Exception):
    """The connection broke; trying again may help."""


def cache_folder() -> Path:
    """The folder for partial downloads (``$XDG_CACHE_HOME/voice-agent``)."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "voice-agent"


def download(wanted: Wanted, target: Path, progress: Progress,
             patience: Patience | None = None) -> None:
    """Bring a file to ``target``, which appears only when it is whole and right.

    Raises:
        ModelError: The site cannot be reached or refuses, the connection keeps breaking, or what
            came has the wrong size or checksum.
        OSError: The disk is full or cannot be written; the partial file is removed first.
    """
    patience = patience or Patience()
    _probe(wanted.url, patience.connect)
    part = cache_folder() / f"{wanted.sha256[:32]}.part"
    part.parent.mkdir(parents=True, exist_ok=True)
    resumed = part.exists()
    try:
        with progress.bar(wanted.label, wanted.size) as advance:
            _complete(wanted, part, advance, patience)
            if resumed and sha256_of(part) != wanted.sha256:
                part.unlink()
                _complete(wanted, part, advance, patience)
        _check(wanted, part)
        _move(part, target)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def _check(wanted: Wanted, part: Path) -> None:
    if sha256_of(part) != wanted.sha256:
        part.unlink()
        raise ModelError(f"{wanted.label}: what {_host(wanted.url)} sent has the wrong checksum",
                         "try again later; the file was removed")


def _move(part: Path, target: Path) -> None:
    """Rename, also across file systems, so that ``target`` is never partial."""
    try:
        part.replace(target)
    except OSError:
        beside = target.with_name(target.name + ".part")
        with part.open("rb") as source, beside.open("wb") as sink:
            while chunk := source.read(CHUNK):
                sink.write(chunk)
        beside.replace(target)
        part.unlink()


def _complete(wanted: Wanted, part: Path, advance: Advance, patience: Patience) -> None:
    """Fetch until ``part`` has the wanted size, over as many connections as it takes."""
    fruitless = 0
    for _ in range(TRIES_ALTOGETHER):
        before = _size(part)
        try:
            _transfer(wanted, part, advance, patience)
            if _size(part) == wanted.size:
                return
            reason = "the connection was closed early"
        except _CutError as cut:
            reason = str(cut)
        fruitless = 0 if _size(part) > before else fruitless + 1
        if fruitless >= TRIES_WITHOUT_PROGRESS:
            break
        time.sleep(patience.pause * 2 ** max(0, fruitless - 1))
    raise ModelError(f"{wanted.label}: the download from {_host(wanted.url)} broke off at "
                     f"{_size(part)} of {wanted.size} bytes ({reason})",
                     "run the same command again: it goes on from there")


def _transfer(wanted: Wanted, part: Path, advance: Advance, patience: Patience) -> None:
    """One connection's worth of bytes, appended to ``part``."""
    have = _size(part)
    if have >= wanted.size:
        if have > wanted.size:
            part.unlink()
        return
    request = urllib.request.Request(wanted.url, headers={"User-Agent": "voice-agent"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=patience.read) as response:
            resumes = response.status == http.client.PARTIAL_CONTENT and (
                response.headers.get("Content-Range", "").startswith(f"bytes {have}-"))
            with part.open("ab" if resumes else "wb") as sink:
                _copy(wanted, response, sink, advance)
    except urllib.error.HTTPError as error:
        _refused(wanted, part, error)
    except urllib.error.URLError as error:
        raise _CutError(_reason(error.reason)) from error
    except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
        raise _CutError(_reason(error)) from error


def _copy(wanted: Wanted, response: IO[bytes], sink: IO[bytes], advance: Advance) -> None:
    done = sink.tell()
    while chunk := _read(response):
        done += len(chunk)
        if done > wanted.size:
            sink.truncate(0)
            raise ModelError(f"{wanted.label}: {_host(wanted.url)} sent more than the "
                             f"{wanted.size} bytes that the catalogue gives", "try again later")
        sink.write(chunk)
        advance(done)


def _read(response: IO[bytes]) -> bytes:
    try:
        return response.read(CHUNK)
    except (OSError, http.client.HTTPException) as error:  # not to be taken for the disk's
        raise _CutError(_reason(error)) from error


def _refused(wanted: Wanted, part: Path, error: urllib.error.HTTPError) -> None:
    """Turn an HTTP error status into a retry or into its one line."""
    if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.unlink(missing_ok=True)
        raise _CutError("the site has another file there now") from error
    if error.code >= http.client.INTERNAL_SERVER_ERROR or error.code in (408, 429):
        raise _CutError(f"HTTP {error.code}") from error
    raise ModelError(f"{wanted.label}: {_host(wanted.url)} does not give the file "
                     f"(HTTP {error.code} {error.reason})") from error


def _probe(url: str, seconds: float) -> None:
    """Fail soon where a site cannot be reached; looking up a name has no time-out of its own."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(host):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    outcome: list[str] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
            outcome.append("")
        except OSError as error:
            outcome.append(_reason(error))

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    problem = outcome[0] if outcome else f"no answer in {seconds:g} s"
    if problem:
        raise ModelError(f"{host} cannot be reached ({problem})")


def _reason(error: object) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).hostname or url


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0

"""Installing a model whole or not at all, and saving archives for a machine without a network."""

from __future__ import annotations

import errno
import fcntl
import importlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from models.catalogue import Archive, Model, catalogue
from models.download import Patience
from models.errors import ModelError
from models.installed import MANIFEST, check_file, installed, models_root, sha256_of
from models.progress import Progress, Silent, megabytes
from models.sources import ARCHIVES, Fetching, obtain
from models.unpack import unpack

STAGING = ".staging"
SPARE = 16_000_000
"""Bytes of disk to leave free."""


def fetch(names: Iterable[str], *, offline: Path | None = None, progress: Progress | None = None,
          patience: Patience | None = None) -> None:
    """Install models that are not installed yet, one after the other.

    A model appears under its name only when all its files are there and checked; on any failure
    nothing of it is left.

    Args:
        names: Catalogue names.
        offline: Folder with the archives, as ``setup_device.sh --download`` makes it; with it, the
            network is not used.
        progress: Where to report to; silent by default.
        patience: How long to wait for a publisher's site.

    Raises:
        ModelError: The first model that cannot be installed, and why; those before it stay.
    """
    fetching = Fetching(offline, progress or Silent(), patience or Patience())
    for name in names:
        _install(catalogue()[name], fetching)


def save_archives(names: Iterable[str], folder: Path, *, progress: Progress | None = None) -> None:
    """Put the archives of models into ``folder``, for ``fetch(offline=folder)`` elsewhere.

    Raises:
        ModelError: As ``fetch``.
    """
    fetching = Fetching(progress=progress or Silent())
    for name in names:
        model = catalogue()[name]
        files = ", ".join(a.file for a in model.archives)
        by_hand = f"try again, or put {files} into {folder / ARCHIVES} by hand"
        with _told(model, folder, by_hand), _workplace(folder / ARCHIVES) as work:
            for archive in model.archives:
                _save(archive, folder / ARCHIVES / archive.file, work, fetching)


def _save(archive: Archive, target: Path, work: Path, fetching: Fetching) -> None:
    if target.is_file() and sha256_of(target) == archive.sha256:
        return
    _require_room(work, archive.size)
    obtain(archive, work, fetching).replace(target)


def _install(model: Model, fetching: Fetching) -> None:
    if installed(model.name):
        return
    if model.package is not None:
        raise ModelError(f"model {model.name} comes with the Python package {model.package}",
                         "run ./setup_device.sh")
    root = models_root()
    with _told(model, root), _workplace(root) as work:
        if installed(model.name):  # another process was faster
            return
        fresh = work / "files"
        fresh.mkdir()
        for archive in model.archives:
            _bring(archive, work, fresh, fetching)
        _check(model, fresh)
        _build(model, fresh, fetching)
        _record(model, fresh)
        _put_in_place(fresh, root / model.name, work)
    fetching.progress.line(f"{model.name}: installed (licence {model.licence})")


def _bring(archive: Archive, work: Path, fresh: Path, fetching: Fetching) -> None:
    local = fetching.offline is not None
    _require_room(work, archive.unpacked_size + (0 if local else archive.size))
    path = obtain(archive, work, fetching)
    unpack(archive, path, fresh)
    if path.parent == work:
        path.unlink()


def _check(model: Model, fresh: Path) -> None:
    for archive in model.archives:
        for file in archive.files:
            problem = check_file(fresh / file.path, file)
            if problem:
                raise ModelError(f"{archive.file}: {problem}")


def _build(model: Model, fresh: Path, fetching: Fetching) -> None:
    """Make what is built of the archives' files, and drop what was only needed for that."""
    if model.build is None:
        return
    fetching.progress.line(f"{model.name}: building")
    try:
        module = importlib.import_module(f"models.{model.build}")
    except ImportError as error:
        raise ModelError(f"{model.name}: cannot be built ({error})",
                         "run ./setup_device.sh, which installs what building needs") from error
    module.build(fresh)
    for file in model.built:
        problem = check_file(fresh / file.path, file)
        if problem:
            raise ModelError(f"building gave another file than expected: {problem}")
    for archive in model.archives:
        for file in archive.files:
            if not file.keep:
                (fresh / file.path).unlink()


def _record(model: Model, fresh: Path) -> None:
    """Write down the checksums of the files that the catalogue cannot know."""
    known = {f.path for f in model.files if f.sha256 is not None}
    paths = sorted(p for p in fresh.rglob("*") if p.is_file())
    unknown = {p.relative_to(fresh).as_posix(): p for p in paths}
    checksums = {name: sha256_of(p) for name, p in unknown.items() if name not in known}
    if checksums:
        (fresh / MANIFEST).write_text(json.dumps(checksums, indent=1), encoding="utf-8")


def _put_in_place(fresh: Path, final: Path, work: Path) -> None:
    for path in fresh.rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())
    if final.exists():
        final.rename(work / "before")
    fresh.rename(final)


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < size + SPARE:
        raise ModelError(f"no room in {folder.parent}: {megabytes(size + SPARE)} needed, "
                         f"{megabytes(free)} free",
                         "free some space, or set VOICE_AGENT_MODELS to a folder on another disk")


@contextmanager
def _workplace(root: Path) -> Iterator[Path]:
    """An empty folder on the disk of ``root``, for one process at a time, gone afterwards."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work = root / STAGING
        shutil.rmtree(work, ignore_errors=True)  # what a killed process left
        work.mkdir()
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _told(model: Model, root: Path, mend: str = "") -> Iterator[None]:
    """Turn what goes wrong inside into one sentence that names the model."""
    mend = mend or f"try again with: voice-agent models fetch {model.name}"
    try:
        yield
    except ModelError as error:
        what = error.what if error.what.startswith("model ") else f"{model.name}: {error.what}"
        raise ModelError(what, error.mend or mend) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelError(f"{model.name}: the disk is full ({error.filename or root})",
                             "free some space and try again") from error
        where = error.filename or root
        raise ModelError(f"{model.name}: cannot write {where} ({error.strerror or error})",
                         "check its permissions") from error


def stand_in_for(model: Model) -> Model | None:
    """The installed model that does the work of one that cannot be had, if there is one."""
    if model.stand_in is None or not installed(model.stand_in):
        return None
    return catalogue()[model.stand_in]


def patience_for(model: Model) -> Patience:
    """Little where a stand-in is there already (set-up must not stall), else the usual."""
    return Patience(connect=3.0) if stand_in_for(model) else Patience()

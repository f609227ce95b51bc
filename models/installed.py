"""Which models are on this machine, where, and whether their files are what they should be."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator
from pathlib import Path

from models.catalogue import Model, ModelFile, catalogue
from models.errors import ModelError

MANIFEST = ".manifest.json"
"""Sizes and checksums, written at installation, of the files that the catalogue does not list."""


def models_root() -> Path:
    """The folder that holds one folder a model: ``$VOICE_AGENT_MODELS``, else in this package."""
    chosen = os.environ.get("VOICE_AGENT_MODELS")
    return Path(chosen).expanduser() if chosen else Path(__file__).with_name("files")


def folder_of(model: Model) -> Path:
    """Where a model's files belong, there or not."""
    if model.package is None:
        return models_root() / model.name
    found = importlib.util.find_spec(model.package)
    if found is None or found.origin is None:
        raise ModelError(f"model {model.name}: the Python package {model.package} is not installed",
                         "run ./setup_device.sh")
    return Path(found.origin).parent / model.package_folder


def installed(name: str) -> bool:
    """Whether all files of a model are there and have the right size (contents unchecked)."""
    model = catalogue()[name]
    try:
        folder = folder_of(model)
    except ModelError:
        return False
    return folder.is_dir() and next(incomplete(model, folder), None) is None


def locate(name: str) -> Path:
    """The folder of an installed model.

    Raises:
        ModelError: The model is unknown, or is not installed whole; says which file is missing
            and how to fetch it.
    """
    model = catalogue()[name]
    folder = folder_of(model)
    mend = f"fetch it with: voice-agent models fetch {name}"
    if not folder.is_dir():
        raise ModelError(f"model {name} is not installed ({folder} is not there)", mend)
    for problem in incomplete(model, folder):
        raise ModelError(f"model {name} is not installed whole: {problem}", mend)
    return folder


def incomplete(model: Model, folder: Path) -> Iterator[str]:
    """What is missing or of the wrong size, as sentences that name the file."""
    for file in model.files:
        path = folder / file.path
        try:
            size = path.stat().st_size
        except OSError:
            yield f"{path} is missing"
            continue
        if file.size is not None and size != file.size:
            yield f"{path} has {size} bytes instead of {file.size}"


def verify(name: str) -> None:
    """Compare every file of an installed model with its checksum.

    Raises:
        ModelError: A file is missing, or differs; the message names it.
    """
    folder = locate(name)
    for path, expected in expected_checksums(catalogue()[name], folder).items():
        problem = _difference(folder / path, expected)
        if problem:
            raise ModelError(f"model {name}: {problem}",
                             f"remove {folder} and run: voice-agent models fetch {name}")


def expected_checksums(model: Model, folder: Path) -> dict[str, str]:
    """SHA-256 of each file, by path: from the catalogue, else as recorded when installed."""
    checksums = {f.path: f.sha256 for f in model.files if f.sha256 is not None}
    recorded = folder / MANIFEST
    if recorded.is_file():
        try:
            checksums = {**json.loads(recorded.read_text(encoding="utf-8")), **checksums}
        except (OSError, ValueError) as error:
            raise ModelError(f"model {model.name}: cannot read {recorded}: {error}") from error
    return checksums


def check_file(path: Path, file: ModelFile) -> str | None:
    """What is wrong with a file just unpacked, or None."""
    if not path.is_file():
        return f"{file.path} is not in the archive"
    size = path.stat().st_size
    if file.size is not None and size != file.size:
        return f"{file.path} has {size} bytes instead of {file.size}"
    return None if file.sha256 is None else _difference(path, file.sha256)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's contents, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _difference(path: Path, expected: str) -> str | None:
    try:
        found = sha256_of(path)
    except OSError as error:
        return f"cannot read {path}: {error.strerror}"
    return None if found == expected else f"{path} is damaged (its SHA-256 is not the catalogue's)"

"""Small archives, and catalogue entries that describe them."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from typing import TypeAlias

from models.catalogue import Archive, Model, ModelFile, Source

UseCatalogue: TypeAlias = Callable[[Sequence[Model]], None]
"""Puts other models in the place of the shipped catalogue."""

FILES = {"am/final.mdl": b"acoustic " * 5000, "conf/mfcc.conf": b"--num-ceps=40\n"}


def zipped(files: dict[str, bytes], top: str = "small/") -> bytes:
    """A zip archive of some files below one folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(top + name, content)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], top: str = "package/") -> bytes:
    """A gzipped tar archive of some files below one folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def listed(files: dict[str, bytes], top: str) -> tuple[ModelFile, ...]:
    """Catalogue lines of some files."""
    return tuple(ModelFile(name, top + name, len(content), hashlib.sha256(content).hexdigest())
                 for name, content in files.items())


def model_of(content: bytes, *sources: Source, file: str = "small.zip", name: str = "small",
             files: tuple[ModelFile, ...] | None = None, whole: bool = False) -> Model:
    """A model whose one archive has ``content``."""
    if files is None:
        files = listed(FILES, "small/")
    if whole:
        files = tuple(ModelFile(f.path, "", None, None) for f in files)
    archive = Archive(file, len(content), hashlib.sha256(content).hexdigest(), sources, files,
                      "small" if whole else None, 1_000_000 if whole else 0)
    return Model(name, "tests", "1", "MIT", "run", (archive,))

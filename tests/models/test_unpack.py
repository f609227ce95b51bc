"""Archives that are fine, damaged, or meant to do harm."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.catalogue import Archive, Model
from models.errors import ModelError
from models.unpack import inside, unpack
from tests.models.archives import FILES, listed, model_of, tarred, zipped


def unpacked(model: Model, content: bytes, folder: Path) -> dict[str, bytes]:
    """What unpacking gives, by path."""
    archive, target = model.archives[0], folder / "target"
    (folder / archive.file).write_bytes(content)
    target.mkdir()
    unpack(archive, folder / archive.file, target)
    return {p.relative_to(target).as_posix(): p.read_bytes()
            for p in target.rglob("*") if p.is_file()}


def refuses(model: Model, content: bytes, folder: Path, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        unpacked(model, content, folder)
    outside = {p.name for p in folder.iterdir()} - {"target", model.archives[0].file}
    assert not outside


def test_listed_files_are_taken_from_a_zip_and_no_others(tmp_path: Path) -> None:
    content = zipped({**FILES, "unwanted.bin": b"x"})
    assert unpacked(model_of(content), content, tmp_path) == FILES


def test_listed_files_are_taken_from_a_tar(tmp_path: Path) -> None:
    content = tarred(FILES)
    model = model_of(content, file="small.tgz", files=listed(FILES, "package/"))
    assert unpacked(model, content, tmp_path) == FILES


def test_a_whole_folder_is_taken_without_its_name(tmp_path: Path) -> None:
    content = zipped({**FILES, "README": b"read"})
    found = unpacked(model_of(content, whole=True), content, tmp_path)
    assert found == {**FILES, "README": b"read"}


@pytest.mark.parametrize("name", ["small/../../evil", "/etc/evil", "elsewhere/evil",
                                  "small/..\\evil", "small/"])
def test_a_member_that_would_land_outside_is_refused(tmp_path: Path, name: str) -> None:
    content = zipped({name: b"evil"}, top="")
    if name.endswith("/"):
        content = zipped({"small//": b""}, top="")
        assert unpacked(model_of(content, whole=True), content, tmp_path) == {}
        return
    refuses(model_of(content, whole=True), content, tmp_path, "holds")


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("small/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    refuses(model_of(buffer.getvalue(), whole=True), buffer.getvalue(), tmp_path, "symbolic link")


def test_a_link_in_a_tar_is_not_followed(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        info = tarfile.TarInfo("package/am/final.mdl")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    content = buffer.getvalue()
    model = model_of(content, file="small.tgz", files=listed(FILES, "package/"))
    refuses(model, content, tmp_path, "not a plain file")


def test_an_archive_that_unpacks_to_more_than_promised_is_stopped(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("small/bomb", bytes(50_000_000))
    content = buffer.getvalue()
    refuses(model_of(content, whole=True), content, tmp_path, "unpacks to more than the 1000000")
    assert (tmp_path / "target" / "bomb").stat().st_size <= 1_000_000


def test_an_archive_without_a_listed_file_is_refused(tmp_path: Path) -> None:
    content = zipped({"am/final.mdl": b"x"})
    refuses(model_of(content), content, tmp_path, r"does not hold small/conf/mfcc\.conf")


@given(cut=st.integers(0, 3000), where=st.integers(0, 3000), byte=st.integers(0, 255))
@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_a_damaged_archive_gives_a_model_error_or_its_files(
        tmp_path_factory: pytest.TempPathFactory, kind: str, cut: int, where: int,
        byte: int) -> None:
    whole = zipped(FILES) if kind == "zip" else tarred(FILES)
    model = model_of(whole, file=f"small.{kind}", files=listed(
        FILES, "small/" if kind == "zip" else "package/"))
    damaged = bytearray(whole[:len(whole) - cut % len(whole)])
    damaged[where % len(damaged)] = byte
    try:
        unpacked(model, bytes(damaged), tmp_path_factory.mktemp("damaged"))
    except ModelError as error:
        assert "\n" not in str(error)


@given(st.text())
def test_no_name_leads_outside(name: str) -> None:
    target = Path("/somewhere/target")
    archive = Archive("a.zip", 0, "", (), ())
    try:
        path = inside(archive, target, name)
    except ModelError:
        return
    assert path != target
    assert path.resolve().is_relative_to(target)

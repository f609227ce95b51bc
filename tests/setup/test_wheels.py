"""Which wheels a machine needs, and building those that no one publishes."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest
from packaging.tags import parse_tag

from setup.lock import Entry, LockError, Target, parse
from setup.wheels import LOCK, MACHINES, PYTHONS, build_missing, needed, platforms

TARGETS = [Target(machine, python) for machine in MACHINES for python in PYTHONS]


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_each_machine_needs_each_package_once(target: Target) -> None:
    entries = needed(parse(LOCK.read_text()), target)
    names = [e.name for e in entries]
    assert len(set(names)) == len(names)
    assert {"numpy", "onnxruntime", "pytest", "setuptools", "vosk"} <= set(names)
    assert "colorama" not in names
    assert all(e.marker == "" for e in entries)


def test_markers_are_judged_for_the_other_machine_and_not_for_this_one() -> None:
    entries = [Entry("a", "1", "python_full_version < '3.12'", ()),
               Entry("b", "1", "python_version >= '3.13'", ()),
               Entry("c", "1", "platform_machine == 'aarch64'", ()),
               Entry("d", "1", "sys_platform == 'win32'", ())]

    def names(target: Target) -> str:
        return "".join(e.name for e in needed(entries, target))

    assert names(Target("x86_64", "3.11")) == "a"
    assert names(Target("x86_64", "3.13")) == "b"
    assert names(Target("aarch64", "3.12")) == "c"


def test_platforms_are_those_of_the_oldest_supported_system() -> None:
    tags = platforms(Target("aarch64", "3.11"))[1::2]
    assert tags[0] == "manylinux_2_36_aarch64"
    assert {"manylinux_2_28_aarch64", "manylinux2014_aarch64", "any"} <= set(tags)
    assert not [tag for tag in tags if "x86" in tag or "2_37" in tag]


def source_package(folder: Path, setup: str) -> Path:
    """A source package ``tiny-thing`` 1.0 with one module."""
    path = folder / "tiny_thing-1.0.tar.gz"
    files = {"setup.py": setup, "tiny_thing.py": "answer = 42\n",
             "PKG-INFO": "Metadata-Version: 2.1\nName: tiny-thing\nVersion: 1.0\n"}
    with tarfile.open(path, "w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(f"tiny_thing-1.0/{name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def test_a_pure_source_package_becomes_a_wheel_for_any_machine(tmp_path: Path) -> None:
    source = source_package(tmp_path, "from setuptools import setup\n"
                            "setup(name='tiny-thing', version='1.0', py_modules=['tiny_thing'])\n")
    built = build_missing(tmp_path)
    (wheel,) = tmp_path.iterdir()
    assert not source.exists()
    assert {tag.platform for tag in parse_tag(wheel.stem.split("-", 2)[2])} == {"any"}
    assert built == {"tiny-thing": hashlib.sha256(wheel.read_bytes()).hexdigest()}


def test_a_source_package_with_compiled_parts_is_refused(tmp_path: Path) -> None:
    source_package(tmp_path, "from setuptools import setup, Distribution\n"
                   "class Compiled(Distribution):\n"
                   "    def has_ext_modules(self): return True\n"
                   "setup(name='tiny-thing', version='1.0', py_modules=['tiny_thing'],\n"
                   "      distclass=Compiled)\n")
    with pytest.raises(LockError, match="not pure Python"):
        build_missing(tmp_path)

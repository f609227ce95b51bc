"""The lock file, and what an offline folder adds to it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from setup.lock import (
    BUILT,
    TARGET,
    Entry,
    LockError,
    Target,
    digest,
    for_folder,
    parse,
    select,
    with_built,
)

REPOSITORY = Path(__file__).resolve().parent.parent.parent
LOCK = REPOSITORY / "requirements.lock"
SHIPPED = parse(LOCK.read_text())
HERE = Target("aarch64", "3.13")


def test_the_shipped_lock_file_is_read_whole_and_written_as_it_was() -> None:
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith("#")]
    assert "\n".join(map(str, SHIPPED)).splitlines() == lines


def test_every_entry_has_hashes() -> None:
    for entry in SHIPPED:
        assert entry.hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", h) for h in entry.hashes)


def test_the_lock_file_satisfies_every_requirement_of_the_project() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    for requirement in map(Requirement, wanted):
        versions = [e.version for e in SHIPPED if e.name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is not locked: compile requirements.lock again"
        assert all(requirement.specifier.contains(v) for v in versions), requirement


def test_no_registry_is_named_in_the_lock_file() -> None:
    assert "://" not in LOCK.read_text()
    assert "--find-links" not in "\n".join(LOCK.read_text().splitlines()[2:])


def test_what_is_not_understood_is_named_with_its_line() -> None:
    with pytest.raises(LockError, match="line 2: not understood: -e"):
        parse("six==1.0 \\\n-e .\n    --hash=sha256:00\n")


def test_entries_of_some_packages() -> None:
    assert {e.name for e in select(SHIPPED, ["numpy", "rich"])} == {"numpy", "rich"}
    with pytest.raises(LockError, match="not in the lock file: nonsense"):
        select(SHIPPED, ["rich", "nonsense"])


def test_a_built_wheel_is_accepted_besides_the_locked_files() -> None:
    entries = [Entry("srt", "3.5", "", ("sha256:aa",)), Entry("six", "1.0", "", ("sha256:bb",))]
    assert with_built(entries, {"srt": "cc"}) == [
        Entry("srt", "3.5", "", ("sha256:aa", "sha256:cc")), entries[1]]


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    """A lock file, and a folder made from it for ``HERE``."""
    lock, folder = tmp_path / "requirements.lock", tmp_path / "usb"
    lock.write_text("srt==3.5 \\\n    --hash=sha256:aa\n")
    folder.mkdir()
    (folder / BUILT).write_text(json.dumps({"srt": "cc"}))
    (folder / TARGET).write_text(json.dumps(
        {"machine": "aarch64", "python": "3.13", "lock": digest(lock)}))
    return lock, folder


def test_a_folder_made_for_this_machine_is_taken(made: tuple[Path, Path]) -> None:
    assert for_folder(*made, HERE) == [Entry("srt", "3.5", "", ("sha256:aa", "sha256:cc"))]


@pytest.mark.parametrize("other", [Target("x86_64", "3.13"), Target("aarch64", "3.11")])
def test_a_folder_made_for_another_machine_says_how_to_make_the_right_one(
        made: tuple[Path, Path], other: Target) -> None:
    with pytest.raises(LockError) as caught:
        for_folder(*made, other)
    assert "was made for aarch64 and Python 3.13" in str(caught.value)
    assert f"--for {other.machine} --python {other.python}" in str(caught.value)


def test_a_folder_made_from_another_lock_file_is_refused(made: tuple[Path, Path]) -> None:
    lock, folder = made
    lock.write_text(lock.read_text() + "six==1.0 \\\n    --hash=sha256:bb\n")
    with pytest.raises(LockError, match="made for another version of voice-agent"):
        for_folder(lock, folder, HERE)


@pytest.mark.parametrize("damage", [
    lambda folder: (folder / TARGET).unlink(),
    lambda folder: (folder / BUILT).unlink(),
    lambda folder: (folder / TARGET).write_text("{"),
    lambda folder: (folder / TARGET).write_text("[]"),
])
def test_a_half_made_folder_is_refused(made: tuple[Path, Path], damage) -> None:
    damage(made[1])
    with pytest.raises(LockError, match=r"not a folder that \./setup_device\.sh --download made"):
        for_folder(*made, HERE)


def test_errors_of_the_command_are_one_line(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "setup.lock", str(LOCK), "--offline",
                           str(tmp_path)], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1

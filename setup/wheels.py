"""Downloading every wheel of the lock file for some machine, and building those that lack one.

    python -m setup.wheels DIR --for aarch64 --python 3.13

Needs pip, and ``packaging`` and ``setuptools`` of the lock file, in the Python that runs it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from setup.lock import BUILT, TARGET, Entry, LockError, Target, digest, parse

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
WHEELS = "wheels"
GLIBC = 36
"""Minor version of the oldest supported system's C library (Debian 12: 2.36)."""
MACHINES = ("x86_64", "aarch64")
PYTHONS = ("3.11", "3.12", "3.13")


def download(folder: Path, target: Target, lock: Path = LOCK) -> None:
    """Fill ``folder/wheels`` with the wheels that ``target`` needs, and nothing else.

    Raises:
        LockError: pip cannot get a package for that machine, or a source package turns out not to
            be pure Python.
    """
    entries = needed(parse(lock.read_text(encoding="utf-8")), target)
    (folder / TARGET).unlink(missing_ok=True)
    wheels = folder / WHEELS
    wheels.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".wheels-", dir=folder) as work:
        listed = Path(work) / "requirements.txt"
        listed.write_text("\n".join(map(str, entries)), encoding="utf-8")
        fresh = Path(work) / WHEELS
        _pip("download", "--require-hashes", "--requirement", str(listed), "--dest", str(fresh),
             "--find-links", str(wheels), "--python-version", target.python, *platforms(target))
        built = build_missing(fresh)
        shutil.rmtree(wheels)
        fresh.rename(wheels)
    _write(folder / BUILT, built)
    _write(folder / TARGET, {**asdict(target), "lock": digest(lock)})


def needed(entries: Iterable[Entry], target: Target) -> list[Entry]:
    """The entries whose marker holds on ``target``, without their markers."""
    from packaging.markers import Marker

    environment = {
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
        "os_name": "posix", "sys_platform": "linux", "platform_system": "Linux",
        "platform_machine": target.machine, "python_version": target.python,
        "python_full_version": f"{target.python}.0", "extra": "",
    }
    return [Entry(e.name, e.version, "", e.hashes) for e in entries
            if not e.marker or Marker(e.marker).evaluate(environment)]


def platforms(target: Target) -> list[str]:
    """The options that tell pip which platform tags fit, newest C library first."""
    tags = [f"manylinux_2_{minor}_{target.machine}" for minor in range(GLIBC, 16, -1)]
    tags += [f"manylinux2014_{target.machine}", "any"]
    return [option for tag in tags for option in ("--platform", tag)]


def build_missing(wheels: Path) -> dict[str, str]:
    """Turn each source package in a folder into a wheel; SHA-256 of the results by package."""
    built = {}
    for source in [p for p in sorted(wheels.iterdir()) if p.suffix != ".whl"]:
        before = set(wheels.iterdir())
        _pip("wheel", "--no-build-isolation", "--use-pep517", "--wheel-dir", str(wheels),
             str(source))
        for wheel in set(wheels.iterdir()) - before:
            if not wheel.name.endswith("-none-any.whl"):
                raise LockError(f"{source.name} is not pure Python: its wheel {wheel.name} fits "
                                "only this machine")
            name = wheel.name.split("-")[0].replace("_", "-").lower()
            built[name] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        source.unlink()
    return built


def _pip(action: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "pip", action, "--no-deps", "--disable-pip-version-check",
               *arguments]
    if action == "download":
        command += ["--no-build-isolation"]
    if subprocess.run(command, stdin=subprocess.DEVNULL).returncode:
        raise LockError(f"pip {action} failed; the lines above say why. Run the same command again "
                        "to go on")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Download for the machine that the arguments name; returns the exit status."""
    here = Target.here()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--for", dest="machine", choices=MACHINES, default=here.machine)
    parser.add_argument("--python", choices=PYTHONS, default=here.python)
    args = parser.parse_args()
    try:
        args.folder.mkdir(parents=True, exist_ok=True)
        download(args.folder, Target(args.machine, args.python))
    except LockError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"cannot write {args.folder}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

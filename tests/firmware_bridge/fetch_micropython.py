"""Get MicroPython's Unix port, in which the firmware is tested: ``python fetch_micropython.py``.

Where Debian packages it (Trixie on), ``apt-get install micropython`` is enough and this does
nothing. On Bookworm the Trixie package and the libraries it needs are downloaded by apt, with
its own list, state and cache folders so that the system's sources stay as they are, unpacked
into ``build/micropython`` and run by the unpacked loader. Needs no root.
"""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "build" / "micropython"
PACKAGES = ("micropython", "libc6", "libffi8")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class UnavailableError(Exception):
    """MicroPython cannot be had here; the text says why."""


def command() -> list[str]:
    """How to run MicroPython: from the system, or as unpacked here.

    Raises:
        UnavailableError: Neither is there.
    """
    installed = shutil.which("micropython")
    if installed:
        return [installed]
    loaders = sorted(FOLDER.glob("usr/lib*/**/ld-linux*.so.*"))
    binary = FOLDER / "usr/bin/micropython"
    if not loaders or not binary.is_file():
        raise UnavailableError("MicroPython is not installed and not unpacked "
                          "(python tests/firmware_bridge/fetch_micropython.py unpacks it)")
    libraries = sorted({str(lib.parent) for lib in FOLDER.glob("usr/lib/**/*.so*")})
    return [str(loaders[0]), "--library-path", ":".join(libraries), str(binary)]


def fetch() -> None:
    """Download and unpack into ``FOLDER``; whole or not at all.

    Raises:
        UnavailableError: No Debian mirror is configured, or it cannot be reached.
    """
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=FOLDER.parent) as name:
        work = Path(name)
        apt = [*_private_apt(work, _mirror())]
        _run([*apt, "update"], work)
        _run([*apt, "download", *PACKAGES, *_extra_libraries(apt, work)], work)
        target = work / "root"
        for package in sorted(work.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(target)], work)
        if FOLDER.exists():
            shutil.rmtree(FOLDER)
        target.chmod(0o755)
        target.rename(FOLDER)


def _mirror() -> str:
    """The Debian mirror that this system already uses."""
    if platform.system() != "Linux" or not shutil.which("apt-get"):
        raise UnavailableError("no apt here to get MicroPython with; install micropython yourself")
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(RELEASE)"],
        capture_output=True, text=True, check=False).stdout
    for line in listing.splitlines():
        uri, *rest = line.split()
        if "Debian" in rest and not uri.rstrip("/").endswith("-security"):
            return uri
    raise UnavailableError("no Debian mirror in the apt sources to get MicroPython from")


def _private_apt(work: Path, mirror: str) -> list[str]:
    """``apt-get`` that sees Trixie alone, and keeps everything it writes below ``work``."""
    for folder in ("state/lists/partial", "cache/archives/partial", "etc"):
        (work / folder).mkdir(parents=True)
    (work / "state/status").touch()
    sources = work / "etc/sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} trixie main\n")
    options = {"Dir::State": f"{work}/state", "Dir::State::status": f"{work}/state/status",
               "Dir::Cache": f"{work}/cache", "Dir::Etc::sourcelist": str(sources),
               "Dir::Etc::sourceparts": "-", "APT::Sandbox::User": "",
               "Acquire::Languages": "none", "Acquire::Retries": "1",
               "Acquire::http::Timeout": "20"}
    flags = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
    return ["apt-get", "-q", *flags]


def _extra_libraries(apt: list[str], work: Path) -> list[str]:
    """Names of the TLS libraries; their ABI numbers change with every release."""
    shown = _run(["apt-cache", *apt[2:], "depends", "micropython"], work)
    return sorted(set(re.findall(r"Depends: (libmbed\S+)", shown)))


def _run(args: list[str], work: Path) -> str:
    done = subprocess.run(args, cwd=work, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"{args[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def main() -> int:
    """Make MicroPython runnable here; print how to run it."""
    try:
        try:
            args = command()
        except UnavailableError:
            fetch()
            args = command()
        version = subprocess.run([*args, "-c", "import sys; print(sys.version)"],
                                 capture_output=True, text=True, check=True).stdout.strip()
    except (UnavailableError, subprocess.CalledProcessError, OSError) as error:
        print(f"MicroPython cannot be had: {error}", file=sys.stderr)
        return 1
    print(version)
    print(" ".join(args))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

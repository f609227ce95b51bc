"""``setup_device.sh`` in a small checkout of its own: real environment and pip, no network.

The checkout has the real script and ``setup/``. Its lock file holds one package, a build back end
made here; its ``models`` and ``pytest`` write down how they were called. Programs of the operating
system that would change this machine are stood in for by others that write down their arguments.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent.parent
SYSTEMS = "Debian 12 or 13, or Raspberry Pi OS 64-bit, on x86-64 or aarch64"

BACKEND = '''
"""Builds an editable wheel, as setuptools does."""
import os
import zipfile

def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    name = "mini-1.0-py3-none-any.whl"
    info = "mini-1.0.dist-info/"
    with zipfile.ZipFile(wheel_directory + "/" + name, "w") as wheel:
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: mini\\nVersion: 1.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: mini\\n"
                       "Root-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "entry_points.txt", "[console_scripts]\\nvoice-agent = agent:main\\n")
        wheel.writestr("mini.pth", os.getcwd() + "\\n")
        wheel.writestr(info + "RECORD", "")
    return name

build_wheel = build_editable
'''

RECORDER = """
import os, sys

def main():
    with open(os.environ["LOG"], "a") as log:
        print("{name}", *sys.argv[1:], file=log)

if __name__ == "__main__":
    main()
"""


def backend_wheel(folder: Path) -> str:
    """Make the one wheel of the lock file; returns its SHA-256."""
    files = {"mini_backend.py": BACKEND,
             "setuptools-1.0.dist-info/METADATA":
                 "Metadata-Version: 2.1\nName: setuptools\nVersion: 1.0\n",
             "setuptools-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\n"
                 "Root-Is-Purelib: true\nTag: py3-none-any\n"}
    record = []
    path = folder / "setuptools-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
            digest = hashlib.sha256(text.encode()).digest()
            digest64 = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest64},{len(text)}")
        record.append("setuptools-1.0.dist-info/RECORD,,")
        wheel.writestr("setuptools-1.0.dist-info/RECORD", "\n".join(record) + "\n")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass
class Checkout:
    """A small checkout, a folder as ``--download`` makes it, and a system to run in."""

    root: Path
    offline: Path
    programs: Path
    log: Path

    def run(self, *arguments: str, cwd: Path | None = None,
            **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the script without a terminal, on a supported system unless told otherwise."""
        self.log.write_text("")
        path = f"{self.programs}:/usr/bin:/bin"
        base = {"PATH": path, "HOME": str(self.root.parent), "LOG": str(self.log),
                "OS_RELEASE": str(self.programs / "os-release"), "PYTHON": sys.executable,
                "PIP_NO_INDEX": "1", "LANG": "C.UTF-8"}
        return subprocess.run([str(self.root / "setup_device.sh"), *arguments],
                              cwd=cwd or self.root, env={**base, **environment},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def program(self, name: str, script: str = "exit 0") -> None:
        """Put a program before those of the system; it writes down its call first."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$LOG"\n{script}\n')
        path.chmod(0o755)

    def calls(self, program: str) -> list[str]:
        """The arguments of each call of a program during the last run."""
        lines = self.log.read_text().splitlines()
        return [line.removeprefix(program).strip() for line in lines
                if line.split(" ")[0] == program]

    def write_lock(self, digest: str, comment: str = "") -> None:
        """Write the lock file, and the offline folder's description to match."""
        text = f"{comment}setuptools==1.0 \\\n    --hash=sha256:{digest}\n"
        (self.root / "requirements.lock").write_text(text)
        target = {"machine": platform.machine(), "python": "{}.{}".format(*sys.version_info[:2]),
                  "lock": hashlib.sha256(text.encode()).hexdigest()}
        (self.offline / "target.json").write_text(json.dumps(target))


def make_checkout(folder: Path) -> Checkout:
    """Lay out everything but ``.venv``."""
    made = Checkout(folder / "checkout", folder / "offline", folder / "bin", folder / "log")
    (made.offline / "wheels").mkdir(parents=True)
    made.programs.mkdir()
    shutil.copytree(REPOSITORY / "setup", made.root / "setup",
                    ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "setup_device.sh", made.root)
    (made.root / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "mini_backend"\n'
        '[project]\nname = "mini"\nversion = "1.0"\n')
    for name in ("models", "pytest", "agent"):
        (made.root / f"{name}.py").write_text(RECORDER.replace("{name}", name))
    (made.offline / "built.json").write_text("{}")
    made.write_lock(backend_wheel(made.offline / "wheels"))
    os_release(made, ID="debian", VERSION_ID="12", PRETTY_NAME="Debian GNU/Linux 12 (bookworm)")
    made.program("uname", f'[ "$1" = -m ] && echo {platform.machine()} || echo Linux')
    made.program("ldconfig", 'echo "libportaudio.so.2 => /usr/lib/libportaudio.so.2"')
    for name in ("flite", "espeak-ng", "apt-get", "sudo"):
        made.program(name)
    return made


def os_release(checkout: Checkout, **values: str) -> None:
    text = "".join(f'{key}="{value}"\n' for key, value in values.items())
    (checkout.programs / "os-release").write_text(text)


@pytest.fixture
def bare(tmp_path: Path) -> Checkout:
    """A checkout in which nothing is set up."""
    return make_checkout(tmp_path)


@pytest.fixture(scope="module")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that was set up from its offline folder."""
    made = make_checkout(tmp_path_factory.mktemp("complete"))
    done = made.run("--offline", str(made.offline))
    assert done.returncode == 0, done.stderr
    return made


def refuses(done: subprocess.CompletedProcess[str], checkout: Checkout) -> str:
    """The one line that a refusal prints; nothing was made."""
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert not (checkout.root / ".venv").exists()
    return done.stderr.strip()


# ---- the system -------------------------------------------------------------------------------


def test_help_says_what_each_command_does(bare: Checkout) -> None:
    done = bare.run("--help", OS_RELEASE="/nonexistent")
    assert done.returncode == 0
    assert all(word in done.stdout for word in ("run", "test", "service", "--download DIR",
                                                "--offline DIR"))


@pytest.mark.parametrize(("release", "system", "machine"), [
    ({"ID": "ubuntu", "VERSION_ID": "24.04", "PRETTY_NAME": "Ubuntu 24.04 LTS"}, "Linux", "x86_64"),
    ({"ID": "debian", "VERSION_ID": "11", "PRETTY_NAME": "Debian 11"}, "Linux", "x86_64"),
    ({"ID": "debian", "PRETTY_NAME": "Debian sid"}, "Linux", "x86_64"),
    ({"ID": "alpine", "VERSION_ID": "3.20", "PRETTY_NAME": "Alpine 3.20"}, "Linux", "aarch64"),
    ({"ID": "raspbian", "VERSION_ID": "12", "PRETTY_NAME": "Raspbian 12"}, "Linux", "armv7l"),
    ({"ID": "debian", "VERSION_ID": "12", "PRETTY_NAME": "Debian 12"}, "Linux", "armv7l"),
    ({"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}, "Linux", "riscv64"),
    ({}, "Darwin", "arm64"),
])
def test_another_system_gets_one_sentence(bare: Checkout, release: dict[str, str], system: str,
                                          machine: str) -> None:
    os_release(bare, **release)
    bare.program("uname", f'[ "$1" = -m ] && echo {machine} || echo {system}')
    name = release.get("PRETTY_NAME", system)
    assert refuses(bare.run("test"), bare) == (
        f"voice-agent runs on {SYSTEMS}; this is {name} on {machine}.")


def test_a_32_bit_system_on_a_64_bit_processor_gets_one_sentence(bare: Checkout) -> None:
    bare.program("uname", '[ "$1" = -m ] && echo aarch64 || echo Linux')
    bare.program("getconf", "echo 32")
    assert "this is a 32-bit Debian GNU/Linux 12" in refuses(bare.run(), bare)


@pytest.mark.parametrize("version", ["12", "13"])
@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_supported_systems_go_on_to_the_environment(bare: Checkout, version: str,
                                                    machine: str) -> None:
    os_release(bare, ID="debian", VERSION_ID=version)
    bare.program("uname", f'[ "$1" = -m ] && echo {machine} || echo Linux')
    bare.program("fake-python", 'case "$*" in *venv*--clear*) exit 3 ;; esac')
    done = bare.run(PYTHON="fake-python")
    assert "could not make .venv" in done.stderr
    assert "voice-agent runs on" not in done.stderr


@pytest.mark.parametrize("arguments", [["frobnicate"], ["--offline"], ["--offline", "/none"],
                                       ["--download"]])
def test_wrong_arguments_are_named(bare: Checkout, arguments: list[str]) -> None:
    refuses(bare.run(*arguments), bare)


def test_an_unsuitable_python_is_passed_over(bare: Checkout) -> None:
    bare.program("old-python", "exit 1")
    bare.program("python3", "exit 1")
    bare.program("python3.13", 'case "$*" in *venv*--clear*) exit 3 ;; esac')
    done = bare.run(PYTHON="old-python")
    assert done.stderr.splitlines()[-1] == f"{bare.programs}/python3.13 could not make .venv."


def test_a_folder_for_another_machine_gets_one_sentence(bare: Checkout) -> None:
    target = json.loads((bare.offline / "target.json").read_text())
    (bare.offline / "target.json").write_text(json.dumps({**target, "machine": "riscv64"}))
    done = bare.run("--offline", str(bare.offline))
    assert "was made for riscv64" in refuses(done, bare)


# ---- setting up -------------------------------------------------------------------------------


def test_set_up_without_a_network_gives_the_command(complete: Checkout) -> None:
    assert (complete.root / ".venv/bin/voice-agent").exists()
    assert not (complete.root / ".venv/tmp").exists()
    assert (complete.root / ".venv/.setup-complete").read_text()


def test_a_second_run_takes_seconds_and_installs_nothing(complete: Checkout) -> None:
    pip = complete.root / ".venv/bin/pip"
    before = pip.stat().st_mtime_ns
    began = time.monotonic()
    done = complete.run()
    assert done.returncode == 0
    assert time.monotonic() - began < 5
    assert "Making" not in done.stderr
    assert "Installing" not in done.stderr
    assert pip.stat().st_mtime_ns == before
    assert complete.calls("apt-get") == []
    assert complete.calls("models") == ["fetch --set run"]


def test_test_fetches_the_tests_models_and_passes_arguments_on(complete: Checkout) -> None:
    done = complete.run("test", "-k", "wake word", "-x")
    assert done.returncode == 0, done.stderr
    assert complete.calls("models") == ["fetch --set test"]
    assert complete.calls("pytest") == ["-k wake word -x"]


def test_run_holds_the_recorded_conversation(complete: Checkout) -> None:
    assert complete.run("run", "--fast").returncode == 0
    assert complete.calls("models") == ["fetch --set run"]
    assert complete.calls("agent") == ["emulate scenes/meg.toml --fast"]


@pytest.mark.parametrize("arguments", [["--offline", "offline", "test"],
                                       ["test", "--offline", "offline"]])
def test_the_offline_folder_is_relative_to_the_caller(complete: Checkout,
                                                      arguments: list[str]) -> None:
    assert complete.run(*arguments, cwd=complete.root.parent).returncode == 0
    assert complete.calls("models") == [f"fetch --set test --offline {complete.offline}"]


def test_a_missing_model_stops_before_the_tests(complete: Checkout) -> None:
    models = complete.root / "models.py"
    kept = models.read_text()
    models.write_text("import sys\nprint('silero-vad: no room', file=sys.stderr)\nsys.exit(1)\n")
    done = complete.run("test")
    models.write_text(kept)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "silero-vad: no room"
    assert complete.calls("pytest") == []


def test_a_new_lock_file_brings_the_environment_up_to_date(complete: Checkout) -> None:
    lock = (complete.root / "requirements.lock").read_text()
    complete.write_lock(lock.split("sha256:")[1].strip(), comment="# newer\n")
    done = complete.run("--offline", str(complete.offline))
    assert done.returncode == 0, done.stderr
    assert "Making .venv" not in done.stderr
    assert "Installing the Python packages" in done.stderr
    assert "Installing" not in complete.run().stderr


def test_a_refused_wheel_leaves_an_unfinished_environment_that_is_made_anew(
        complete: Checkout) -> None:
    lock, stamp = complete.root / "requirements.lock", complete.root / ".venv/.setup-complete"
    kept = lock.read_text()
    subprocess.run([str(complete.root / ".venv/bin/python"), "-m", "pip", "uninstall", "--quiet",
                    "--yes", "setuptools"], check=True)
    complete.write_lock("0" * 64)
    done = complete.run("--offline", str(complete.offline))
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert "run the same command again" in done.stderr.splitlines()[-1]
    assert not stamp.exists()
    complete.write_lock(kept.split("sha256:")[1].strip())
    check_that_it_is_made_anew(complete)


def check_that_it_is_made_anew(interrupted: Checkout) -> None:
    (interrupted.root / ".venv/half-made").touch()
    done = interrupted.run("--offline", str(interrupted.offline))
    assert done.returncode == 0, done.stderr
    assert "Making .venv" in done.stderr
    assert not (interrupted.root / ".venv/half-made").exists()
    assert (interrupted.root / ".venv/.setup-complete").exists()


# ---- OS packages ------------------------------------------------------------------------------


@pytest.fixture
def lacking(complete: Checkout) -> Iterator[Checkout]:
    """The complete checkout on a system without flite and the sound library."""
    for name in ("flite", "ldconfig"):
        (complete.programs / name).unlink()
    complete.program("ldconfig", 'echo "libc.so.6"')
    yield complete
    complete.program("flite")
    complete.program("apt-get")
    complete.program("ldconfig", 'echo "libportaudio.so.2"')


needs_root = pytest.mark.skipif(os.getuid() != 0, reason="without root, sudo is asked instead")


def without_flite(checkout: Checkout) -> dict[str, str]:
    """A PATH that has the system's programs but not flite."""
    folder = checkout.programs.parent / "system"
    if not folder.exists():
        folder.mkdir()
        for source in (Path("/usr/bin"), Path("/bin")):
            for program in source.iterdir():
                if program.name not in ("flite", "apt-get", "sudo"):
                    (folder / program.name).unlink(missing_ok=True)
                    (folder / program.name).symlink_to(program)
    return {"PATH": f"{checkout.programs}:{folder}"}


@needs_root
def test_only_the_missing_packages_are_installed(lacking: Checkout) -> None:
    done = lacking.run(**without_flite(lacking))
    assert done.returncode == 0
    assert "OS packages missing: libportaudio2 flite. Installing them with apt." in done.stderr
    (call,) = lacking.calls("apt-get")
    assert call.startswith("install ")
    assert call.endswith(" libportaudio2 flite")
    assert lacking.calls("sudo") == []


@needs_root
def test_the_package_list_is_refreshed_only_when_that_is_needed(lacking: Checkout) -> None:
    lacking.program("apt-get", 'case "$1" in update) touch "$LOG.new" ;; '
                    'install) [ -e "$LOG.new" ] ;; esac')
    done = lacking.run(**without_flite(lacking))
    assert done.returncode == 0
    assert [call.split()[0] for call in lacking.calls("apt-get")] == ["install", "update",
                                                                      "install"]
    assert "Going on without" not in done.stderr


@needs_root
def test_without_apt_s_help_useful_packages_are_done_without(lacking: Checkout) -> None:
    lacking.program("apt-get", "exit 100")
    done = lacking.run("--offline", str(lacking.offline), **without_flite(lacking))
    assert done.returncode == 0
    assert "Going on without libportaudio2 flite" in done.stderr
    assert "as root: apt-get install libportaudio2 flite" in done.stderr
    assert [call.split()[0] for call in lacking.calls("apt-get")] == ["install"]


@needs_root
def test_a_python_without_environments_needs_its_package(bare: Checkout) -> None:
    bare.program("apt-get", "exit 100")
    bare.program("bare-python", f'case "$*" in *ensurepip*) exit 1 ;; esac\n'
                 f'exec {sys.executable} "$@"')
    done = bare.run(PYTHON="bare-python")
    package = "python{}.{}-venv".format(*sys.version_info)
    assert done.returncode == 1
    assert f"OS packages missing: {package}." in done.stderr
    assert done.stderr.splitlines()[-1] == (f"The OS packages {package} are needed and could not be"
                                            f" installed; as root, run: apt-get install {package}")
    assert not (bare.root / ".venv").exists()


def test_the_scripts_pass_shellcheck() -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    scripts = [REPOSITORY / "setup_device.sh", *(REPOSITORY / ".ci").iterdir()]
    done = subprocess.run(["shellcheck", *map(str, scripts)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

"""The systemd user unit, with programs that stand in for systemctl and loginctl."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from setup.service import NAME, ServiceError, install, main, unit_path, unit_text


def parsed(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    return unit


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log of the calls of systemctl and loginctl; FAIL names a call that fails."""
    log, programs = tmp_path / "log", tmp_path / "bin"
    programs.mkdir()
    for name in ("systemctl", "loginctl"):
        program = programs / name
        program.write_text(f"""#!/bin/sh
echo "{name} $*" >>{log}
case "$FAIL" in "{name} $*") echo "no such luck" >&2; exit 1 ;; esac
""")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "someone")
    monkeypatch.setenv("LOGNAME", "someone")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.delenv("VOICE_AGENT_MODELS", raising=False)
    monkeypatch.setenv("FAIL", "")
    return log


def test_the_unit_starts_the_agent_of_this_checkout_at_boot(commands: Path,
                                                            tmp_path: Path) -> None:
    said = install(tmp_path / "checkout")
    unit = parsed((tmp_path / ".config/systemd/user" / NAME).read_text())
    assert unit["Service"]["ExecStart"] == f'"{tmp_path}/checkout/.venv/bin/voice-agent" run'
    assert unit["Service"]["Restart"] == "on-failure"
    assert unit["Install"]["WantedBy"] == "default.target"
    assert commands.read_text().splitlines() == [
        "systemctl --user show-environment", "systemctl --user daemon-reload",
        f"systemctl --user enable {NAME}", f"systemctl --user restart {NAME}",
        "loginctl enable-linger someone"]
    assert "It starts at every boot." in said


def test_installing_twice_gives_the_same_unit(commands: Path, tmp_path: Path) -> None:
    install(tmp_path)
    first = unit_path().read_text()
    install(tmp_path)
    assert unit_path().read_text() == first
    assert [p.name for p in unit_path().parent.iterdir()] == [NAME]


def test_nothing_heard_reaches_a_core_dump_or_a_readable_file(tmp_path: Path) -> None:
    service = parsed(unit_text(tmp_path, None))["Service"]
    assert service["LimitCORE"] == "0"
    assert service["UMask"] == "0077"
    assert service["NoNewPrivileges"] == "yes"


def test_special_characters_in_paths_are_escaped() -> None:
    unit = parsed(unit_text(Path('/home/a b/100%/$x/"y"'), "/media/100%"))["Service"]
    assert unit["ExecStart"] == r'"/home/a b/100%%/$$x/\"y\"/.venv/bin/voice-agent" run'
    assert unit["Environment"] == '"VOICE_AGENT_MODELS=/media/100%%"'


def test_without_systemd_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert main() == 1
    said = capsys.readouterr().err
    assert said.startswith("This system has no systemd, so no service was installed; ")
    assert said.rstrip().endswith(".venv/bin/voice-agent run")
    assert not (tmp_path / "config").exists()


def test_without_a_user_manager_nothing_is_written(commands: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "systemctl --user show-environment")
    with pytest.raises(ServiceError, match=r"cannot be reached \(no such luck\)"):
        install(Path("/checkout"))
    assert not unit_path().exists()


def test_a_refusal_of_systemd_is_told(commands: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", f"systemctl --user enable {NAME}")
    with pytest.raises(ServiceError, match=rf"systemctl --user enable {NAME} failed: no such luck"):
        install(Path("/checkout"))


def test_without_lingering_it_is_told_how_to_get_it(commands: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIL", "loginctl enable-linger someone")
    assert ("It starts when someone logs in; at boot too after: sudo loginctl enable-linger someone"
            in install(Path("/checkout")))


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    agent = tmp_path / "check out" / ".venv" / "bin" / "voice-agent"
    agent.parent.mkdir(parents=True)
    agent.write_text("#!/bin/sh\n")
    agent.chmod(0o755)
    (tmp_path / NAME).write_text(unit_text(tmp_path / "check out", str(tmp_path)))
    done = subprocess.run(["systemd-analyze", "--user", "verify", str(tmp_path / NAME)],
                          env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")

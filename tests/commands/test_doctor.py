"""``voice-agent doctor``: every finding, how to mend it, and an exit code that tells."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

import agent.diagnosis
from agent.cli import main
from agent.config import Config
from agent.diagnosis import Finding, examine
from agent.errors import AgentError
from agent.sync.household.file import HouseholdFile
from agent.sync.household.membership import create
from agent.sync.status import Status, path_of

Lines = list[dict[str, str]]


def findings(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Lines]:
    code = main(["doctor", "--json", *arguments])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def of(lines: Lines, subject: str) -> Lines:
    return [line for line in lines if line["subject"] == subject]


def test_json_has_one_finding_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = findings(capsys)
    assert all(set(line) == {"subject", "level", "what", "mend"} for line in lines)
    assert {line["level"] for line in lines} <= {"ok", "note", "problem"}
    assert code == any(line["level"] == "problem" for line in lines)
    for subject in ("python", "package", "disk", "clock", "names"):
        assert of(lines, subject), f"nothing about {subject}"


def test_every_problem_says_how_to_mend_it(capsys: pytest.CaptureFixture[str],
                                           tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[audio]\ninput = 'a microphone that nobody has'\n"
                      "[bridge]\nkind = 'serial'\nport = '/dev/none'\n"
                      "[dialogue]\ncontacts = '/none.vcf'\n")
    code, lines = findings(capsys, "--config", str(config))
    assert code == 1
    problems = [line for line in lines if line["level"] == "problem"]
    assert all(line["mend"] for line in problems), problems
    text = json.dumps(problems)
    assert "a microphone that nobody has" in text or "no microphone was found" in text
    assert "/dev/none" in text
    assert "/none.vcf" in text


def test_one_check_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise AgentError("no recogniser is installed", "run ./setup_device.sh")

    monkeypatch.setattr("agent.asr.factory.choose", fail)
    found = list(examine(Config()))
    assert any(f.what == "no recogniser is installed" and f.level == "problem" for f in found)
    assert any(f.subject == "clock" for f in found)


def test_an_unforeseen_failure_of_a_check_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("driver")

    monkeypatch.setattr("agent.audio.devices.find", fail)
    found = list(examine(Config()))
    assert any(f.level == "problem" and "RuntimeError" in f.what for f in found)
    assert any(f.subject == "clock" for f in found)


def test_a_clock_before_the_agent_was_made_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 3600.0)
    assert [f.level for f in examine(Config()) if f.subject == "clock"] == ["problem"]


def test_a_missing_package_and_an_old_python_are_problems(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.diagnosis, "PACKAGES", ("no-such-package",))
    monkeypatch.setattr(agent.diagnosis.sys, "version_info", (3, 9, 0))
    found = [f for f in examine(Config()) if f.subject in ("python", "package")]
    assert [(f.subject, f.level) for f in found] == [("python", "problem"),
                                                     ("package", "problem")]


def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(agent.diagnosis.shutil, "disk_usage", lambda place: usage)
    levels = {f.level for f in examine(Config()) if f.subject == "disk"}
    assert levels == {"problem"}


def test_without_problems_the_exit_code_is_0(monkeypatch: pytest.MonkeyPatch,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(agent.diagnosis, "examine", lambda config: iter([
        Finding("clock", "ok", "right"), Finding("names", "note", "samples", "use your own")]))
    assert main(["doctor"]) == 0
    page = capsys.readouterr().out
    assert "✓ clock" in page
    assert "→ use your own" in page


def test_a_settings_file_with_a_mistake_is_named(capsys: pytest.CaptureFixture[str],
                                                 tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[audio]\nimput = 1\n")
    assert main(["doctor", "--config", str(config)]) == 1
    assert f"{config}, line 2: audio.imput" in capsys.readouterr().err


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings and no state of the user who runs the tests."""
    monkeypatch.delenv("VOICE_AGENT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("VOICE_AGENT_MODELS", os.environ.get("VOICE_AGENT_MODELS", ""))
    if not os.environ["VOICE_AGENT_MODELS"]:
        monkeypatch.delenv("VOICE_AGENT_MODELS")


def test_a_household_that_is_missing_or_in_trouble_is_a_problem(tmp_path: Path) -> None:
    config = Config()
    config = replace(config, sync=replace(config.sync, enabled=True),
                     store=replace(config.store, directory=tmp_path))
    assert [f.level for f in about(config, "household")] == ["problem"]
    HouseholdFile(tmp_path).create(create("Elm Street", "kitchen", 500_000))
    assert [f.what for f in about(config, "household")] == ["1 device"]
    status = Status(path_of(tmp_path))
    status.trouble("unreachable", AgentError("the table cannot be reached", "wait"))
    assert [(f.level, f.mend) for f in about(config, "cloud table")] == [("problem", "wait")]
    path_of(tmp_path).unlink()


def about(config: Config, subject: str) -> list[Finding]:
    return [finding for finding in examine(config) if finding.subject == subject]

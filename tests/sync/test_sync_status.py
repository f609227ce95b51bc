"""The status file and the command that reads it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.commands import sync as command
from agent.sync import status
from agent.sync.diagnosis import fault
from agent.sync.faults import Kind


@pytest.fixture
def enabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file with sync on, and no agent that runs."""
    config = tmp_path / "config.toml"
    config.write_text(f"[sync]\nenabled = true\n[store]\ndirectory = '{tmp_path / 'store'}'\n")
    (tmp_path / "store").mkdir()
    monkeypatch.setenv("VOICE_AGENT_CONFIG", str(config))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return status.path_of(tmp_path / "store")


def test_the_command_tells_what_is_wrong_and_how_to_mend_it(
        enabled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = status.Status(enabled)
    kept.add(sent=3)
    for _ in range(5):
        kept.trouble("expired", fault(Kind.EXPIRED, "ExpiredTokenException"))
    kept.set_aside("0123456789abcdefghij", "too large")
    assert _run(["status"]) == 1
    shown = capsys.readouterr().out
    assert shown.count("have expired") == 1 and "renew them" in shown and "5 attempts" in shown
    assert "0123456789abcdef…: too large" in shown and "sent        3" in shown
    assert _run(["status", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["report"]["troubles"][0]["count"] == 5
    kept.well()
    kept.taken_up("0123456789abcdefghij")
    kept.update(state="idle")
    assert _run(["status"]) == 0
    assert "was wrong" in capsys.readouterr().out


def test_without_an_agent_there_is_nothing_to_show(
        enabled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(["status"]) == 0
    assert "no running agent" in capsys.readouterr().out
    assert _run(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"enabled": True, "report": None}


def test_the_newest_of_several_places_is_shown(enabled: Path, tmp_path: Path) -> None:
    """As of a service without a runtime folder, and of a login that has one."""
    beside = tmp_path / "store" / status.BESIDE
    status.Status(enabled, now=lambda: 1000.0).update(sent=1)
    status.Status(beside, now=lambda: 2000.0).update(sent=2)
    found = status.find(tmp_path / "store")
    assert found and found.sent == 2
    status.Status(enabled, now=lambda: 3000.0).update(sent=3)
    found = status.find(tmp_path / "store")
    assert found and found.sent == 3


@pytest.mark.parametrize("content", ["", "[]", "{", "{\"troubles\": 3}", "\x00", "null",
                                     "{\"troubles\": [{\"kind\": 1}]}"])
def test_a_status_file_that_is_broken_is_none(enabled: Path, content: str) -> None:
    enabled.write_text(content)
    assert status.read(enabled) is None


def _run(arguments: list[str]) -> int:
    import argparse
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(arguments))



"""``voice-agent privacy`` and ``voice-agent key``, as a person uses them."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.cli import main
from agent.store import NewItem, interactions
from agent.store.clock import SystemClock

SECRET = "call Meg Bauer"


@dataclasses.dataclass
class Shell:
    """Runs the commands on one settings file, in this process."""

    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str, code: int = 0, **environ: str) -> Any:
        for name, value in environ.items():
            self.patch.setenv(name, value)
        self.patch.setattr(sys, "stdin", io.StringIO())
        try:
            found = main(arguments)
        except SystemExit as ended:
            found = int(ended.code or 0)
        shown = self.capture.readouterr()
        assert found == code, (arguments, shown)
        return shown


@pytest.fixture
def shell(tmp_path: Path, memory: Path, capsys: pytest.CaptureFixture[str],
          monkeypatch: pytest.MonkeyPatch) -> Shell:
    config = tmp_path / "config.toml"
    config.write_text(f'[store]\ndirectory = "{tmp_path / "state"}"\n'
                      "[store.retention]\nsaid_s = 120\n")
    monkeypatch.setenv("VOICE_AGENT_CONFIG", str(config))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(memory))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    return Shell(capsys, monkeypatch)


@pytest.fixture
def filled(shell: Shell, place: Any) -> Any:
    """A store with a turn and a list in it, on the real clock."""
    with place.open(clock=SystemClock()) as session:
        interactions.append(session, "d1", 0, "wake utterance expect-speech",
                            [NewItem("said", SECRET), NewItem("screen", "Meg Bauer\nMeg Jones")])
    return place


def test_nothing_is_stored_and_nothing_is_made_by_looking(shell: Shell, tmp_path: Path) -> None:
    assert "nothing is stored" in shell("privacy").out
    assert json.loads(shell("privacy", "--json").out) == {"kinds": []}
    assert "none yet" in shell("key", "status").out
    assert not (tmp_path / "state").exists()


def test_counts_ages_and_sizes_without_a_text(shell: Shell, filled: Any) -> None:
    shown = shell("privacy").out
    assert "said" in shown and "screen" in shown and "interaction" in shown
    assert "Bauer" not in shown
    table = json.loads(shell("privacy", "--json").out)
    counts = {kind["kind"]: kind["count"] for kind in table["kinds"]}
    assert counts == {"interaction": 1, "said": 1, "screen": 1}
    assert table["epoch_keys"] == 1 and "texts" not in table


def test_texts_only_when_asked_for(shell: Shell, filled: Any) -> None:
    assert f"said: {SECRET}" in shell("privacy", "--reveal").out
    table = json.loads(shell("privacy", "--reveal", "--json").out)
    assert table["texts"][0]["texts"][0] == {"kind": "said", "text": SECRET}


def test_export_writes_a_private_file_and_never_over_another(shell: Shell, filled: Any,
                                                             tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    shell("privacy", "export", str(path))
    assert path.stat().st_mode & 0o777 == 0o600
    found = json.loads(path.read_text())
    assert found["interactions"][0]["texts"][0]["text"] == SECRET
    assert "exists" in shell("privacy", "export", str(path), code=1).err
    assert "FILE" in shell("privacy", "export", code=1).err


def test_erase_needs_a_yes_and_leaves_nothing(shell: Shell, filled: Any, memory: Path) -> None:
    key = filled.settings.key_path.read_bytes()
    assert "--yes" in shell("privacy", "erase", code=1).err
    assert SECRET in shell("privacy", "--reveal").out
    shell("privacy", "erase", "--yes")
    assert json.loads(shell("privacy", "--json").out)["kinds"] == []
    assert not list(memory.rglob("*.key")) and filled.settings.key_path.read_bytes() != key


def test_erase_replaces_a_store_that_cannot_be_read(shell: Shell, filled: Any) -> None:
    data = bytearray(filled.path.read_bytes())
    data[100] ^= 1
    filled.path.write_bytes(bytes(data))
    assert "damaged" in shell("privacy", code=1).err
    assert shell("key", "status", code=1).out.count("damaged") == 1
    shell("privacy", "erase", "--yes")
    assert json.loads(shell("privacy", "--json").out)["kinds"] == []


def test_erase_does_not_touch_a_foreign_file(shell: Shell, filled: Any) -> None:
    filled.path.write_bytes(b"SQLite format 3\0" + bytes(4080))
    assert "not made by this agent" in shell("privacy", "erase", "--yes", code=1).err
    assert filled.path.read_bytes().startswith(b"SQLite format 3\0")


def test_retention_shows_the_settings_in_force(shell: Shell) -> None:
    assert "said_s = 120.0" in shell("privacy", "retention").out
    assert json.loads(shell("privacy", "retention", "--json").out)["said_s"] == 120.0


def test_key_status_and_rotation(shell: Shell, filled: Any) -> None:
    before = filled.settings.key_path.read_bytes()
    status = json.loads(shell("key", "status", "--json").out)
    assert (status["origin"], status["store"], status["slots"]) == ("file", "open", 1)
    shell("key", "rotate")
    assert filled.settings.key_path.read_bytes() != before
    assert SECRET in shell("privacy", "--reveal").out


def test_rotation_says_what_is_missing(shell: Shell, place: Any, tmp_path: Path) -> None:
    assert "no context store" in shell("key", "rotate", code=1).err
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "voice-agent.root").write_bytes(bytes(32))
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    with place.open(environ={**place.environ, **environ}):
        pass
    assert "voice-agent.root-next" in shell("key", "rotate", code=1, **environ).err


@pytest.mark.parametrize(("arguments", "code"), [
    (("privacy", "show", "file"), 1), (("privacy", "explode"), 2), (("key",), 2),
    (("key", "explode"), 2)])
def test_bad_arguments_are_refused(shell: Shell, arguments: tuple[str, ...], code: int) -> None:
    assert shell(*arguments, code=code).err


def test_a_key_file_with_wide_rights_is_named_with_the_mend(shell: Shell, filled: Any) -> None:
    filled.settings.key_path.chmod(0o644)
    assert "chmod 600" in shell("privacy", code=1).err

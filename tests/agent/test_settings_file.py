"""The settings file: what is wrong in it is named by key and line, and every key is documented."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest

from agent.cli import main
from agent.commands.settings import template
from agent.config import Config, default_path, load
from agent.errors import AgentError
from agent.settings import documented

KEYS = list(documented(Config))


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("text", "message"), [
    ("[audio]\n\nimput = 'usb'\n", "line 3: audio.imput: unknown setting\n  known here: .*input"),
    ("[audoi]\n", "line 1: audoi: unknown setting"),
    ("wake = 'alexa'\n", "line 1: wake: must be a table, not a text"),
    ("[wake]\nword = 3\n", "line 2: wake.word: must be a text, not a whole number"),
    ("[wake]\nconfirm = 'yes'\n", "line 2: wake.confirm: must be true or false, not a text"),
    ("[asr]\nbeam = 1.5\n", "line 2: asr.beam: must be a whole number, not a number"),
    ("[asr]\nengine = 'siri'\n", "line 2: asr.engine: 'siri' is not one of 'auto'"),
    ("[endpoint]\nthreshold = 2.0\n", "line 2: endpoint.threshold: 2.0 is above the largest"),
    ("[endpoint]\n# threshold = 1\npause = -1\n", "line 3: endpoint.pause: -1.0 is below"),
    ("[commands]\ncall = 'dial'\n", "line 2: commands.call: must be a list, not a text"),
    ("[commands]\ncall = ['dial', 1]\n", "line 2: commands.call: must be a text"),
    ("[store.retention]\nsaid_s = 'long'\n", "line 2: store.retention.said_s: must be a number"),
    ("[wake]\n'word' = true\n", "line 2: wake.word: must be a text, not true or false"),
    ("[log]\nlevel = 'loud'\n", "line 2: log.level: 'loud' is not one of"),
    ("[wake\n", "not valid TOML: .*line 1"),
])
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(AgentError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AgentError, match="cannot read settings"):
        load(path)


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="there is no settings file"):
        load(tmp_path / "none.toml")


def test_without_a_file_all_is_as_documented(monkeypatch: pytest.MonkeyPatch,
                                             tmp_path: Path) -> None:
    monkeypatch.delenv("VOICE_AGENT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert default_path() == tmp_path / "voice-agent" / "config.toml"
    assert load() == Config()


def test_values_of_the_file_are_taken(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[wake]\nword = 'okay nabu'\n[endpoint]\npause = 1\n"
                                    "[dialogue]\ncontacts = '~/book.vcf'\nplaces = ''\n"))
    assert config.wake.word == "okay nabu"
    assert config.endpoint.pause == 1.0
    assert config.dialogue.contacts == Path("~/book.vcf").expanduser()
    assert config.dialogue.places is None, "an empty text says that nothing is given"


@pytest.mark.parametrize("entry", KEYS, ids=lambda entry: entry.key)
def test_every_key_says_what_it_is_for(entry: object) -> None:
    doc = getattr(entry, "doc")  # noqa: B009
    assert len(doc.split()) >= 3


def test_the_page_taken_out_of_its_comments_is_the_defaults(tmp_path: Path) -> None:
    lines = [re.sub(r"^#(?=[a-z_]+ = )", "", line) for line in template()]
    settings = [line for line in lines if re.match(r"[a-z_]+ = ", line)]
    assert len(settings) == len(KEYS)
    assert load(written(tmp_path, "\n".join(lines))) == Config()


def test_the_page_as_it_is_changes_nothing(tmp_path: Path) -> None:
    assert load(written(tmp_path, "\n".join(template()))) == Config()


def test_the_page_is_written_for_its_owner_and_never_over_a_file(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "config.toml"
    assert main(["settings", "--write", str(path)]) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("[wake]\nword = 'mine'\n")
    assert main(["settings", "--write", str(path)]) == 1
    assert "exists and is left as it is" in capsys.readouterr().err
    assert path.read_text() == "[wake]\nword = 'mine'\n"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert main(["settings", "--write", str(tmp_path / "config.toml")]) == 1
    assert not (tmp_path / "config.toml").exists()


def test_a_file_in_the_way_of_the_folder_is_an_error(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["settings", "--write", str(tmp_path / "file" / "config.toml")]) == 1
    assert "cannot write" in capsys.readouterr().err


def test_settings_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--json"]) == 0
    captured = capsys.readouterr()
    rows = [json.loads(line) for line in captured.out.splitlines()]
    assert [row["key"] for row in rows] == [entry.key for entry in KEYS]
    assert all(set(row) == {"key", "type", "default", "doc"} for row in rows)
    assert captured.err == ""

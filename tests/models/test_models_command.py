"""``voice-agent models``: what is printed, and the exit status."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

import models
from agent.commands import models as command
from agent.errors import AgentError
from models.catalogue import Publisher, catalogue
from models.progress import for_terminal
from tests.models.archives import FILES, UseCatalogue, model_of, zipped
from tests.models.publisher import Site


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(arguments))


@pytest.fixture
def folder(tmp_path: Path, use_catalogue: UseCatalogue) -> Path:
    """Two archives, of models ``wanted`` (a closed site) and ``plain``, its stand-in."""
    content = zipped(FILES)
    closed = Publisher("http://127.0.0.1:9/x.zip")
    wanted = replace(model_of(content, closed, name="wanted", file="wanted.zip"), stand_in="plain")
    plain = model_of(content, closed, name="plain", file="plain.zip")
    use_catalogue([wanted, plain])
    (tmp_path / "wanted.zip").write_bytes(content)
    (tmp_path / "plain.zip").write_bytes(content)
    return tmp_path


def test_list_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    printed = capsys.readouterr().out
    assert all(m.name in printed and m.licence in printed for m in catalogue())


def test_list_as_json_is_one_object_a_line(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.fetch(["plain"], offline=folder)
    assert run("list", "--json") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["name"], line["installed"]) for line in lines] == [
        ("wanted", False), ("plain", True)]
    assert Path(lines[1]["path"]) == models.locate("plain")
    assert lines[0]["path"] is None


def test_fetch_takes_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("fetch", "plain", "--offline", str(folder)) == 0
    assert capsys.readouterr().out == "plain: ok\n"
    assert models.installed("plain")
    assert not models.installed("wanted")


def test_fetch_without_names_is_an_error() -> None:
    with pytest.raises(AgentError, match="no model was named"):
        run("fetch")


def test_fetch_of_an_unknown_name_is_an_error() -> None:
    with pytest.raises(AgentError, match="no model named 'nonsense'"):
        run("fetch", "nonsense")


def test_a_set_is_complete_where_a_stand_in_is_installed(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wanted.zip").unlink()
    assert run("fetch", "--set", "run", "--offline", str(folder)) == 0
    said = capsys.readouterr().err
    assert "wanted.zip is not in" in said
    assert "; plain stands in; try again with: voice-agent models fetch wanted" in said


def test_a_set_is_not_complete_without_the_stand_in(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "wanted.zip").unlink()
    (folder / "plain.zip").unlink()
    assert run("fetch", "--set", "run", "--offline", str(folder)) == 1


def test_a_model_asked_for_by_name_must_come_itself(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.fetch(["plain"], offline=folder)
    assert run("fetch", "wanted", "--json") == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["ok"] is False
    assert "127.0.0.1 cannot be reached" in err


def test_verify_names_the_damaged_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    models.fetch(["plain", "wanted"], offline=folder)
    assert run("verify") == 0
    capsys.readouterr()
    path = models.locate("plain") / "conf" / "mfcc.conf"
    path.write_bytes(path.read_bytes().replace(b"40", b"41"))
    assert run("verify") == 1
    out, err = capsys.readouterr()
    assert out == "wanted: ok\n"
    assert f"{path} is damaged" in err


def test_verify_of_a_model_that_is_not_there_fails(
        folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", "plain") == 1
    assert "plain is not installed" in capsys.readouterr().err


def test_save_leaves_out_what_has_a_stand_in(
        folder: Path, site: Site, capsys: pytest.CaptureFixture[str],
        use_catalogue: UseCatalogue) -> None:
    site.content = zipped(FILES)
    wanted, _ = catalogue()
    use_catalogue([wanted, model_of(site.content, Publisher(site.url), name="plain",
                                    file="plain.zip")])
    assert run("save", str(folder / "usb")) == 0
    assert (folder / "usb" / "models" / "plain.zip").read_bytes() == site.content
    assert "left out: wanted: 127.0.0.1 cannot be reached" in capsys.readouterr().err
    assert run("save", str(folder / "usb"), "wanted") == 1


def test_without_a_terminal_a_fetch_reports_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    progress = for_terminal()
    with progress.bar("model.zip", 12_300_000) as advance:
        advance(5)
    assert capsys.readouterr().err == "model.zip (12.3 MB)\n"

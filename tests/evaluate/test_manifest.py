"""Reading manifests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError
from agent.evaluate import manifest
from agent.events import Expectation


def write(folder: Path, *rows: Any, context: Any = None) -> Path:
    path = folder / "anything.jsonl"
    path.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows))
    if context is not None:
        (folder / "context.json").write_text(json.dumps(context))
    return path


def test_a_line_takes_the_context_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", "audio": "clips/a.flac", "text": "Meg"},
                 context={"contacts": ["Meg Bauer"],
                          "previous": [{"speaker": "agent", "text": "Who?"}]})
    line, = manifest.read(path)
    assert line.audio == tmp_path / "clips" / "a.flac"
    assert line.context.contacts == ("Meg Bauer",)
    assert line.context.previous[0].text == "Who?"


def test_its_own_context_replaces_that(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", "audio": "a", "context": {"screen": ["tea"]}},
                 context={"contacts": ["Meg Bauer"]})
    context = manifest.read(path)[0].context
    assert (context.contacts, context.screen) == ((), ("tea",))


def test_null_text_is_not_the_same_as_none_given(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", "audio": "a", "text": None},
                 {"id": "b", "audio": "b", "slots": {"x": "y"}})
    silent, unsaid = manifest.read(path)
    assert silent.has_text
    assert not unsaid.has_text


def test_every_expectation_is_read(tmp_path: Path) -> None:
    rows = [{"id": e.value, "audio": "a", "expects": e.value} for e in Expectation]
    assert [line.expects for line in manifest.read(write(tmp_path, *rows))] == list(Expectation)


@pytest.mark.parametrize(("row", "named"), [
    ("{", "line 2"), ("[]", "line 2"), ({"audio": "a"}, "`id`"), ({"id": "b"}, "`audio`"),
    ({"id": "b", "audio": "a", "text": 3}, "`text`"),
    ({"id": "b", "audio": "a", "slots": ["x"]}, "`slots`"),
    ({"id": "b", "audio": "a", "expects": "poem"}, "poem"),
    ({"id": "b", "audio": "a", "context": []}, "`context`"),
    ({"id": "b", "audio": "a", "context": {"contacts": "Meg"}}, "`contacts`"),
    ({"id": "b", "audio": "a", "context": {"previous": ["hello"]}}, "`previous`"),
    ({"id": "a", "audio": "a"}, "twice")])
def test_a_wrong_line_is_named(tmp_path: Path, row: Any, named: str) -> None:
    path = write(tmp_path, {"id": "a", "audio": "a"}, row)
    with pytest.raises(AgentError, match=named):
        manifest.read(path)


def test_a_missing_or_empty_manifest_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="cannot read"):
        manifest.read(tmp_path / "none.jsonl")
    with pytest.raises(AgentError, match="no recordings"):
        manifest.read(write(tmp_path, ""))

"""The page of what can be said promises nothing that is not understood."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent.dialogue.catalogue import read_home, read_places

DOCS = Path(__file__).parents[2] / "docs"
SAID = re.findall(r"^- `([^`]+)`", (DOCS / "skills.md").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("said", SAID)
def test_what_the_page_says_is_understood(said: str, converse: Any) -> None:
    talk = converse()
    talk.say("set a roast timer for ten minutes")
    talk.say("add oat milk to my shopping list")
    talk.say(said, after_wake=True)
    assert talk.reply.intent != "Unknown"
    assert "I don't know" not in talk.speech


def test_the_page_has_examples_of_everything() -> None:
    assert len(SAID) > 50


@pytest.mark.parametrize(("name", "read"), [("area", read_home), ("place", read_places)])
def test_the_examples_of_catalogues_can_be_read(name: str, read: Any, tmp_path: Path) -> None:
    page = (DOCS / "catalogues.md").read_text(encoding="utf-8")
    [example] = [block for block in re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
                 if f"[[{name}]]" in block]
    tomllib.loads(example)
    file = tmp_path / "example.toml"
    file.write_text(example, encoding="utf-8")
    assert read(file)

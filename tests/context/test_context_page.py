"""The page on context: its signal works as written, and its tables are complete."""

from __future__ import annotations

import argparse
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.commands import experiment
from agent.context import TurnContext, signals

PAGE = (Path(__file__).parents[2] / "docs" / "context.md").read_text(encoding="utf-8")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: Any) -> str:
    """The page's signal, installed as the page says; its code."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "daytime.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    points = tomllib.loads(toml)["project"]["entry-points"][signals.GROUP]
    metadata = tmp_path / "daytime-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: daytime\nVersion: 1.0\n")
    lines = [f"[{signals.GROUP}]", *(f"{name} = {target}" for name, target in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    return str(code)


def test_the_signal_of_the_page_works_and_is_short(installed: str) -> None:
    assert len(installed.splitlines()) < 30
    loaded = signals.load()
    assert "daytime" in [signal.name for signal in loaded]
    reading = signals.read(loaded, TurnContext())
    assert not reading.failed
    assert reading.user in ("in the morning, breakfast", "late in the evening, drinks", "")


def test_the_page_s_command_measures_it(installed: str, tmp_path: Path,
                                         model_path: Callable[[str], Path],
                                         capsys: pytest.CaptureFixture[str]) -> None:
    model_path("context-encoder")
    command = next(line for line in PAGE.splitlines() if "--set user-texts,daytime" in line)
    parser = argparse.ArgumentParser()
    experiment.configure(parser)
    given = ["--dialogues", "12", "--entries", "200", "--cache", str(tmp_path / "cache")]
    assert experiment.run(parser.parse_args([*command.split()[2:], *given])) == 0
    printed = capsys.readouterr().out
    assert "user-texts,daytime" in printed and len(printed.splitlines()) == 3


def test_every_signal_is_on_the_page() -> None:
    for signal in signals.OWN:
        assert f"| `{signal().name}` |" in PAGE

"""The page on context: its signal works as written, and its tables are complete."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from agent.context import TurnContext, signals

PAGE = (Path(__file__).parents[2] / "docs" / "context.md").read_text(encoding="utf-8")


def test_the_signal_of_the_page_works_and_is_short(tmp_path: Path, monkeypatch: Any) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code.splitlines()) < 30
    (tmp_path / "daytime.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    (toml,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    points = tomllib.loads(toml)["project"]["entry-points"][signals.GROUP]
    metadata = tmp_path / "daytime-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: daytime\nVersion: 1.0\n")
    lines = [f"[{signals.GROUP}]", *(f"{name} = {target}" for name, target in points.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines))
    loaded = signals.load()
    assert "daytime" in [signal.name for signal in loaded]
    reading = signals.read(loaded, TurnContext())
    assert not reading.failed
    assert reading.user in ("in the morning, breakfast", "late in the evening, drinks", "")


def test_every_signal_is_on_the_page() -> None:
    for signal in signals.OWN:
        assert f"| `{signal().name}` |" in PAGE

"""Twenty turns in an emulated room, with a real store, encoder, recogniser and speech out."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_twenty_windows_are_done_while_their_replies_are_played(
        tmp_path: Path, model_path: Callable[[str], Path]) -> None:
    model_path("context-encoder")
    model_path("moonshine-tiny-en")
    if not (shutil.which("flite") or shutil.which("espeak-ng")):
        pytest.skip("no synthesiser is installed")
    out = tmp_path / "turns.json"
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "context_turns.py"), "--turns", "20",
         "--names", "600", "--json", str(out)], cwd=ROOT, text=True, capture_output=True,
        timeout=120, check=False, env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr[-2_000:]
    record = json.loads(out.read_text())
    outcomes = [row["outcome"] for row in record["rows"]]
    assert len(outcomes) == 20 and set(outcomes) <= {"ready", "no-vector", "late"}
    # The benchmark says how often; a test may run on a machine with much else to do.
    assert "ready" in outcomes and outcomes.count("late") <= 10
    assert record["ms"]["reopening waits"]["p50"] < 50

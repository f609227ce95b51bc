"""``voice-agent evaluate`` from end to end, on a few recordings."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.commands import evaluate
from agent.errors import AgentError


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.configure(parser)
    return evaluate.run(parser.parse_args(arguments))


@pytest.fixture
def orders(shared_data: Path, model_path: Callable[[str], Path]) -> str:
    model_path("moonshine-tiny-en")
    return str(shared_data / "menu-orders" / "manifest.jsonl")


def test_figures_results_and_plot_are_written(orders: str, tmp_path: Path, shared_data: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "plot.svg"
    assert run(orders, "--engine", "moonshine", "--limit", "2", "--json", str(out),
               "--plot", str(plot), "--noise", str(shared_data / "noise" / "kitchen.flac"),
               "--snr", "24") == 0
    table = json.loads(out.read_text())
    assert table["clips"] == len(table["results"]) == 2
    assert set(table) >= {"clips", "exact", "accepted", "wer", "seconds_per_clip", "results"}
    assert all(isinstance(r["text"], str) for r in table["results"])
    assert all(r["decision"] in ("plain", "context") for r in table["results"])
    assert all(isinstance(r["confirm"], bool) for r in table["results"])
    assert plot.read_text().startswith("<svg")
    assert "accepted" in capsys.readouterr().out


def test_json_on_standard_output_stands_alone(orders: str,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    assert run(orders, "--engine", "moonshine", "--context", "off", "--limit", "1",
               "--json", "-") == 0
    table = json.loads(capsys.readouterr().out)
    assert table["results"][0]["decision"] == "plain"


def test_noise_without_a_level_is_an_error(orders: str) -> None:
    with pytest.raises(AgentError, match="--snr"):
        run(orders, "--noise", "x.wav")


def test_a_missing_recording_is_named(tmp_path: Path,
                                      model_path: Callable[[str], Path]) -> None:
    model_path("moonshine-tiny-en")
    manifest = tmp_path / "m.jsonl"
    manifest.write_text('{"id": "gone", "audio": "gone.wav", "text": "hello"}\n')
    with pytest.raises(AgentError, match="gone"):
        run(str(manifest), "--engine", "moonshine")

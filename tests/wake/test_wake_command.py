"""``voice-agent wake`` on files."""

from __future__ import annotations

import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from agent.audio.files import read
from agent.cli import main
from agent.events import SAMPLE_RATE

pytest.importorskip("pymicro_wakeword", reason="pymicro-wakeword is not installed (Linux only)")


@pytest.fixture(autouse=True)
def _no_settings_file_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VOICE_AGENT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(
        capsys: pytest.CaptureFixture[str],
        *arguments: object) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, JSON lines and standard error."""
    code = main(["wake", "--json", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_one_json_line_a_detection_and_null_for_a_file_without(
        capsys: pytest.CaptureFixture[str], recordings: Path) -> None:
    files = [recordings / "alexa-slt.flac", recordings / "none-slt.flac"]
    code, lines, _ = run(capsys, *files, "--pad", 1)
    assert code == 0
    assert [line["file"] for line in lines] == [str(path) for path in files]
    assert all(set(line) == {"file", "time", "engine", "score"} for line in lines)
    assert lines[0]["engine"] == "micro"
    assert 0.9 < lines[0]["score"] <= 1
    assert 0.5 < lines[0]["time"] < 1.0
    assert (lines[1]["time"], lines[1]["score"]) == (None, None)


def test_times_are_those_of_the_file_whatever_the_padding(
        capsys: pytest.CaptureFixture[str], recordings: Path) -> None:
    times = [run(capsys, recordings / "alexa-slt.flac", "--pad", pad)[1][0]["time"]
             for pad in (0, 0.5, 2)]
    assert max(times) - min(times) < 0.1


def test_two_words_in_one_file_are_two_lines(
        capsys: pytest.CaptureFixture[str], recordings: Path, tmp_path: Path) -> None:
    once = read(recordings / "alexa-slt.flac")
    path = tmp_path / "twice.wav"
    soundfile.write(path, np.concatenate([once, np.zeros(SAMPLE_RATE * 2, np.int16), once]),
                    SAMPLE_RATE)
    _, lines, _ = run(capsys, path)
    assert len(lines) == 2
    assert lines[0]["time"] + 2.5 < lines[1]["time"]


def test_48_khz_stereo_is_resampled(
        capsys: pytest.CaptureFixture[str], recordings: Path, tmp_path: Path) -> None:
    once = np.repeat(read(recordings / "alexa-slt.flac"), 3)
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([once, once], axis=1), 48_000)
    assert run(capsys, path)[1][0]["time"] is not None


@pytest.mark.parametrize("samples", [1, 100, 1_600])
def test_a_very_short_file_has_no_detection(
        capsys: pytest.CaptureFixture[str], tmp_path: Path, samples: int) -> None:
    path = tmp_path / "short.wav"
    soundfile.write(path, np.zeros(samples, np.int16), SAMPLE_RATE)
    code, lines, _ = run(capsys, path)
    assert (code, [line["time"] for line in lines]) == (0, [None])


def test_bad_files_are_reported_and_the_others_still_heard(
        capsys: pytest.CaptureFixture[str], recordings: Path, tmp_path: Path) -> None:
    empty, damaged, no_samples = (tmp_path / name for name in ("0.wav", "cut.flac", "none.wav"))
    empty.write_bytes(b"")
    damaged.write_bytes((recordings / "alexa-rms.flac").read_bytes()[:5_000])
    with wave.open(str(no_samples), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SAMPLE_RATE)
    bad = [empty, damaged, no_samples, tmp_path / "absent.wav", tmp_path]
    code, lines, errors = run(capsys, *bad, recordings / "alexa-slt.flac")
    assert code == 1
    assert [line["file"] for line in lines] == [str(recordings / "alexa-slt.flac")]
    assert lines[0]["time"] is not None
    for path in bad:
        assert str(path) in errors
    assert "Traceback" not in errors


def test_an_unknown_word_is_one_clear_error(
        capsys: pytest.CaptureFixture[str], recordings: Path) -> None:
    code, lines, errors = run(capsys, recordings / "alexa-slt.flac", "--word", "abracadabra")
    assert (code, lines) == (1, [])
    assert "abracadabra" in errors and "hey jarvis" in errors


@pytest.mark.parametrize("pad", ["-1", "much", "nan", "1e9"])
def test_a_wrong_padding_is_refused(
        capsys: pytest.CaptureFixture[str], recordings: Path, pad: str) -> None:
    with pytest.raises(SystemExit) as caught:
        run(capsys, recordings / "alexa-slt.flac", "--pad", pad)
    assert caught.value.code == 2


def test_the_other_engines_answer_by_their_own_name(
        capsys: pytest.CaptureFixture[str], recordings: Path,
        model_path: Callable[[str], Path]) -> None:
    model_path("openwakeword")
    model_path("moonshine-tiny-en")
    for engine in ("openwakeword", "phrase"):
        _, lines, _ = run(capsys, recordings / "alexa-slt.flac", "--engine", engine)
        assert [line["engine"] for line in lines] == [engine]
        assert lines[0]["time"] is not None


def test_without_a_recogniser_it_says_so_and_listens_all_the_same(
        capsys: pytest.CaptureFixture[str], recordings: Path, monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    code, lines, errors = run(capsys, recordings / "alexa-slt.flac")
    assert code == 0
    assert lines[0]["time"] is not None
    assert "no recogniser confirms the wake word" in errors
    code, lines, errors = run(capsys, recordings / "alexa-slt.flac", "--engine", "phrase")
    assert (code, lines) == (1, [])
    assert "voice-agent models fetch moonshine-tiny-en" in errors


def test_for_people_one_line_a_file(capsys: pytest.CaptureFixture[str], recordings: Path) -> None:
    assert main(["wake", str(recordings / "alexa-slt.flac"),
                 str(recordings / "none-slt.flac")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "alexa" in first and " s " in first
    assert second.endswith("none-slt.flac: -")

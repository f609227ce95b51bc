from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agent.cli import main


@pytest.fixture(autouse=True)
def no_settings_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("VOICE_AGENT_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


@pytest.fixture
def beckett(model_path: Callable[[str], Path]) -> str:
    return str(model_path("moonshine-tiny-en") / "beckett.wav")


def test_a_file_gives_its_text(beckett: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transcribe", "--engine", "moonshine", beckett]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{beckett}: Ever tried")
    assert "recogniser: moonshine" in err


def test_json_is_one_object_a_file(beckett: str, tmp_path: Path,
                                   capsys: pytest.CaptureFixture[str]) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(32_000, np.int16), 16_000)
    assert main(["transcribe", "--json", "--nbest", "3", "--engine", "moonshine",
                 beckett, str(silence)]) == 0
    heard, empty = map(json.loads, capsys.readouterr().out.splitlines())
    assert heard["file"] == beckett
    assert heard["text"].startswith("Ever tried")
    assert heard["nbest"][0]["text"] == heard["text"]
    assert len(heard["nbest"]) == 3
    assert heard["engine"] == "moonshine"
    assert 0 < heard["seconds"] < 60
    assert heard["duration"] == pytest.approx(9.96, abs=0.01)
    assert (empty["text"], empty["nbest"]) == ("", [])


@pytest.mark.parametrize("kind", ["missing", "empty", "cut", "text"])
def test_an_unreadable_file_is_told_and_the_others_are_done(
        beckett: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    bad = tmp_path / "bad.wav"
    data = {"empty": b"", "cut": Path(beckett).read_bytes()[:30], "text": b"no audio at all" * 9}
    if kind in data:
        bad.write_bytes(data[kind])
    assert main(["transcribe", "--engine", "moonshine", str(bad), beckett]) == 1
    out, err = capsys.readouterr()
    assert "Ever tried" in out
    assert "bad.wav" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("changed", ["8 bit", "48 kHz stereo", "flac"])
def test_other_forms_of_audio_are_read(beckett: str, tmp_path: Path, changed: str,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    audio, rate = soundfile.read(beckett, dtype="float32")
    path = tmp_path / ("speech.flac" if changed == "flac" else "speech.wav")
    if changed == "48 kHz stereo":
        soundfile.write(path, np.repeat(audio[:, None], 2, 1).repeat(3, 0), 3 * rate)
    else:
        soundfile.write(path, audio, rate, subtype="PCM_U8" if changed == "8 bit" else None)
    assert main(["transcribe", "--engine", "moonshine", str(path)]) == 0
    assert "tried" in capsys.readouterr().out


def test_a_missing_model_is_told_with_the_command_that_fetches_it(
        beckett: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOICE_AGENT_MODELS", str(tmp_path))
    assert main(["transcribe", beckett]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "voice-agent models fetch moonshine-tiny-en" in err


def test_a_foolish_number_of_transcripts_is_refused(beckett: str) -> None:
    with pytest.raises(SystemExit):
        main(["transcribe", "--nbest", "0", beckett])

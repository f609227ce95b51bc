"""``voice-agent run`` on a sound server of its own: the whole agent, in real time."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.audio.files import read
from tests.commands.running_agent import RunningAgent, contains_any
from tests.commands.sound_server import Sounds, missing

REPOSITORY = Path(__file__).parents[2]
RECORDINGS = REPOSITORY / "scenes" / "recordings"

SPOKEN = ("meg", "bauer", "jones", "calling", "which one", "555")
"""Of what is said in these conversations, and replied; no log may hold it."""


@pytest.fixture(scope="module")
def sounds() -> Iterator[Sounds]:
    if problem := missing():
        pytest.skip(problem)
    with (tempfile.TemporaryDirectory(prefix="va-") as folder,  # short, for the sockets' sake
          Sounds(Path(folder)).running() as running):
        yield running


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


Start = Callable[..., RunningAgent]


@pytest.fixture
def start(sounds: Sounds, tmp_path: Path) -> Iterator[Start]:
    agents: list[RunningAgent] = []

    def start(*arguments: str, stdin: bool = False, transcripts: bool = False) -> RunningAgent:
        agents.append(RunningAgent(settings(tmp_path, transcripts), sounds.environment,
                                   *arguments, stdin=stdin))
        return agents[-1]

    yield start
    for agent in agents:
        agent.kill()


def settings(folder: Path, transcripts: bool = False) -> Path:
    program = folder / "call"
    program.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >> {folder}/called\n')
    program.chmod(0o700)
    path = folder / "config.toml"
    path.write_text(f"""
[audio]
input = "mic"
output = "loudspeaker"
[commands]
call = ["{program}", "{{contact}}", "{{number}}"]
[store]
directory = "{folder}/state"
[log]
level = "debug"
log_transcripts = {str(transcripts).lower()}
""")
    return path


def pcm(*parts: str | float) -> bytes:
    """Recordings, and seconds of silence between them, as raw 16 kHz audio."""
    pieces = [read(RECORDINGS / f"{part}.flac") if isinstance(part, str)
              else np.zeros(round(part * 16_000), np.int16) for part in parts]
    return np.concatenate(pieces).tobytes()


def test_a_dialogue_on_the_microphone_which_is_then_unplugged(
        sounds: Sounds, start: Start, tmp_path: Path) -> None:
    agent = start()
    agent.await_line("Ctrl-C ends")
    sounds.play(RECORDINGS / "call-meg.flac")
    agent.await_line("ReplyEnded")
    agent.await_line("MicrophoneOpened")
    sounds.play(RECORDINGS / "bauer.flac")
    agent.await_line("DialogueClosed")
    assert (tmp_path / "called").read_text() == "Meg Bauer|+15550100102|"

    sounds.unplug()
    assert "mic" in agent.await_line("WARNING voice-agent: microphone")
    sounds.plug_in()
    agent.await_line("StateChanged idle")
    sounds.play(RECORDINGS / "call-meg.flac")
    agent.await_line("ReplyStarted")
    code, seconds = agent.stop(signal.SIGINT)
    assert code == 0
    assert seconds < 1.0
    assert contains_any(agent.output, SPOKEN) == []
    assert "Traceback" not in agent.output


def test_a_recording_on_standard_input_is_heard_no_faster_than_it_sounds(
        start: Start, tmp_path: Path) -> None:
    """All of it at once, and yet the answer comes after the question, and is carried out."""
    agent = start("--stdin", stdin=True, transcripts=True)
    agent.write(pcm(0.3, "call-meg", 5.0, "bauer"))
    assert agent.end_of_input() == 0
    assert (tmp_path / "called").read_text() == "Meg Bauer|+15550100102|"
    assert set(contains_any(agent.output, SPOKEN)) >= {"meg", "bauer"}, "transcripts are on"


def test_it_stops_while_it_recognises(start: Start) -> None:
    agent = start("--stdin", stdin=True)
    agent.write(pcm(0.5, "call-meg", 1.0))
    agent.await_line("SpeechEnded")
    code, seconds = agent.stop(signal.SIGTERM)
    assert code == 0
    assert seconds < 1.0
    assert "Traceback" not in agent.output


def test_without_any_device_it_says_so_in_a_sentence(tmp_path: Path) -> None:
    cards = Path("/proc/asound/cards")
    if cards.exists() and "no soundcards" not in cards.read_text():
        pytest.skip("this machine has a sound card")
    done = run(settings(tmp_path), {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path),
                                    "PULSE_SERVER": "unix:/nonexistent"})
    assert done.returncode == 1
    assert done.stdout == ""
    last = done.stderr.splitlines()[-2:]
    assert last[0].startswith("voice-agent: ")
    assert "microphone" in last[0]
    assert "voice-agent devices" in last[1]
    assert "Traceback" not in done.stderr


def test_a_device_of_another_name_is_an_error(sounds: Sounds, tmp_path: Path) -> None:
    config = settings(tmp_path)
    config.write_text(config.read_text().replace('"loudspeaker"', '"gramophone"'))
    done = run(config, sounds.environment)
    assert done.returncode == 1
    assert done.stderr.endswith("voice-agent: loudspeaker 'gramophone' was not found\n"
                                "  `voice-agent devices` lists what there is\n")


def test_an_unknown_log_level_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[log]\nlevel = 'loud'\n")
    done = run(path, {})
    assert done.returncode == 1
    assert "line 2: log.level: 'loud' is not one of" in done.stderr


def run(config: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent.cli", "run", "--config", str(config)],
        env={"PATH": os.environ["PATH"], **environment}, cwd=REPOSITORY, capture_output=True,
        text=True, timeout=60)

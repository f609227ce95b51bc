"""The shipped scenes, held with the real agent as fast as the machine can."""

from __future__ import annotations

import asyncio
import json
import shutil
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile

from agent.emulate.report import write_report
from agent.emulate.runner import Outcome, hold
from agent.emulate.scene import Expected, Scene, read_scene
from agent.errors import AgentError

SCENES = Path(__file__).parents[2] / "scenes"
RECORDINGS = SCENES / "recordings"


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


def held(scene: Scene, *, keep_audio: bool = False) -> Outcome:
    return asyncio.run(hold(scene, fast=True, keep_audio=keep_audio))


@pytest.mark.parametrize("path", sorted(SCENES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_shipped_scene_comes_out_as_it_says(path: Path) -> None:
    assert held(read_scene(path)).problems == ()


def test_another_answer_gives_the_other_contact() -> None:
    scene = read_scene(SCENES / "meg.toml", {"answer": RECORDINGS / "jones.flac"})
    outcome = held(replace(scene, expect=Expected()))
    assert outcome.understood == "call Meg Jones"


def test_the_same_scene_gives_the_same_conversation() -> None:
    scene = read_scene(SCENES / "meg.toml")
    # Speech out and the context window work side by side: what is done first may differ.
    first, second = (sorted((round(e.at, 3), type(e).__name__) for e in held(scene).events)
                     for _ in range(2))
    assert first == second


def test_a_failed_expectation_is_told() -> None:
    scene = read_scene(SCENES / "no-answer.toml")
    wrong = replace(scene, expect=Expected(understood=("call Meg Bauer",), never=("Speak",),
                                           events=("MuteChanged",)))
    problems = held(wrong).problems
    assert len(problems) == 3
    assert "expected “call Meg Bauer”" in problems[0]
    assert "MuteChanged did not happen in its turn" in problems
    assert "Speak happened" in problems


def test_a_report_holds_audio_and_events_for_its_owner_alone(tmp_path: Path) -> None:
    scene = read_scene(SCENES / "no-answer.toml")
    outcome = held(scene, keep_audio=True)
    folder = write_report(tmp_path / "report", scene, outcome)
    audio, rate = soundfile.read(folder / "conversation.flac")
    assert rate == 16_000
    assert audio.shape[1] == 2
    assert audio[:, 1].any(), "the reply is in the report"
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    assert {"WakeHeard", "FollowUpTimedOut"} <= {event["event"] for event in events}
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def write(folder: Path, text: str) -> Path:
    path = folder / "scene.toml"
    path.write_text('title = "Broken"\n' + text)
    return path


@pytest.mark.parametrize(("text", "message"), [
    ("[[step]]\nplai = 'x.flac'\n", r"line 3: step.plai: unknown setting"),
    ("[[step]]\npause = 'long'\n", r"line 3: step.pause: must be a number, not a text"),
    ("[[step]]\npause = 1\nuntil = 'idle'\n", "step 1 says pause and until"),
    ("[[step]]\nwithin = 1\n", "step 1 says nothing"),
    ("[[step]]\nuntil = 'asleep'\n", "no state 'asleep'"),
    ("[[step]]\nplay = 'missing.flac'\n", r"step 1: play: there is no file .*missing\.flac"),
    ("[room]\nnoise = 'missing.flac'\n[[step]]\npause = 1\n", "room.noise: there is no file"),
    ("[[step]]\npause = 1\n[expect]\nnever = ['PlaceCal']\n", "no event or directive 'PlaceCal'"),
    ("[settings.wake]\nword = 3\n[[step]]\npause = 1\n", r"line 3: settings.wake.word: must be"),
    ("step = [", "not valid TOML"),
    ("", "missing step"),
])
def test_a_typo_in_a_scene_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        read_scene(write(tmp_path, text))


def test_a_recording_to_replace_must_be_named_by_the_scene() -> None:
    with pytest.raises(AgentError, match="no recording is named 'reply'"):
        read_scene(SCENES / "meg.toml", {"reply": RECORDINGS / "jones.flac"})


def test_muting_in_the_middle_of_a_question_closes_it(tmp_path: Path) -> None:
    scene = tmp_path / "mute.toml"
    scene.write_text(f"""
title = "Muted while the question is open"
[[step]]
pause = 0.5
[[step]]
play = "{RECORDINGS / 'call-meg.flac'}"
[[step]]
until = "follow-up"
[[step]]
mute = true
[[step]]
play = "{RECORDINGS / 'bauer.flac'}"
[[step]]
pause = 1.0
[[step]]
mute = false
[[step]]
pause = 2.0
[expect]
events = ["MicrophoneOpened", "MuteChanged", "DialogueClosed", "MuteChanged", "StateChanged"]
never = ["PlaceCall"]
""")
    assert held(read_scene(scene)).problems == ()


def test_the_button_opens_the_microphone_without_a_wake_word(tmp_path: Path) -> None:
    scene = tmp_path / "button.toml"
    scene.write_text(f"""
title = "Button"
[[step]]
pause = 0.5
[[step]]
press = "press"
[[step]]
until = "listening"
[[step]]
pause = 0.3
[[step]]
play = "{RECORDINGS / 'the-second-one.flac'}"
[[step]]
until = "thinking"
[expect]
events = ["ButtonPressed", "WakeHeard", "MicrophoneOpened", "SpeechStarted", "SpeechEnded"]
""")
    assert held(read_scene(scene)).problems == ()

"""The default wake word on recordings of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from agent.audio.files import read
from agent.evaluate.noise import mix
from agent.events import Samples
from agent.wake import WakeWord
from agent.wake.confirm import ByRecogniser
from agent.wake.factory import open_wake_word
from agent.wake.recording import detections
from agent.wake.settings import Settings

pytest.importorskip("pymicro_wakeword", reason="pymicro-wakeword is not installed (Linux only)")


@pytest.fixture(scope="module")
def wake(model_path: Callable[[str], Path]) -> WakeWord:
    from agent.asr.moonshine.engine import MoonshineRecogniser

    recogniser = MoonshineRecogniser(model_path("moonshine-tiny-en"))
    return open_wake_word(Settings(), model_path, ByRecogniser(recogniser, "alexa"))


def missed(wake: WakeWord, audios: Iterable[Samples]) -> int:
    return sum(not list(detections(wake, [audio], pad=1.0)) for audio in audios)


def test_at_most_one_clip_in_a_hundred_is_missed(wake: WakeWord, shared_data: Path) -> None:
    clips = sorted((shared_data / "wake" / "alexa").glob("*.flac"))
    assert clips
    assert missed(wake, map(read, clips)) <= len(clips) / 100


def test_at_most_eight_in_a_hundred_are_missed_in_kitchen_noise(
        wake: WakeWord, shared_data: Path) -> None:
    clips = sorted((shared_data / "wake" / "alexa").glob("*.flac"))
    noise = read(shared_data / "noise" / "kitchen.flac")
    audios = (mix(path.stem, read(path), noise, 10.0) for path in clips)
    assert missed(wake, audios) <= 0.08 * len(clips)


def test_kitchen_noise_by_itself_does_not_wake(wake: WakeWord, shared_data: Path) -> None:
    assert missed(wake, [read(shared_data / "noise" / "kitchen.flac")]) == 1


def test_no_other_recording_wakes(wake: WakeWord, shared_data: Path) -> None:
    clips = [path for name in ("names", "menu-orders", "spelled")
             for path in sorted((shared_data / name).rglob("*.flac"))]
    assert clips
    woken = [path.name for path in clips if list(detections(wake, [read(path)]))]
    assert woken == []

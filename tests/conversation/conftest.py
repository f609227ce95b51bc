"""The real engines, with every call that hands them audio counted."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from agent.asr import Recogniser
from agent.asr.factory import open_recogniser
from agent.asr.settings import Settings
from agent.audio.echo import EchoGuard
from agent.audio.vad import SileroVad
from agent.conversation.ears import Ears
from agent.wake.detector import ScoredWakeWord
from models import ModelError, locate
from tests.conversation.playing import Consumers, CountedRecogniser


@pytest.fixture(scope="session")
def recogniser() -> Recogniser:
    """Moonshine, loaded once; skips where an engine is missing."""
    for model in ("silero-vad", "moonshine-tiny-en"):
        try:
            locate(model)
        except ModelError:
            pytest.skip(f"model {model} is not installed (./setup_device.sh installs it)")
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    return open_recogniser(Settings(engine="moonshine"), locate)


@pytest.fixture
def consumers(recogniser: Recogniser, monkeypatch: pytest.MonkeyPatch) -> Consumers:
    """Counts what the parts of the agents of this test are given."""
    found = Consumers()
    monkeypatch.setattr("agent.app._recogniser",
                        lambda config, announce: CountedRecogniser(recogniser, found))
    for kind, name in ((ScoredWakeWord, "accept"), (SileroVad, "probability"),
                       (EchoGuard, "check")):
        monkeypatch.setattr(kind, name,
                            found.counted(f"{kind.__name__}.{name}", getattr(kind, name)))

    def ears(*args: Any) -> Ears:
        found.ears.append(Ears(*args))
        return found.ears[-1]

    monkeypatch.setattr("agent.app.Ears", ears)
    return found

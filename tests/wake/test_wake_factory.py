"""The wake word that the settings call for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AgentError
from agent.events import Samples
from agent.wake import Detection
from agent.wake.factory import needs_recogniser, open_wake_word
from agent.wake.settings import Settings

Feed = Callable[..., list[Detection]]

pytest.importorskip("pymicro_wakeword", reason="pymicro-wakeword is not installed (Linux only)")


class MissingError(Exception):
    what = "model openwakeword is not installed"
    mend = "fetch it with: voice-agent models fetch openwakeword"


def nowhere(name: str) -> Path:
    raise MissingError


@pytest.mark.parametrize("word", ["alexa", "Hey  Jarvis", "okay nabu"])
def test_micro_is_the_default_and_letters_case_and_spaces_do_not_count(word: str) -> None:
    wake = open_wake_word(Settings(word=word), nowhere)
    assert wake.word == " ".join(word.lower().split())


def test_an_unknown_word_lists_the_words_there_are() -> None:
    with pytest.raises(AgentError) as caught:
        open_wake_word(Settings(word="abracadabra"), nowhere)
    assert "abracadabra" in caught.value.what
    for known in ("alexa", "hey jarvis", "openwakeword: not installed", "phrase: any words"):
        assert known in caught.value.mend


@pytest.mark.parametrize("word", ["", "   ", "?!", "42"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(AgentError, match="no word"):
        open_wake_word(Settings(word=word), nowhere)


def test_openwakeword_without_its_model_says_how_to_fetch_it() -> None:
    with pytest.raises(AgentError, match="not installed") as caught:
        open_wake_word(Settings(engine="openwakeword"), nowhere)
    assert "voice-agent models fetch openwakeword" in caught.value.mend


def test_openwakeword_lists_its_words(model_path: Callable[[str], Path]) -> None:
    with pytest.raises(AgentError) as caught:
        open_wake_word(Settings(engine="openwakeword", word="okay nabu"), model_path)
    assert "hey rhasspy" in caught.value.mend
    assert "silero" not in caught.value.mend


def test_the_phrase_engine_needs_a_recogniser_and_takes_any_words(
        scripted_confirm: type[Any]) -> None:
    settings = Settings(engine="phrase", word="Open Sesame")
    with pytest.raises(AgentError, match="recogniser"):
        open_wake_word(settings, nowhere)
    assert open_wake_word(settings, nowhere, scripted_confirm(1.0)).word == "open sesame"


def test_the_confirmation_is_left_out_when_it_is_off(
        scripted_confirm: type[Any], recording: Callable[[str], Samples], feed: Feed) -> None:
    confirm = scripted_confirm(0.0)
    low = Settings(confirm=False, sensitivity=1.0)
    assert len(feed(open_wake_word(low, nowhere, confirm), recording("alexa-slt"))) == 1
    assert confirm.asked == []
    assert not needs_recogniser(low)
    assert needs_recogniser(replace(low, engine="phrase"))
    assert needs_recogniser(Settings())

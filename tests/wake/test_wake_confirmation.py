"""The recogniser's opinion on whether the wake word was said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.asr import Recogniser
from agent.biasing import Bias, Hypothesis
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples
from agent.wake import matching
from agent.wake.confirm import HEARD, ByRecogniser

AUDIO = np.ones(SAMPLE_RATE, np.int16)


@dataclass
class ScriptedRecogniser:
    """Hears the same every time."""

    texts: Sequence[str]
    score_of_word: float | None = None
    free_score: float = -0.5
    error: AgentError | None = None
    name: str = "scripted"
    closed: int = 0
    scored: list[str] = field(default_factory=list)

    def prepare(self, bias: Bias) -> object:
        return bias

    def start(self, prepared: object = None) -> ScriptedRecogniser:
        return self

    def accept(self, samples: np.ndarray) -> None:
        pass

    def finish(self) -> tuple[Hypothesis, ...]:
        if self.error is not None:
            raise self.error
        return tuple(Hypothesis(text, self.free_score, 3) for text in self.texts)

    def score(self, texts: Sequence[str]) -> tuple[float, ...] | None:
        self.scored = list(texts)
        if self.score_of_word is None:
            return None
        return (self.score_of_word,) + (-9.0,) * (len(texts) - 1)

    def close(self) -> None:
        self.closed += 1


def opinion(recogniser: Any, word: str) -> ByRecogniser:
    """The opinion by a scripted recogniser."""
    return ByRecogniser(recogniser, word)


@pytest.mark.parametrize(("texts", "heard"), [
    (["Alexa."], True), (["turn that off", "a lexa turn"], True), (["Hello, Alexa, call."], True),
    (["Alex."], False), (["Alexander."], False), (["I relax."], False), ([], False),
])
def test_by_text_alone(texts: Sequence[str], heard: Any) -> None:
    answer = opinion(ScriptedRecogniser(texts), "alexa")(AUDIO)
    assert (answer is not None and answer >= HEARD) is heard


@pytest.mark.parametrize(("score", "free", "heard"), [
    (-1.2, -0.5, True),    # likely, and not far behind
    (-2.5, -2.4, False),   # near the transcript, but neither is likely
    (-1.9, -0.1, False),   # likely by itself, but another text is much likelier
])
def test_the_score_of_the_word_counts_where_the_transcript_is_another(
        score: float, free: float, heard: Any) -> None:
    recogniser = ScriptedRecogniser(["I'm like, so."], score, free)
    answer = opinion(recogniser, "alexa")(AUDIO)
    assert answer is not None and (answer >= HEARD) is heard


def test_sureness_grows_with_the_score() -> None:
    answers = [opinion(ScriptedRecogniser(["so"], score, -0.5), "alexa")(AUDIO)
               for score in (-6.0, -3.0, -1.5, -0.5)]
    given = [answer for answer in answers if answer is not None]
    assert len(given) == 4
    assert given == sorted(given)
    assert all(0 <= answer <= 1 for answer in given)


def test_the_word_is_scored_as_a_recogniser_would_write_it() -> None:
    recogniser = ScriptedRecogniser(["so"], -1.0)
    opinion(recogniser, "hey jarvis")(AUDIO)
    assert {"Hey Jarvis.", "Hey, Jarvis.", "Hey Jarvis"} <= set(recogniser.scored)


def test_a_recogniser_that_fails_cannot_tell_and_is_closed() -> None:
    recogniser = ScriptedRecogniser(["Alexa."], error=AgentError("the model went away"))
    assert opinion(recogniser, "alexa")(AUDIO) is None
    assert recogniser.closed == 1


def test_longer_words_get_more_audio_up_to_a_limit() -> None:
    seconds = [opinion(ScriptedRecogniser([]), word).seconds
               for word in ("alexa", "hey mycroft", "a" * 100)]
    assert seconds == sorted(seconds)
    assert 1.2 < seconds[0] < 1.4 and seconds[-1] <= 4


@pytest.mark.parametrize(("heard", "word", "alike"), [
    ("elexa", "alexa", True), ("Alexa!", "alexa", True), ("a legs a", "alexa", True),
    ("alexis", "alexa", False), ("election", "alexa", False), ("alex", "alexa", False),
    ("ok nabu", "okay nabu", True), ("okay", "okay nabu", False),
    ("a jarvis", "hey jarvis", True), ("", "alexa", False), ("...", "alexa", False),
])
def test_words_that_sound_alike(heard: Any, word: str, alike: bool) -> None:
    assert matching.similar(heard, word, 0.2) is alike


@pytest.mark.parametrize("name", ["alexa-slt", "alexa-rms"])
def test_moonshine_hears_the_word_in_synthesised_speech(
        name: str, model_path: Callable[[str], Path], recording: Callable[[str], Samples]) -> None:
    confirm = ByRecogniser(_moonshine(model_path), "alexa")
    audio = recording(name)
    end = round(2.0 * SAMPLE_RATE)
    answer = confirm(audio[end - round(confirm.seconds * SAMPLE_RATE):end])
    assert answer is not None and answer >= HEARD


def test_moonshine_does_not_hear_it_in_other_speech_or_silence(
        model_path: Callable[[str], Path], recording: Callable[[str], Samples]) -> None:
    confirm = ByRecogniser(_moonshine(model_path), "alexa")
    length = round(confirm.seconds * SAMPLE_RATE)
    audio = recording("none-slt")
    answers = [confirm(audio[start:start + length])
               for start in range(0, len(audio) - length, length // 2)]
    assert len(answers) > 3
    assert all(answer is not None and answer < HEARD for answer in answers)


def _moonshine(model_path: Callable[[str], Path]) -> Recogniser:
    from agent.asr.moonshine.engine import MoonshineRecogniser

    return MoonshineRecogniser(model_path("moonshine-tiny-en"))

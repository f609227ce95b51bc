"""Contextual recognition on recorded speech: what the product is for."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from agent.asr.moonshine.engine import MoonshineRecogniser
from agent.biasing import Background, Bias, Phrase, builders
from agent.biasing.arbitration import Decision
from agent.biasing.retrieval import Searchable
from agent.biasing.settings import Settings
from agent.evaluate import manifest, runner
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Line
from agent.events import Expectation, Samples

QUIET = np.zeros(16_000, np.int16)


@pytest.fixture(scope="module")
def recogniser(moonshine_folder: Path) -> MoonshineRecogniser:
    return MoonshineRecogniser(moonshine_folder, None, Settings(budget_ms=0))


@pytest.fixture(scope="module")
def names(shared_data: Path) -> tuple[Line, ...]:
    return manifest.read(shared_data / "names" / "manifest.jsonl")


def decide(recogniser: MoonshineRecogniser, samples: Samples, bias: Bias | None) -> Decision:
    recognition = recogniser.start(recogniser.prepare(bias) if bias else None)
    recognition.accept(samples)
    recognition.finish()
    return recognition.decide()


def line_saying(lines: tuple[Line, ...], text: str) -> Line:
    return next(line for line in lines if line.text == text)


@pytest.mark.parametrize("name", ["Bob Lynch", "Jignesh Goda", "Linda Merrone", "Jim Tremblay"])
def test_a_name_is_heard_that_plain_recognition_mishears(
        recogniser: MoonshineRecogniser, names: tuple[Line, ...], name: str) -> None:
    line = line_saying(names, name)
    samples = runner.read_audio(line, None)
    decision = decide(recogniser, samples, bias_of(line.context, None))
    assert (decision.text, decision.source, decision.candidate) == (name, "context", name)
    assert decision.margin is not None


def test_without_a_bias_it_is_the_free_transcript(
        recogniser: MoonshineRecogniser, names: tuple[Line, ...]) -> None:
    samples = runner.read_audio(line_saying(names, "Jim Tremblay"), None)
    decision = decide(recogniser, samples, None)
    assert (decision.source, decision.candidate, decision.margin) == ("plain", "", None)


def test_an_unrelated_sentence_stays_what_it_was(
        recogniser: MoonshineRecogniser, names: tuple[Line, ...]) -> None:
    line = line_saying(names, "how are you doing Operator")
    samples = runner.read_audio(line, None)
    free = decide(recogniser, samples, None)
    biased = decide(recogniser, samples, bias_of(line.context, None))
    assert (biased.source, biased.text) == ("plain", free.text)
    assert biased.candidate


def test_what_is_not_prepared_is_heard_all_the_same(recogniser: MoonshineRecogniser,
                                                    names: tuple[Line, ...]) -> None:
    line = line_saying(names, "Jignesh Goda")
    prepared = [c for c in line.context.contacts if c != line.text]
    base = builders.turn(builders.standing(builders.Catalogue(contacts=tuple(prepared))),
                         Expectation.NAME)
    everyone = Searchable(tuple(Phrase(c, kind="contact") for c in line.context.contacts))
    samples = runner.read_audio(line, None)
    heard = []
    for log_prior in (0.0, -20.0):
        log_priors = np.full(len(everyone.phrases), log_prior, np.float32)
        bias = dataclasses.replace(base, background=Background(everyone, log_priors))
        heard.append(decide(recogniser, samples, bias))
    assert (heard[0].text, heard[0].source) == (line.text, "context")
    assert heard[1].text != line.text


def test_of_two_that_sound_the_same_the_likelier_is_heard(recogniser: MoonshineRecogniser,
                                                          names: tuple[Line, ...]) -> None:
    line = line_saying(names, "Jim Tremblay")
    alike = ("Jim Tremblay", "Gym Tremblay")
    for likely in alike:
        phrases = tuple(Phrase(text, kind="contact", log_prior=4.0 if text == likely else -4.0)
                        for text in alike)
        bias = builders.turn(Bias(phrases), Expectation.LIST_ITEM)
        decision = decide(recogniser, runner.read_audio(line, None), bias)
        assert decision.candidate == likely


def test_an_order_is_heard_as_the_menu_has_it(recogniser: MoonshineRecogniser,
                                              shared_data: Path) -> None:
    line = manifest.read(shared_data / "menu-orders" / "manifest.jsonl")[3]
    result = runner.recognise(recogniser, line, runner.read_audio(line, None),
                              recogniser.prepare(bias_of(line.context, None)))
    assert result.accepted
    assert result.decision.source == "context"


def test_a_spelled_answer_is_heard_as_letters(recogniser: MoonshineRecogniser,
                                              shared_data: Path) -> None:
    lines = manifest.read(shared_data / "spelled" / "manifest.jsonl")
    line = line_saying(lines, "m o d u g n o")
    result = runner.recognise(recogniser, line, runner.read_audio(line, None),
                              recogniser.prepare(bias_of(line.context, line.expects)))
    assert result.exact
    assert not result.plain_exact


@pytest.mark.parametrize("phrases", [
    (), ("",), ("🙂", "...", "\0"), ('"quoted"', "{braces}", "back\\slash"), ("x" * 500,),
    ("日本", "Ωmega"), tuple(f"Name {n}" for n in range(3000))])
def test_no_phrase_is_too_odd(recogniser: MoonshineRecogniser, names: tuple[Line, ...],
                              phrases: tuple[str, ...]) -> None:
    samples = runner.read_audio(line_saying(names, "Jeff Collins"), None)
    bias = builders.turn(Bias(tuple(Phrase(p, kind="contact") for p in phrases)),
                         Expectation.NAME, phrases[:2])
    assert decide(recogniser, samples, bias).text
    assert decide(recogniser, QUIET, bias).text == ""


def test_when_the_budget_is_spent_there_is_still_an_answer(
        moonshine_folder: Path, names: tuple[Line, ...]) -> None:
    hasty = MoonshineRecogniser(moonshine_folder, None, Settings(budget_ms=1))
    line = line_saying(names, "Jeff Collins")
    samples = runner.read_audio(line, None)
    assert "Collins" in decide(hasty, samples, bias_of(line.context, None)).text


def test_context_can_be_turned_off(moonshine_folder: Path, names: tuple[Line, ...]) -> None:
    plain = MoonshineRecogniser(moonshine_folder, None, Settings(enabled=False))
    line = line_saying(names, "Jim Tremblay")
    decision = decide(plain, runner.read_audio(line, None), bias_of(line.context, None))
    assert decision.source == "plain"

"""When an utterance begins, pauses and ends, told by scripted probabilities."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.endpointing import (
    AnyOutcome,
    Ended,
    Endpointer,
    Heard,
    Paused,
    Resumed,
    Started,
    TimedOut,
)
from agent.audio.settings import EndpointSettings
from agent.audio.vad import WINDOW

W = WINDOW / 16_000
USUAL = EndpointSettings(threshold=0.6, release=0.4, minimum_speech=3 * W, pause=5 * W,
                         trailing_silence=15 * W, maximum_speech=100 * W, padding=4 * W,
                         wake_tail=6 * W, timeout=60 * W)


LIKELY = {".": 0.05, "-": 0.5, "#": 0.95}


class Script:
    """Probabilities as written: ``.`` silence, ``#`` speech, ``-`` in between."""

    def __init__(self, text: str) -> None:
        self.text, self.place = text, 0

    def probability(self, window: np.ndarray) -> float:
        assert len(window) == WINDOW
        self.place += 1
        return LIKELY[self.text[self.place - 1]]

    def reset(self) -> None:
        self.place = 0


def audio(script: str) -> np.ndarray:
    """Every sample differs from its neighbours, so that any shift is noticed."""
    return (np.arange(len(script) * WINDOW) % 30_011).astype(np.int16)


def outcomes(script: str, settings: EndpointSettings = USUAL, sizes: tuple[int, ...] = (),
             finish: bool = False, **options: float | bool) -> list[AnyOutcome]:
    endpointer = Endpointer(Script(script), settings, **options)  # type: ignore[arg-type]
    found: list[AnyOutcome] = []
    samples = audio(script)
    for size in sizes:
        found += endpointer.accept(samples[:size])
        samples = samples[size:]
    found += endpointer.accept(samples)
    return found + list(endpointer.finish()) if finish else found


def kinds(found: list[AnyOutcome]) -> str:
    names = {Started: "s", Heard: "h", Paused: "p", Resumed: "r", Ended: "E", TimedOut: "T"}
    return "".join(names[type(o)] for o in found)


def ended(found: list[AnyOutcome]) -> Ended:
    assert isinstance(found[-1], Ended)
    return found[-1]


def test_speech_then_silence_is_one_utterance() -> None:
    found = outcomes("." * 10 + "#" * 10 + "." * 20)
    assert kinds(found) == "s" + "h" * 7 + "h" * 5 + "pE"
    end = ended(found)
    assert end.speech_start == pytest.approx(10 * W)
    assert end.speech_end == pytest.approx(20 * W)
    assert end.at == pytest.approx(35 * W)
    assert end.start == pytest.approx(6 * W), "padding before speech"
    assert len(end.samples) == (4 + 10 + 5) * WINDOW, "silence after the pause is not handed on"
    assert not end.cut


def test_the_samples_are_those_of_the_stream() -> None:
    script = "." * 10 + "#" * 10 + "." * 20
    end = ended(outcomes(script, at=3.0))
    first = round((end.start - 3.0) * 16_000)
    assert np.array_equal(end.samples, audio(script)[first:first + len(end.samples)])


def test_a_click_is_no_speech() -> None:
    assert kinds(outcomes("...##" + "." * 30 + "##" + "." * 22)) == ""


def test_a_stop_inside_a_short_word_does_not_undo_it() -> None:
    assert kinds(outcomes("....##..#" + "." * 20))[0] == "s"


def test_a_flickering_probability_does_not_chop_a_word() -> None:
    found = outcomes("....####" + "--#" * 10 + "." * 15)
    assert kinds(found).count("p") == 1
    assert ended(found).speech_end == pytest.approx(38 * W)


def test_what_is_in_between_does_not_begin_speech() -> None:
    assert kinds(outcomes("-" * 40)) == ""


def test_a_pause_that_is_resumed_keeps_its_silence() -> None:
    script = "....#####" + "." * 9 + "####" + "." * 15
    found = outcomes(script)
    assert kinds(found).count("p") == 2
    resumed = next(i for i, o in enumerate(found) if isinstance(o, Resumed))
    assert isinstance(found[resumed + 1], Heard)
    assert len(found[resumed + 1].samples) == (4 + 1) * WINDOW, "what was held back, and speech"
    end = ended(found)
    assert np.array_equal(end.samples, audio(script)[:len(end.samples)])


def test_at_the_pause_the_recogniser_has_all_it_will_get_if_nothing_follows() -> None:
    found = outcomes("....########" + "." * 15)
    pause = next(i for i, o in enumerate(found) if isinstance(o, Paused))
    assert kinds(found[pause:]) == "pE"


def test_an_utterance_without_end_is_cut_at_the_maximum() -> None:
    end = ended(outcomes("...." + "#" * 200))
    assert end.cut
    assert len(end.samples) == 100 * WINDOW


def test_nobody_speaking_times_out() -> None:
    found = outcomes("." * 80)
    assert kinds(found) == "T"
    assert found[0].at == pytest.approx(60 * W)


def test_a_timeout_waits_for_speech_that_has_just_begun() -> None:
    assert kinds(outcomes("." * 59 + "#" * 8 + "." * 15))[0] == "s"


def test_a_timeout_of_its_own() -> None:
    assert outcomes("." * 80, timeout=20 * W)[0].at == pytest.approx(20 * W)


def test_after_the_end_nothing_is_taken_any_more() -> None:
    endpointer = Endpointer(Script("." * 99), replace(USUAL, timeout=0.5))
    assert kinds(list(endpointer.accept(np.zeros(16_000, np.int16)))) == "T"
    assert endpointer.done
    assert not endpointer.accept(np.zeros(16_000, np.int16))
    assert not endpointer.finish()


@pytest.mark.parametrize(("script", "expected"), [
    ("....######..", "E"), ("....######", "E"), ("....######.......", "E"), ("....", "T"),
    ("..#", "T")])
def test_the_end_of_the_audio_ends_the_utterance(script: str, expected: str) -> None:
    found = outcomes(script, finish=True)
    assert kinds(found)[-1] == expected


class TestAfterTheWakeWord:
    def test_speech_already_captured_is_not_lost(self) -> None:
        """The command was said in the same breath, and is in the ring when the word fires."""
        script = "#" * 12 + "." * 15
        end = ended(outcomes(script, after_wake=True))
        assert end.speech_start == 0.0
        assert np.array_equal(end.samples[:12 * WINDOW], audio(script)[:12 * WINDOW])

    def test_the_end_of_the_wake_word_is_no_command(self) -> None:
        assert kinds(outcomes("#####" + "." * 40, after_wake=True)) == ""
        assert kinds(outcomes("#####" + "." * 40, after_wake=False))[-1] == "E"

    def test_a_command_after_the_end_of_the_wake_word_is_heard(self) -> None:
        end = ended(outcomes("####......#####" + "." * 15, after_wake=True))
        assert end.speech_start == pytest.approx(10 * W)

    def test_a_command_right_after_the_wake_word_counts_from_its_own_beginning(self) -> None:
        end = ended(outcomes("##...#####" + "." * 15, after_wake=True))
        assert end.start == 0.0


def test_the_lead_only_lets_the_detector_settle() -> None:
    vad = Script("##" + "...." + "#" * 6 + "." * 15)
    endpointer = Endpointer(vad, USUAL, lead=np.zeros(2 * WINDOW + 100, np.int16))
    assert vad.place == 2
    assert kinds(list(endpointer.accept(audio("." * 25))))[0] == "s"


PROBABLE = st.text("...###-", min_size=1, max_size=120)


@given(PROBABLE, st.lists(st.integers(0, 3000), max_size=30).map(tuple), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_cutting_gives_the_same_outcomes(script: str, sizes: tuple[int, ...],
                                             after_wake: bool) -> None:
    whole = outcomes(script, finish=True, after_wake=after_wake)
    cut = outcomes(script, sizes=sizes, finish=True, after_wake=after_wake)
    assert kinds(whole) == kinds(cut)
    for one, other in zip(whole, cut, strict=True):
        assert one.at == other.at
        if isinstance(one, Started | Heard | Ended):
            assert np.array_equal(one.samples, other.samples)  # type: ignore[union-attr]


@given(PROBABLE)
@settings(max_examples=200, deadline=None)
def test_the_utterance_is_what_was_handed_on_and_is_of_one_piece(script: str) -> None:
    found = outcomes(script, finish=True)
    assert kinds(found).rstrip("ET") + kinds(found)[-1] == kinds(found), "one end, at the end"
    given_out = [o.samples for o in found if isinstance(o, Started | Heard)]
    if not isinstance(found[-1], Ended):
        assert not given_out
        return
    end = found[-1]
    assert np.array_equal(np.concatenate(given_out), end.samples)
    first = round(end.start * 16_000)
    assert np.array_equal(end.samples, audio(script)[first:first + len(end.samples)])
    assert end.start <= end.speech_start < end.speech_end <= end.at
    assert len(end.samples) <= 100 * WINDOW

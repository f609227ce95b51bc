"""The agent's reply in its own microphone is told from an answer.

Recorded sentences stand for the reply, recorded names for the answer; the loudspeaker reaches
the microphone at -10 dB and louder, late, and through a reverberating room.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audio.echo import EchoCheck, EchoGuard
from agent.audio.echopath import find_delay, predict, shifted, spectra_of, synthesise
from agent.audio.endpointing import Ended, Endpointer
from agent.audio.files import read
from agent.audio.reference import PlayedReference
from agent.audio.ring import Ring
from agent.audio.settings import EndpointSettings
from agent.audio.vad import SileroVad
from agent.emulate.acoustics import EchoPath, Leak

SECOND = 16_000
LEVEL = 1600.0
ROOMS = [Leak(-10, delay=0.03, reverberation=0.3, seed=1),
         Leak(-10, delay=0.25, reverberation=0.5, seed=2),
         Leak(0, delay=0.4, reverberation=0.8, seed=3),
         Leak(-3, delay=0.12, reverberation=0.2, seed=4)]


@pytest.fixture(scope="module")
def vad(model_path: Callable[[str], Path]) -> SileroVad:
    return SileroVad(model_path("silero-vad"))


@pytest.fixture(scope="module")
def clips(shared_data: Path) -> dict[str, list[np.ndarray]]:
    """Clips that begin and end with speech, at one level."""

    def load(folder: str, wanted: Callable[[dict[str, str]], bool]) -> list[np.ndarray]:
        lines = (shared_data / folder / "manifest.jsonl").read_text().splitlines()
        entries = [e for e in map(json.loads, lines) if wanted(e)]
        return [bare(read(shared_data / folder / e["audio"])) for e in entries[:8]]

    return {"replies": load("menu-orders", lambda e: True),
            "answers": load("names", lambda e: e["set"] == "in-context")}


def bare(samples: np.ndarray) -> np.ndarray:
    sound = samples.astype(float)
    energy = np.convolve(sound ** 2, np.ones(320) / 320, "same")
    loud = np.flatnonzero(energy > energy.max() * 0.01)
    sound = sound[loud[0]:loud[-1]]
    return sound * LEVEL / np.sqrt((sound ** 2).mean())


class Scene:
    """A reply from second 1 on, its echo, and what is said."""

    def __init__(self, reply: np.ndarray, leak: Leak | None) -> None:
        self.reply = np.clip(reply * 3, -32_000, 32_000).astype(np.int16)
        self.end = 1.0 + len(self.reply) / SECOND
        self.microphone = np.random.default_rng(1).standard_normal(
            round((self.end + 5) * SECOND)) * 4
        if leak is not None:
            played = np.zeros(len(self.microphone), np.int16)
            played[SECOND:SECOND + len(self.reply)] = self.reply
            echo = EchoPath(leak).next(played)
            level = np.sqrt((echo[SECOND:SECOND + len(self.reply)] ** 2).mean())
            self.microphone += echo * LEVEL * 10 ** (leak.level / 20) / level

    def say(self, clip: np.ndarray, at: float) -> None:
        place = round(at * SECOND)
        self.microphone[place:place + len(clip)] += clip[:len(self.microphone) - place]

    def captured(self, vad: SileroVad, opened: float) -> list[Ended]:
        samples, found = self.samples, []
        while True:
            place = round(opened * SECOND)
            pointer = Endpointer(vad, EndpointSettings(), at=opened,
                                 lead=samples[place - SECOND // 2:place], timeout=60.0)
            ended = next((o for o in (*pointer.accept(samples[place:]), *pointer.finish())
                          if isinstance(o, Ended)), None)
            if ended is None:
                return found
            found.append(ended)
            opened = ended.at

    @property
    def samples(self) -> np.ndarray:
        return np.clip(np.rint(self.microphone), -32_768, 32_767).astype(np.int16)

    def check(self, vad: SileroVad, utterance: Ended) -> EchoCheck:
        heard, played = Ring(30.0), PlayedReference()
        heard.add(self.samples)
        for place in range(0, len(self.reply), 320):
            played.record(self.reply[place:place + 320], 1.0 + place / SECOND)
        return EchoGuard(heard, played, vad.twin(), EndpointSettings()).check(utterance)


def begins(vad: SileroVad, scene: Scene, answer: np.ndarray, at: float) -> float:
    """When the answer begins to be speech, where nothing else sounds."""
    alone = Scene(scene.reply / 3, None)
    alone.say(answer, at)
    return alone.captured(vad, scene.end)[0].speech_start


@pytest.mark.parametrize("leak", ROOMS, ids=lambda leak: f"{leak.delay} s")
def test_the_tail_of_the_reply_is_no_answer(vad: SileroVad, clips: dict[str, list[np.ndarray]],
                                            leak: Leak) -> None:
    seen = 0
    for reply in clips["replies"][:5]:
        scene = Scene(reply, leak)
        for utterance in scene.captured(vad, scene.end):
            check = scene.check(vad, utterance)
            seen += 1
            assert check.own_echo
            assert check.explained > 0.2
            assert check.delay == pytest.approx(leak.delay, abs=0.005)
    assert seen or leak.delay < 0.2, "no tail was captured at all"


@pytest.mark.parametrize("leak", [*ROOMS, None], ids=lambda leak: f"{leak and leak.delay} s")
@pytest.mark.parametrize("pause", [0.05, 0.4, 1.2])
def test_an_answer_is_taken_whole(vad: SileroVad, clips: dict[str, list[np.ndarray]],
                                  leak: Leak | None, pause: float) -> None:
    """Straight after the reply is heard to end, a little later, and much later."""
    for reply, answer in zip(clips["replies"][:2], clips["answers"][2:], strict=False):
        scene = Scene(reply, leak)
        begin = scene.end + (leak.delay if leak else 0.0) + pause
        scene.say(answer, begin)
        checks = [scene.check(vad, u) for u in scene.captured(vad, scene.end)]
        taken = [c for c in checks if not c.own_echo]
        assert taken, "the answer was ignored"
        first = begins(vad, scene, answer, begin)
        assert taken[0].start < first + 0.05, "its beginning was cut off"
        last = taken[-1].start + len(taken[-1].samples) / SECOND
        assert last > begin + len(answer) / SECOND - 0.2, "its end was cut off"


def test_an_echo_before_the_answer_is_cut_off(vad: SileroVad,
                                              clips: dict[str, list[np.ndarray]]) -> None:
    """The tail and the answer, less than the trailing silence apart, are one utterance."""
    trimmed = 0
    for reply, answer in zip(clips["replies"], clips["answers"], strict=True):
        scene = Scene(reply, ROOMS[2])
        begin = scene.end + ROOMS[2].delay + 0.3
        scene.say(answer, begin)
        joined = [u for u in scene.captured(vad, scene.end)
                  if u.speech_start < begin - 0.3 and u.speech_end > begin + 0.1]
        for utterance in joined:
            check = scene.check(vad, utterance)
            assert not check.own_echo
            assert check.start < begins(vad, scene, answer, begin) + 0.05
            trimmed += check.start > begin - 0.35
            place = round((check.start - utterance.start) * SECOND)
            assert np.array_equal(check.samples, utterance.samples[place:])
    assert trimmed >= 4


def test_without_a_reply_nothing_is_an_echo(vad: SileroVad,
                                            clips: dict[str, list[np.ndarray]]) -> None:
    scene = Scene(np.zeros(SECOND), None)
    scene.say(clips["answers"][0], scene.end + 0.3)
    check = scene.check(vad, scene.captured(vad, scene.end)[0])
    assert check == EchoCheck(False, 0.0, None, check.start, check.samples)


def test_long_after_the_reply_nothing_is_an_echo_and_nothing_is_computed(
        clips: dict[str, list[np.ndarray]]) -> None:
    class Untouched:
        def probability(self, window: np.ndarray) -> float:
            raise AssertionError("not needed")

        reset = probability

    scene = Scene(clips["replies"][0], ROOMS[0])
    late = Ended(scene.end + 4, np.zeros(SECOND, np.int16), scene.end + 2.5, scene.end + 2.6,
                 scene.end + 3.4, False)
    heard, played = Ring(30.0), PlayedReference()
    heard.add(scene.samples)
    played.record(scene.reply, 1.0)
    guard = EchoGuard(heard, played, Untouched(), EndpointSettings())  # type: ignore[arg-type]
    assert not guard.check(late).own_echo


def test_a_reply_that_the_ring_has_forgotten_is_no_reason_to_refuse(
        vad: SileroVad, clips: dict[str, list[np.ndarray]]) -> None:
    scene = Scene(clips["replies"][0], ROOMS[1])
    heard, played = Ring(0.5), PlayedReference()
    heard.add(scene.samples)
    played.record(scene.reply, 1.0)
    utterance = Ended(scene.end + 1, np.zeros(SECOND, np.int16), scene.end, scene.end,
                      scene.end + 0.5, False)
    assert not EchoGuard(heard, played, vad.twin(), EndpointSettings()).check(utterance).own_echo


@given(delay=st.integers(-700, 9_500), seed=st.integers(0, 50))
def test_the_delay_is_found_to_the_sample(delay: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    reference = np.zeros(48_000, np.float32)
    reference[12_000:36_000] = random.standard_normal(24_000)
    microphone = np.roll(reference, delay) * 0.1 + random.standard_normal(48_000) * 0.05
    found = find_delay(microphone.astype(np.float32), reference)
    assert found.clear
    assert found.seconds == pytest.approx(delay / SECOND, abs=1 / SECOND)


@given(st.integers(0, 100))
def test_sounds_that_have_nothing_to_do_with_each_other_have_no_delay(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.standard_normal((2, 48_000)).astype(np.float32)
    assert not find_delay(one, other).clear


def test_digital_silence_has_no_delay() -> None:
    silence = np.zeros(48_000, np.float32)
    assert not find_delay(silence, silence).clear


@given(st.integers(512, 5000))
def test_taking_a_sound_apart_and_together_again_changes_nothing(length: int) -> None:
    sound = np.random.default_rng(length).standard_normal(length).astype(np.float32)
    again = synthesise(spectra_of(sound))
    inner = slice(256, len(again) - 256)
    assert np.allclose(again[inner], sound[:len(again)][inner], atol=1e-4)


def test_the_echo_of_a_known_path_is_predicted(clips: dict[str, list[np.ndarray]]) -> None:
    """Fitted to the first two thirds, it explains the last third."""
    reply = np.concatenate(clips["replies"][:2]).astype(np.float32) / 32_768
    heard = EchoPath(Leak(-10, 0.1, 0.4)).next((reply * 32_767).astype(np.int16)) / 32_768
    until = len(reply) * 2 // 3
    prediction = predict(heard.astype(np.float32), shifted(reply, find_delay(
        heard[:until].astype(np.float32), reply[:until])), until)
    rest = slice(until // 256, None)
    wrong = np.abs(np.log10(prediction.echo[rest].sum(axis=1) + 1e-9)
                   - np.log10(prediction.heard[rest].sum(axis=1) + 1e-9))
    loud = prediction.heard[rest].sum(axis=1) > prediction.heard.sum(axis=1).max() * 1e-3
    assert np.median(wrong[loud]) < 0.2, "2 dB"

"""Noise is mixed at the level asked for, and the same way every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.files import read
from agent.errors import AgentError
from agent.evaluate.noise import FRAME, excerpt, mix, peak_energy


def tone(samples: int, level: float = 8000.0) -> np.ndarray:
    return (level * np.sin(np.arange(samples) * 0.3)).astype(np.int16)


def hiss(samples: int, seed: int = 1, level: float = 2000.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(samples) * level).astype(np.int16)


@given(snr=st.floats(-10, 30), length=st.integers(FRAME, 40_000), key=st.text(max_size=8))
@settings(max_examples=40, deadline=None)
def test_the_loudest_frame_of_speech_stands_the_asked_level_above_that_of_noise(
        snr: float, length: int, key: str) -> None:
    speech, noise = tone(length), hiss(60_000)
    mixed = mix(key, speech, noise, snr).astype(np.float64)
    # The mix is a·speech + b·excerpt: solve for both and compare the levels.
    part = excerpt(key, noise, length)
    basis = np.stack([speech, part], axis=1).astype(np.float64)
    (a, b), *_ = np.linalg.lstsq(basis, mixed, rcond=None)
    voice, background = peak_energy(basis[:, 0] * a), peak_energy(basis[:, 1] * b)
    measured = 10 * np.log10(voice / background)
    assert measured == pytest.approx(snr, abs=0.05)


def test_the_peak_of_the_mix_is_half_of_full_scale() -> None:
    mixed = mix("a", tone(20_000, 300.0), hiss(50_000), 6.0)
    assert abs(int(np.abs(mixed.astype(int)).max()) - 16_384) <= 1


def test_the_same_clip_gets_the_same_noise_and_another_clip_gets_other_noise() -> None:
    speech, noise = tone(20_000), hiss(90_000)
    assert np.array_equal(mix("one", speech, noise, 10), mix("one", speech, noise, 10))
    assert not np.array_equal(mix("one", speech, noise, 10), mix("two", speech, noise, 10))


def test_noise_shorter_than_the_speech_is_repeated() -> None:
    part = excerpt("x", np.arange(10, dtype=np.int16), 35)
    assert len(part) == 35
    assert np.array_equal(np.diff(part) % 10, np.ones(34))


def test_speech_shorter_than_a_frame_is_measured_as_it_is() -> None:
    assert len(mix("short", tone(500), hiss(9000), 10)) == 500


@pytest.mark.parametrize(("speech", "noise", "blamed"), [
    (np.zeros(4000, np.int16), hiss(4000), "the clip"),
    (np.zeros(0, np.int16), hiss(4000), "the clip"),
    (tone(4000), np.zeros(4000, np.int16), "the noise"),
    (tone(4000), np.zeros(0, np.int16), "the noise"),
])
def test_silence_cannot_be_mixed(speech: np.ndarray, noise: np.ndarray, blamed: str) -> None:
    with pytest.raises(AgentError, match=f"clip-7.*{blamed}"):
        mix("clip-7", speech, noise, 10)


def test_recorded_speech_and_kitchen_noise(shared_data: Path) -> None:
    noise = read(shared_data / "noise" / "kitchen.flac")
    clip = next(iter(sorted((shared_data / "menu-orders" / "clips").glob("*.flac"))))
    speech = read(clip)
    quiet, loud = (mix(clip.stem, speech, noise, snr).astype(float) for snr in (12, 0))
    pause = slice(0, 3000)
    assert np.sqrt((loud[pause] ** 2).mean()) > 2 * np.sqrt((quiet[pause] ** 2).mean())

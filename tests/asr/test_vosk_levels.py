from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.asr.vosk.levels import BLOCK, Leveller
from agent.events import SAMPLE_RATE, Samples


def speech(level: float, floor: float = 10.0) -> Samples:
    """Half a second of noise floor, a second of syllables, half a second of floor."""
    draw = np.random.default_rng(3)
    floor_noise = draw.normal(0, floor, 2 * SAMPLE_RATE)
    syllables = np.zeros(2 * SAMPLE_RATE)
    voiced = slice(SAMPLE_RATE // 2, 3 * SAMPLE_RATE // 2)
    rhythm = np.abs(np.sin(np.arange(SAMPLE_RATE) * 2 * np.pi * 2 / SAMPLE_RATE))
    syllables[voiced] = draw.normal(0, level / 3, SAMPLE_RATE) * rhythm
    return np.clip(syllables + floor_noise, -32_768, 32_767).astype(np.int16)


def levelled(samples: Samples, sizes: list[int] | None = None) -> Samples:
    leveller = Leveller()
    out: list[Samples] = []
    at = 0
    for size in sizes or [320]:
        out += leveller.accept(samples[at:at + size])
        at += size
    out += leveller.accept(samples[at:])
    return np.concatenate([*out, *leveller.flush(), np.zeros(0, np.int16)])


@pytest.mark.parametrize("peak", [500, 2_000, 8_000, 30_000])
def test_speech_of_any_level_comes_out_at_one(peak: int) -> None:
    out = levelled(speech(peak, floor=peak / 300))
    assert 0.5 * 32_767 < np.abs(out.astype(int)).max() <= 0.71 * 32_767


def test_noise_before_the_speech_is_raised_no_more_than_the_speech() -> None:
    samples = speech(20_000)
    gain = np.abs(levelled(samples).astype(float)).max() / np.abs(samples.astype(float)).max()
    before = slice(0, SAMPLE_RATE // 2)
    assert levelled(samples)[before].std() <= 1.1 * gain * samples[before].std() + 1


def test_long_silence_before_the_speech_is_let_through_unchanged() -> None:
    samples = np.concatenate([speech(0.0), speech(0.0), speech(3_000)])
    assert np.array_equal(levelled(samples)[:2 * SAMPLE_RATE], samples[:2 * SAMPLE_RATE])
    assert np.abs(levelled(samples).astype(int)).max() > 0.5 * 32_767


def test_speech_that_grows_louder_is_not_clipped() -> None:
    samples = np.concatenate([speech(1_500), speech(28_000)])
    assert np.abs(levelled(samples).astype(int)).max() < 32_767


def test_a_pause_releases_what_is_held_back() -> None:
    leveller = Leveller()
    samples = speech(3_000)[:SAMPLE_RATE // 2 + 3 * BLOCK]
    assert leveller.accept(samples) == []
    assert sum(map(len, leveller.pause())) == len(samples)
    assert leveller.pause() == leveller.flush() == []


@given(st.lists(st.integers(0, 9_000), max_size=30), st.sampled_from([0, 700, 9_000]))
def test_the_sizes_of_the_pieces_change_nothing(sizes: list[int], level: int) -> None:
    samples = speech(level)
    assert np.array_equal(levelled(samples, sizes), levelled(samples, [len(samples)]))


@given(st.integers(0, 3 * BLOCK))
def test_no_sample_is_lost(length: int) -> None:
    assert len(levelled(speech(3_000)[:length])) == length

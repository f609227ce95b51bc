"""Audio of any form comes out as 16 kHz mono int16, however it is cut up."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.conversion import Converter, DcBlocker, to_float, to_int16
from agent.errors import AgentError

RATES = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 96_000)


def pieces(audio: np.ndarray, cuts: Sequence[int]) -> list[np.ndarray]:
    return np.split(audio, sorted({min(c, len(audio)) for c in cuts}))


def converted(audio: np.ndarray, rate: int, channels: int = 1,
              cuts: Sequence[int] = ()) -> np.ndarray:
    converter = Converter(rate, channels)
    out = [converter.accept(piece) for piece in pieces(audio, cuts)]
    return np.concatenate([*out, converter.finish()])


def noise(samples: int, channels: int = 1, level: float = 0.2) -> np.ndarray:
    shape = (samples, channels) if channels > 1 else samples
    return (np.random.default_rng(samples).standard_normal(shape) * level).astype(np.float32)


@given(rate=st.sampled_from(RATES), length=st.integers(0, 30_000))
@settings(max_examples=60, deadline=None)
def test_the_length_in_seconds_stays(rate: int, length: int) -> None:
    assert len(converted(noise(length), rate)) == pytest.approx(length * 16_000 / rate, abs=1.0)


@given(rate=st.sampled_from(RATES), channels=st.sampled_from([1, 2, 6]),
       cuts=st.lists(st.integers(0, 9_000), max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_cutting_does_not_matter(rate: int, channels: int, cuts: list[int]) -> None:
    audio = noise(9_000, channels) + np.float32(0.05)
    assert np.array_equal(converted(audio, rate, channels),
                          converted(audio, rate, channels, cuts))


@given(st.lists(st.integers(-32_768, 32_767), max_size=3_000))
@settings(max_examples=30, deadline=None)
def test_what_has_the_form_already_and_no_shift_passes_bit_for_bit(values: list[int]) -> None:
    samples = np.array([values, [-v - (v == -32_768) for v in values]]).T.reshape(-1)
    samples = np.clip(samples, -32_767, 32_767).astype(np.int16)
    assert np.array_equal(converted(to_float(samples), 16_000), samples)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_level(rate: int, tone: Callable[..., np.ndarray]) -> None:
    out = converted(to_float(tone(rate, hertz=1000.0, rate=rate)), rate).astype(float)
    spectrum = np.abs(np.fft.rfft(out[1000:15_000] * np.hanning(14_000)))
    assert np.argmax(spectrum) * 16_000 / 14_000 == pytest.approx(1000, abs=2)
    assert np.sqrt((out[1000:15_000] ** 2).mean()) == pytest.approx(8000 / np.sqrt(2), rel=0.01)


def test_what_is_above_the_band_is_not_folded_into_it(tone: Callable[..., np.ndarray]) -> None:
    out = converted(to_float(tone(48_000, hertz=11_000.0, rate=48_000)), 48_000)
    assert np.abs(out[500:-500]).max() < 30


def test_channels_are_averaged() -> None:
    stereo = np.stack([np.full(640, 0.25, np.float32) * np.tile([1, -1], 320),
                       np.full(640, 0.75, np.float32) * np.tile([1, -1], 320)], axis=1)
    assert set(np.abs(converted(stereo, 16_000, 2))) == {16_384}


def test_what_is_too_loud_is_clipped_and_does_not_wrap_round() -> None:
    out = converted(np.tile(np.array([2.0, -2.0], np.float32), 400), 16_000)
    assert set(out) == {32_767, -32_768}


def test_not_a_number_is_silence_and_infinity_is_full_scale() -> None:
    audio = np.array([np.nan, np.inf, -np.inf, 0.0] * 80, np.float32)
    assert list(to_int16(audio[:1])) == [0]
    assert list(converted(audio, 16_000)[:4]) == [0, 32_767, -32_768, 0]


@pytest.mark.parametrize("shift", [0.05, -0.2, 0.5])
def test_a_dc_shift_is_removed_and_the_sound_stays(shift: float) -> None:
    sound = noise(48_000, level=0.05)
    out = to_float(converted(sound + np.float32(shift), 16_000))
    assert abs(out[16_000:].mean()) < 0.002
    assert np.corrcoef(out, sound)[0, 1] > 0.99


@given(st.floats(-0.0099, 0.0099))
def test_a_small_shift_is_left_alone(shift: float) -> None:
    audio = np.full(1600, shift, np.float32)
    blocker = DcBlocker()
    assert np.array_equal(np.concatenate([blocker.accept(audio), blocker.finish()]), audio)


def test_removing_a_shift_that_comes_and_goes_makes_no_step() -> None:
    shift = np.concatenate([np.zeros(8000), np.linspace(0, 0.1, 16_000), np.full(16_000, 0.1),
                            np.linspace(0.1, 0, 16_000)]).astype(np.float32)
    blocker = DcBlocker()
    removed = shift - np.concatenate([blocker.accept(shift), blocker.finish()])
    assert np.abs(np.diff(removed)).max() < 0.0003


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (-1, 1), (3_999, 1), (10 ** 6, 1),
                                                (16_000, 0)])
def test_rates_and_channels_that_cannot_be_are_refused(rate: int, channels: int) -> None:
    with pytest.raises(AgentError, match="not supported"):
        Converter(rate, channels)

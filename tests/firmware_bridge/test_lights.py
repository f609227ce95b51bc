"""What the displays look like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.lights import BRIGHT, frame

DISPLAYS = [*range(wire.LAST_STATE + 1), wire.MUTED_BY_SWITCH, wire.HOST_LOST, wire.WAITING,
            wire.OFF]
MUTED = (wire.MUTED, wire.MUTED_BY_SWITCH)


def film(display: int, leds: int) -> list[list[tuple[int, int, int]]]:
    """Three seconds of it."""
    return [frame(display, wire.NO_LEVEL, wire.NO_DIRECTION, ms, leds)
            for ms in range(0, 3000, 33)]


@pytest.mark.parametrize("leds", [3, 8, 12, 16])
def test_no_two_displays_look_alike(leds: int) -> None:
    looks = [film(d, leds) for d in DISPLAYS if d not in (wire.OFF, wire.VOLUME)]
    assert all(a != b for i, a in enumerate(looks) for b in looks[:i])


@pytest.mark.parametrize("display", [d for d in DISPLAYS if d not in MUTED])
def test_pure_red_is_for_mute_alone(display: int) -> None:
    reds = [c for picture in film(display, 12) for c in picture if c[0] and not c[1] and not c[2]]
    assert not reds


def test_only_the_mute_switch_makes_the_ring_one_steady_colour() -> None:
    steady = [d for d in DISPLAYS if d not in (wire.OFF, wire.IDLE, wire.VOLUME)
              and all(p == film(d, 12)[0] and len(set(p)) == 1 for p in film(d, 12))]
    assert steady == [wire.MUTED_BY_SWITCH]


def test_listening_points_towards_the_voice() -> None:
    pixels = frame(wire.LISTENING, 50, 90, 0, 12)
    assert [i for i, c in enumerate(pixels) if c == (0, BRIGHT, BRIGHT)] == [3]
    assert frame(wire.LISTENING, 50, 359, 0, 12)[0] == (0, BRIGHT, BRIGHT)


@pytest.mark.parametrize("display", [wire.LISTENING, wire.SPEAKING])
def test_a_higher_level_is_brighter(display: int) -> None:
    light = [sum(map(sum, frame(display, level, 0, 0, 12))) for level in (0, 50, 100)]
    assert light[0] < light[1] < light[2]


@given(st.sampled_from(DISPLAYS), st.integers(0, 255), st.integers(0, 0xFFFF),
       st.integers(0, 10**9), st.integers(1, 64))
def test_every_led_always_has_a_colour_in_range(
        display: int, level: int, direction: int, ms: int, leds: int) -> None:
    pixels = frame(display, level, direction, ms, leds)
    assert len(pixels) == leds
    assert all(0 <= c <= BRIGHT for pixel in pixels for c in pixel)

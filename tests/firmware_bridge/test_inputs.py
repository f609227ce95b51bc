"""Button and switch, with contacts that bounce."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.inputs import Button, MuteSwitch


def presses(readings: list[bool]) -> list[tuple[int, int]]:
    """(millisecond, press) for one reading a millisecond."""
    button = Button()
    told = [(ms, button.update(ms, raw)) for ms, raw in enumerate(readings)]
    return [(ms, press) for ms, press in told if press]


def up(ms: int) -> list[bool]:
    return [False] * ms


def down(ms: int) -> list[bool]:
    return [True] * ms


def test_a_press_is_told_within_three_milliseconds() -> None:
    ((ms, press),) = presses(up(500) + down(60) + up(500))
    assert press == wire.PRESS
    assert ms <= 503


def test_a_press_right_after_the_start_counts() -> None:
    assert [p for _, p in presses(down(60) + up(100))] == [wire.PRESS]


def test_a_long_press_follows_its_press() -> None:
    told = presses(up(500) + down(2000) + up(500))
    assert [p for _, p in told] == [wire.PRESS, wire.LONG]
    assert told[1][0] - told[0][0] == Button.LONG_MS


def test_a_double_press_follows_its_press() -> None:
    assert [p for _, p in presses(up(500) + down(60) + up(100) + down(60) + up(500))] == [
        wire.PRESS, wire.DOUBLE]


def test_slow_presses_are_two_presses() -> None:
    assert [p for _, p in presses(up(500) + down(60) + up(400) + down(60) + up(500))] == [
        wire.PRESS, wire.PRESS]


def test_a_third_press_begins_anew() -> None:
    one = down(60) + up(100)
    assert [p for _, p in presses(up(500) + one * 3)] == [wire.PRESS, wire.DOUBLE, wire.PRESS]


def test_the_second_press_held_is_no_long_press() -> None:
    assert [p for _, p in presses(up(500) + down(60) + up(100) + down(2000))] == [
        wire.PRESS, wire.DOUBLE]


bounce = st.lists(st.booleans(), max_size=20)


@given(bounce, bounce)
def test_bouncing_contacts_make_one_press(closing: list[bool], opening: list[bool]) -> None:
    readings = up(500) + closing + down(60) + opening + up(500)
    assert [p for _, p in presses(readings)] == [wire.PRESS]


@given(st.integers(0, 400))
def test_a_spike_of_a_millisecond_is_no_press(at: int) -> None:
    assert presses(up(at) + down(1) + up(500)) == []


@given(bounce)
def test_a_bouncing_switch_is_unmuted_only_when_it_is_steady(bouncing: list[bool]) -> None:
    switch = MuteSwitch(False)
    readings = [True, *bouncing, True, *up(100)]
    muted = []
    for ms, raw in enumerate(readings):
        switch.update(ms, raw)
        muted.append(switch.muted)
    steady_from = len(bouncing) + 2
    assert all(muted[:steady_from + 50])
    assert not muted[steady_from + 50]

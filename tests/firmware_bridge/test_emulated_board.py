"""The board drawn in the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from firmware_bridge.emulated import KEYS, EmulatedBoard
from firmware_bridge.ring import draw


def drawn(board: EmulatedBoard) -> str:
    console = Console(width=100, color_system=None)
    with console.capture() as capture:
        console.print(board)
    return capture.get()


@pytest.mark.parametrize("leds", [1, 3, 8, 12, 16, 24])
def test_every_led_has_a_place_of_its_own(leds: int) -> None:
    console = Console(width=120, color_system=None)
    with console.capture() as capture:
        console.print(draw([(1, 2, 3)] * leds, {}, False, True))
    assert capture.get().count("●") == leds


def test_the_ring_and_the_keys_are_shown() -> None:
    with EmulatedBoard(leds=8) as board:
        text = drawn(board)
        assert text.count("○") + text.count("●") == 8
        assert all(f"[{key}]" in text for key in KEYS)
        board.key("m")
        assert "mute switch ON" in drawn(board)
        board.key("u")
        assert "unplugged" in drawn(board)


def test_a_key_without_a_meaning_is_told() -> None:
    with EmulatedBoard() as board:
        assert not board.key("x")


def test_the_port_stays_the_same_when_it_is_plugged_in_again() -> None:
    with EmulatedBoard() as board:
        port = board.port
        board.unplug()
        assert not Path(port).exists()
        board.plug()
        assert board.port == port
        assert Path(port).exists()
    board.close()
    assert not Path(port).exists()

"""Draws an LED ring in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from firmware_bridge.firmware.voiceboard.lights import BRIGHT

Pixels: TypeAlias = list[tuple[int, int, int]]

_UNLIT = "rgb(60,60,60)"


def draw(pixels: Pixels, keys: Mapping[str, str], muted: bool, plugged: bool) -> RenderableType:
    """The ring seen from above, first LED at the top, with the keys below it."""
    switch = "mute switch ON" if muted else "mute switch off"
    legend = Text("   ".join(f"[{key}] {does}" for key, does in keys.items()), style="dim")
    state = Text(switch if plugged else f"{switch}, unplugged", style="bold" if muted else "")
    return Panel(Group(_ring(pixels), state, legend), title="board", expand=False)


def _ring(pixels: Pixels) -> Text:
    # A character is twice as high as wide, so columns count double.
    radius = max(2, math.ceil(len(pixels) / 3))
    width, height = 4 * radius + 1, 2 * radius + 1
    places: dict[tuple[int, int], int] = {}
    for index in range(len(pixels)):
        angle = 2 * math.pi * index / len(pixels)
        row = radius - _nearest(radius * math.cos(angle))
        column = 2 * radius + _nearest(2 * radius * math.sin(angle))
        places[row, column] = index
    text = Text()
    for row in range(height):
        for column in range(width):
            index_here = places.get((row, column))
            if index_here is None:
                text.append(" ")
            else:
                text.append(*_led(pixels[index_here]))
        text.append("\n")
    return text


def _nearest(value: float) -> int:
    """Rounded away from zero, so that the ring is the same left and right."""
    return int(math.copysign(math.floor(abs(value) + 0.5 + 1e-9), value))


def _led(colour: tuple[int, int, int]) -> tuple[str, str]:
    """A lit or dark dot; the shape shows it too where the terminal has no colours."""
    if not any(colour):
        return "○", _UNLIT
    red, green, blue = (min(255, round(c * 255 / BRIGHT)) for c in colour)
    return "●", f"rgb({red},{green},{blue})"

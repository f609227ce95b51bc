"""Settings of the firmware bridge.

Declared as ``agent.settings`` declares them, without importing it: this package needs nothing of
the agent but its events.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeVar

T = TypeVar("T")


def _setting(default: T, doc: str, minimum: float | None = None,
             maximum: float | None = None) -> T:
    metadata = {"doc": doc, "minimum": minimum, "maximum": maximum}
    field: T = dataclasses.field(default=default, metadata=metadata)
    return field


@dataclasses.dataclass(frozen=True)
class Settings:
    """Which board has the lights, the button and the mute switch."""

    kind: Literal["none", "serial", "gpio"] = _setting(
        "none", "Where lights, button and mute switch are: no board, a board on a serial line "
                "(such as a Pico), or the Raspberry Pi's own pins.")
    port: str = _setting(
        "", "Serial device of the board, such as /dev/ttyACM0; empty: the first Pico found on USB.")
    gpio_leds: int = _setting(
        3, "Number of APA102 LEDs on the Raspberry Pi's SPI bus 0.", 1, 64)
    gpio_button: int = _setting(
        17, "GPIO number of the button, which closes to ground.", 0, 27)
    gpio_mute: int = _setting(
        -1, "GPIO number that the mute switch closes to ground while muted; -1: no switch.",
        -1, 27)
    gpio_cuts_supply: bool = _setting(
        False, "The mute switch breaks the microphone's supply; false: the agent mutes by "
               "software when the switch is closed.")
    gpio_python: str = _setting(
        "", "Python that has gpiozero and spidev; empty: this one, else the system's.")

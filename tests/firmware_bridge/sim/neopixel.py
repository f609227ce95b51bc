"""A simulated LED ring: each write becomes a line of hex digits on ``SIM_TRACE``."""

from machine import trace


class NeoPixel:
    """WS2812 LEDs."""

    def __init__(self, pin: object, count: int) -> None:
        self._colours = [(0, 0, 0)] * count

    def __setitem__(self, index: int, colour: tuple) -> None:
        self._colours[index] = colour

    def write(self) -> None:
        """Set the LEDs."""
        trace("leds " + "".join("{:02x}{:02x}{:02x}".format(*colour) for colour in self._colours))

"""A simulated LED ring: each write becomes a line of hex digits on ``SIM_TRACE``."""

from machine import trace


class NeoPixel:
    """WS2812 LEDs."""

    def __init__(self, pin, count):  # noqa: ANN001
        self._colours = [(0, 0, 0)] * count

    def __setitem__(self, index, colour):  # noqa: ANN001
        self._colours[index] = colour

    def write(self):  # noqa: ANN201
        """Set the LEDs."""
        trace("leds " + "".join("%02x%02x%02x" % colour for colour in self._colours))

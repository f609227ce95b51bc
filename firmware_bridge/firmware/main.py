"""Starts by itself on the Pico. Hold the button while plugging it in to get a prompt instead."""

# First of all: the line is binary, and a byte 0x03 in it is no Ctrl-C.
import micropython

micropython.kbd_intr(-1)

import machine  # noqa: E402
from voiceboard.board import Board  # noqa: E402
from voiceboard.pico import Pico, Settings  # noqa: E402
from voiceboard.run import run  # noqa: E402

settings = Settings()
# What differs on your board goes here, for example:
# settings.leds = 16
# settings.cuts_supply = False  # a USB microphone, which no switch can cut


def serve() -> None:
    """Run for ever; whatever goes wrong restarts the board, so that no prompt is ever reached."""
    restarted = machine.reset_cause() != machine.PWRON_RESET
    try:
        hardware = Pico(settings)
        board = Board(settings.leds, settings.mute_pin is not None, settings.cuts_supply,
                      hardware.muted(), restarted)
        run(board, hardware)
    finally:
        machine.reset()


if machine.Pin(settings.button_pin, machine.Pin.IN, machine.Pin.PULL_UP).value():
    serve()
else:
    micropython.kbd_intr(3)

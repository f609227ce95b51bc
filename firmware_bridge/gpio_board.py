"""Serves the Raspberry Pi's own LEDs, button and switch as a board; run by ``gpio_line``.

LEDs are APA102 on SPI bus 0 (as on ReSpeaker-style HATs), through ``spidev``; the button and the
switch close a GPIO to ground, through ``gpiozero``. Speaks the protocol on standard input and
output. Needs nothing of the agent, so that the system's Python can run it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Iterable
from typing import Protocol

from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.board import Board
from firmware_bridge.firmware.voiceboard.lights import frame
from firmware_bridge.firmware.voiceboard.run import Hardware, run

_ROUND_SECONDS = 0.005
"""Longest wait for the line: the button and the switch are read at least so often."""
_SPI_HERTZ = 4_000_000


class Spi(Protocol):
    """The part of ``spidev.SpiDev`` that is used."""

    max_speed_hz: int

    def open(self, bus: int, device: int) -> None:
        """Open ``/dev/spidev<bus>.<device>``."""
        ...

    def writebytes2(self, data: bytes) -> None:
        """Write bytes of any number."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Contact(Protocol):
    """The part of ``gpiozero.DigitalInputDevice`` that is used."""

    @property
    def is_active(self) -> bool:
        """Whether the contact is closed."""
        ...


def apa102(pixels: Iterable[tuple[int, int, int]]) -> bytes:
    """The bytes that set a chain of APA102 LEDs.

    A start of 32 zero bits; for each LED 0b111, five bits of overall current (31: the colours
    are dim enough already) and blue, green, red; then, as the APA102C data sheet's end frame
    falls short for long chains, half a clock edge for each LED and 32 more for the SK9822.
    """
    out = bytearray(4)
    count = 0
    for red, green, blue in pixels:
        out += bytes((0xFF, blue, green, red))
        count += 1
    return bytes(out + bytes(4 + (count + 15) // 16))


class Pins(Hardware):
    """The Raspberry Pi's hardware, and a line that is a pair of descriptors."""

    def __init__(self, spi: Spi, button: Contact, mute: Contact | None, reading: int,
                 writing: int) -> None:
        self._spi = spi
        self._button = button
        self._mute = mute
        self._reading = reading
        self._writing = writing
        self._open = True

    def now(self) -> int:
        """Milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def receive(self) -> bytes:
        """What the line brought."""
        ready, _, _ = select.select([self._reading], [], [], _ROUND_SECONDS)
        if not ready:
            return b""
        try:
            data = os.read(self._reading, 4096)
        except OSError:
            data = b""
        if not data:
            self._open = False
        return data

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        try:
            os.write(self._writing, data)
        except BlockingIOError:
            return
        except OSError:
            self._open = False

    def button(self) -> bool:
        """Whether the button is down."""
        return self._button.is_active

    def muted(self) -> bool:
        """Whether the mute switch is on."""
        return self._mute is not None and self._mute.is_active

    def show(self, pixels: list[tuple[int, int, int]]) -> None:
        """Set the LEDs."""
        self._spi.writebytes2(apa102(pixels))

    def running(self) -> bool:
        """Until the agent closed the line, or died, or ``stop`` was called."""
        return self._open

    def stop(self, *_: object) -> None:
        """End the loop; a signal handler too."""
        self._open = False


def serve(leds: int, button: int, mute: int, cuts_supply: bool, reading: int,
          writing: int) -> None:
    """Serve the pins with these GPIO numbers (``mute`` -1: no switch) until the line ends.

    The LEDs keep their colours without this process, so that its last act decides what people
    see from then on: dark after a goodbye, else that the agent is lost.
    """
    import gpiozero
    import spidev

    spi = spidev.SpiDev()
    spi.open(0, 0)
    spi.max_speed_hz = _SPI_HERTZ
    os.set_blocking(writing, False)
    contact = gpiozero.DigitalInputDevice(button, pull_up=True)
    switch = gpiozero.DigitalInputDevice(mute, pull_up=True) if mute >= 0 else None
    pins = Pins(spi, contact, switch, reading, writing)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, pins.stop)
        # Ctrl-C in a terminal reaches this process too; the agent says when to go.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    board = Board(leds, switch is not None, cuts_supply, pins.muted())
    try:
        run(board, pins)
    finally:
        pins.show(frame(board.without_host, wire.NO_LEVEL, wire.NO_DIRECTION, 0, leds))
        spi.close()
        contact.close()
        if switch is not None:
            switch.close()


def main(arguments: list[str]) -> int:
    """Command line: LEDs, button GPIO, mute GPIO, whether the switch cuts the supply."""
    leds, button, mute, cuts_supply = (int(a) for a in arguments)
    serve(leds, button, mute, bool(cuts_supply), sys.stdin.fileno(), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""The Raspberry Pi Pico's hardware: pins, WS2812 LEDs, USB or UART line, watchdog."""

import select
import sys
import time

import machine
import neopixel

from .run import Hardware

_WATCHDOG_MS = 1000
_CHUNK = 64


class Settings:
    """How the board is wired; ``main.py`` changes what differs."""

    leds = 12
    led_pin = 16
    button_pin = 14
    """Closes to ground."""
    mute_pin = 15
    """Closes to ground while the switch is in the muted position; None without a switch."""
    cuts_supply = True
    """The switch breaks the microphone's supply; False with a USB microphone."""
    uart = None
    """None for the line over USB, or (number, tx pin, rx pin) for a UART at 115,200 baud."""


class Clock:
    """Milliseconds that do not wrap, from ``ticks_ms``, which does after 12 days."""

    def __init__(self) -> None:
        self._ticks = time.ticks_ms()
        self._total = 0

    def now(self) -> int:
        """Milliseconds since the start."""
        ticks = time.ticks_ms()
        self._total += time.ticks_diff(ticks, self._ticks)
        self._ticks = ticks
        return self._total


class UsbLine:
    """The USB serial line that MicroPython itself would use for its prompt."""

    def __init__(self) -> None:
        self._in = select.poll()
        self._in.register(sys.stdin, select.POLLIN)
        self._out = select.poll()
        self._out.register(sys.stdout, select.POLLOUT)

    def receive(self) -> bytes:
        """Up to 64 bytes; waits a millisecond for the first."""
        data = bytearray()
        wait = 1
        while len(data) < _CHUNK and self._in.poll(wait):
            data.extend(sys.stdin.buffer.read(1) or b"")
            wait = 0
        return bytes(data)

    def send(self, data: bytes) -> None:
        """Write, unless the host stopped reading."""
        if self._out.poll(0):
            sys.stdout.buffer.write(data)


class UartLine:
    """A line over two wires, for boards that are not on USB."""

    def __init__(self, number: int, tx: int, rx: int) -> None:
        self._uart = machine.UART(number, 115200, tx=machine.Pin(tx), rx=machine.Pin(rx))

    def receive(self) -> bytes:
        """What has arrived; waits a millisecond when nothing has."""
        waiting = self._uart.any()
        if not waiting:
            time.sleep_ms(1)
            return b""
        return self._uart.read(min(waiting, _CHUNK)) or b""

    def send(self, data: bytes) -> None:
        """Write."""
        self._uart.write(data)


class Pico(Hardware):
    """All of it together."""

    def __init__(self, settings: Settings) -> None:
        pull_up = machine.Pin.PULL_UP
        self._button = machine.Pin(settings.button_pin, machine.Pin.IN, pull_up)
        self._mute = None
        if settings.mute_pin is not None:
            self._mute = machine.Pin(settings.mute_pin, machine.Pin.IN, pull_up)
        self._ring = neopixel.NeoPixel(machine.Pin(settings.led_pin), settings.leds)
        self._line = UartLine(*settings.uart) if settings.uart else UsbLine()
        self._clock = Clock()
        self._watchdog = None

    def now(self) -> int:
        """Milliseconds since the start."""
        return self._clock.now()

    def receive(self) -> bytes:
        """What the line brought."""
        return self._line.receive()

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        self._line.send(data)

    def button(self) -> bool:
        """Whether the button is down."""
        return not self._button.value()

    def muted(self) -> bool:
        """Whether the mute switch is on."""
        return self._mute is not None and not self._mute.value()

    def show(self, pixels: list[tuple[int, int, int]]) -> None:
        """Set the LEDs."""
        for index, colour in enumerate(pixels):
            self._ring[index] = colour
        self._ring.write()

    def running(self) -> bool:
        """Feed the watchdog, which restarts a board that hangs for a second."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)
        self._watchdog.feed()
        return True

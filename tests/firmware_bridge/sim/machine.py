"""A simulated ``machine`` for MicroPython's Unix port: pins from a file, a watchdog that tells.

``SIM_PINS`` names a file with one character for each GPIO, ``1`` high; ``SIM_TRACE`` a file or
pipe that is told what happens.
"""

import os
import sys
import time

PWRON_RESET = 1
WDT_RESET = 3

_pins = open(os.getenv("SIM_PINS"), "rb")  # noqa: SIM115, PTH123
_trace = open(os.getenv("SIM_TRACE"), "wb")  # noqa: SIM115, PTH123


def trace(line: str) -> None:
    """Tell the test something, with the time: microseconds on the system's monotonic clock."""
    _trace.write(f"{time.ticks_us()} {line}\n".encode())


class Pin:
    """An input that the test drives, or an output that goes nowhere."""

    IN = 0
    PULL_UP = 1

    def __init__(self, number: int, mode: object = None, pull: object = None) -> None:
        self._number = number
        if mode == self.IN and pull != self.PULL_UP:
            trace(f"floating input {number}")

    def value(self) -> int:
        """1 when high."""
        _pins.seek(self._number)
        return int(_pins.read(1) == b"1")


class WDT:
    """A watchdog that complains instead of restarting the board."""

    def __init__(self, timeout: int) -> None:
        self._timeout = timeout
        self._fed = time.ticks_ms()

    def feed(self) -> None:
        """Put it off."""
        now = time.ticks_ms()
        if time.ticks_diff(now, self._fed) > self._timeout:
            trace("watchdog")
        self._fed = now


def reset_cause() -> int:
    """Why the board started."""
    return int(os.getenv("SIM_RESET") or PWRON_RESET)


def reset() -> None:
    """The board restarts; here, it ends."""
    trace("reset")
    sys.exit(3)

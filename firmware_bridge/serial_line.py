"""A serial line, by pyserial: USB boards, UARTs and pseudo-terminals."""

from __future__ import annotations

import contextlib
import os

from firmware_bridge.line import LineError, Opener

BAUD = 115_200
"""Bits a second of a UART; USB and pseudo-terminals ignore it."""

_PICO = (0x2E8A, 0x0005)
"""USB vendor and product that MicroPython on a Pico shows."""


class SerialLine:
    """An open serial port.

    Raises:
        LineError: It is not there, is in use, or may not be opened.
    """

    def __init__(self, port: str) -> None:
        import serial

        try:
            self._port = serial.Serial(port, BAUD, timeout=0, write_timeout=0, exclusive=True)
        except (serial.SerialException, OSError, ValueError) as error:
            raise LineError(f"{port}: {_reason(error)}") from error
        self._broken = (serial.SerialException, OSError, TypeError)

    def fileno(self) -> int:
        """Descriptor of the port."""
        return int(self._port.fileno())

    def read(self) -> bytes:
        """What has come."""
        try:
            return bytes(self._port.read(4096))
        except self._broken as error:
            raise LineError(_reason(error)) from error

    def write(self, data: bytes) -> None:
        """Send what fits."""
        try:
            self._port.write(data)
        except self._broken as error:
            raise LineError(_reason(error)) from error

    def close(self) -> None:
        """Close the port."""
        with contextlib.suppress(*self._broken):
            self._port.close()


def serial_opener(port: str) -> Opener:
    """Opens ``port``, or where that is empty the first Pico on USB, anew at each call."""

    def opener() -> SerialLine:
        return SerialLine(port or _find())

    return opener


def _find() -> str:
    from serial.tools import list_ports

    found = sorted(p.device for p in list_ports.comports() if (p.vid, p.pid) == _PICO)
    if not found:
        raise LineError("no Pico found on USB (set bridge.port if it is elsewhere)")
    return str(found[0])


def _reason(error: Exception) -> str:
    # pyserial's texts repeat the port and suspect what cannot be; the system's are short.
    if "exclusively lock" in str(error):
        return "in use by another program"
    if isinstance(error, OSError) and error.errno is not None:
        return os.strerror(error.errno)
    return "it is gone"

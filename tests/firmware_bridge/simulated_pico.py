"""The firmware's own files under real MicroPython, with simulated pins, behind a pty."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TypeAlias

import fetch_micropython

SIM = Path(__file__).resolve().parent / "sim"
FIRMWARE = Path(__file__).resolve().parents[2] / "firmware_bridge" / "firmware"
BUTTON, MUTE = 14, 15


@dataclass
class Trace:
    """What the firmware did, and when (on ``time.monotonic``'s clock)."""

    lines: list[tuple[float, str]] = field(default_factory=list)

    def leds(self) -> list[tuple[float, str]]:
        """Every write of the LED ring, as hex digits."""
        return [(at, line[5:]) for at, line in list(self.lines) if line.startswith("leds ")]

    def done(self) -> list[tuple[int, bytes, int]]:
        """Every command carried out: type, body, result."""
        found = []
        for _, line in list(self.lines):
            if line.startswith("did "):
                _, kind, body, result = line.split(" ")
                found.append((int(kind), bytes.fromhex(body.strip("-")), int(result)))
        return found

    def has(self, text: str) -> bool:
        return any(line == text for _, line in list(self.lines))


class SimulatedPico:
    """A Pico on a line; ``port`` is where the host finds it."""

    def __init__(self, muted: bool = False, reset_cause: int = 1, button: bool = False) -> None:
        command = fetch_micropython.command()
        self.trace = Trace()
        self._folder = TemporaryDirectory()
        self._pins = Path(self._folder.name) / "pins"
        levels = bytearray(b"1" * 30)
        levels[BUTTON] = ord("0" if button else "1")
        levels[MUTE] = ord("0" if muted else "1")
        self._pins.write_bytes(bytes(levels))
        self._pin_file = os.open(self._pins, os.O_WRONLY)
        # The firmware has the master's end, so that the host can come and go as it likes.
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        reading, writing = os.pipe()
        env = {"MICROPYPATH": f"{SIM}:{FIRMWARE}", "SIM_PINS": str(self._pins),
               "SIM_TRACE": f"/dev/fd/{writing}", "SIM_RESET": str(reset_cause)}
        self.process = subprocess.Popen(
            [*command, str(SIM / "traced.py")], stdin=self._master, stdout=self._master,
            stderr=subprocess.PIPE, env=env, pass_fds=(writing,))
        os.close(writing)
        self._reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self._reader.start()

    def button(self, down: bool) -> None:
        os.pwrite(self._pin_file, b"0" if down else b"1", BUTTON)

    def mute(self, muted: bool) -> None:
        os.pwrite(self._pin_file, b"0" if muted else b"1", MUTE)

    def wait_for(self, leds: str, after: float, seconds: float = 3.0) -> float:
        """When the ring showed ``leds`` (hex digits of one or all LEDs) after that moment."""
        wanted = leds * (12 if len(leds) == 6 else 1)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for at, shown in self.trace.leds():
                if at >= after and shown == wanted:
                    return at
            time.sleep(0.005)
        raise AssertionError(f"the ring never showed {leds}; last: {self.trace.lines[-3:]}")

    def _read(self, descriptor: int) -> None:
        with os.fdopen(descriptor, "rb", buffering=0) as pipe:
            tail = b""
            while data := pipe.read(65536):
                *lines, tail = (tail + data).split(b"\n")
                for line in lines:
                    at, _, text = line.decode().partition(" ")
                    self.trace.lines.append((int(at) / 1e6, text))

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join(1)
        for descriptor in (self._master, self._slave, self._pin_file):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        if self.process.stderr:
            self.process.stderr.close()
        self._folder.cleanup()

    def __enter__(self) -> SimulatedPico:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()


MakePico: TypeAlias = Callable[..., SimulatedPico]
"""The fixture ``make_pico``."""

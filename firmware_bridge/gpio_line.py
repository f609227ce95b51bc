"""A line to the Raspberry Pi's own LEDs, button and switch: a small process of their own.

That process runs the same program as a Pico, so that these lights too tell the truth when the
agent hangs or is killed: it notices that the heartbeat stopped or the line was closed, and shows
so.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge import BridgeUnavailableError
from firmware_bridge.line import LineError, Opener

_SYSTEM_PYTHON = "/usr/bin/python3"
_NEEDED = ("gpiozero", "spidev")


@dataclass(frozen=True, slots=True)
class GpioPins:
    """How the LEDs, the button and the switch are wired."""

    leds: int = 3
    button: int = 17
    mute: int = -1
    """-1: no switch."""
    cuts_supply: bool = False


class ChildLine:
    """A process that serves a board's protocol on its standard input and output."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        self._socket = ours
        try:
            self._process = subprocess.Popen(command, stdin=theirs.fileno(),
                                             stdout=theirs.fileno(), env=env)
        except OSError as error:
            ours.close()
            raise LineError(f"{command[0]} cannot be started: {error.strerror}") from error
        finally:
            theirs.close()

    def fileno(self) -> int:
        """Descriptor of our end."""
        return self._socket.fileno()

    def read(self) -> bytes:
        """What has come."""
        try:
            data = self._socket.recv(4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise LineError(str(error.strerror)) from error
        if not data:
            raise LineError(f"the process that serves the pins ended ({self._process.poll()})")
        return data

    def write(self, data: bytes) -> None:
        """Send what fits."""
        try:
            self._socket.send(data)
        except BlockingIOError:
            return
        except OSError as error:
            raise LineError(str(error.strerror)) from error

    def close(self) -> None:
        """End the process: it stops when the line is closed, and is made to if it does not."""
        self._socket.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.5)


def gpio_opener(pins: GpioPins, python: str = "") -> Opener:
    """Starts the process that serves ``pins``, anew at each call.

    Args:
        pins: How they are wired.
        python: Interpreter that has gpiozero and spidev; empty: this one if it has, else the
            system's, for which Debian packages both.

    Raises:
        BridgeUnavailableError: No interpreter has both.
    """
    interpreter = python or _interpreter()
    command = [interpreter, "-m", "firmware_bridge.gpio_board", str(pins.leds), str(pins.button),
               str(pins.mute), "1" if pins.cuts_supply else "0"]
    root = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join(filter(None, [root, inherited]))
    env = {**{k: v for k, v in os.environ.items() if k in _PASSED_ON}, "PYTHONPATH": path}
    return lambda: ChildLine(command, env)


# The child needs none of the agent's secrets.
_PASSED_ON = ("PATH", "HOME", "LANG", "GPIOZERO_PIN_FACTORY", "LG_WD")


def _interpreter() -> str:
    if all(importlib.util.find_spec(name) for name in _NEEDED):
        return sys.executable
    check = f"import {', '.join(_NEEDED)}"
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        if subprocess.run([_SYSTEM_PYTHON, "-c", check], capture_output=True, timeout=20,
                          check=False).returncode == 0:
            return _SYSTEM_PYTHON
    raise BridgeUnavailableError(
        "the Raspberry Pi's pins need gpiozero and spidev, and no Python here has both",
        "sudo apt install python3-gpiozero python3-spidev python3-lgpio, or set "
        "bridge.kind to \"none\" or \"serial\"")

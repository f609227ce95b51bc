"""A board for the desktop: the firmware's own program, with keys and a drawn LED ring.

    with EmulatedBoard() as board:
        bridge = open_bridge(Settings(kind="serial", port=board.port), events, now)
        live.update(board)          # a rich renderable: the ring and the keys
        board.key("b")              # as typed by the user

It runs in a thread of its own behind a pseudo-terminal, and goes on when the agent's loop hangs,
as a real board would.
"""

from __future__ import annotations

import os
import pty
import select
import tempfile
import threading
import time
import tty
from pathlib import Path
from types import TracebackType

from rich.console import RenderableType

from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.board import Board
from firmware_bridge.firmware.voiceboard.run import Hardware, run
from firmware_bridge.ring import Pixels, draw

_ROUND_SECONDS = 0.002
_CLICK = ((0, 60),)
_LONG = ((0, 900),)
_DOUBLE = ((0, 60), (160, 220))
KEYS = {"b": "button", "l": "long press", "d": "double press", "m": "mute switch",
        "u": "unplug / plug in"}
"""What each key does."""


_WORDS = {wire.IDLE: "dark: idle", wire.WAKE: "cyan: wake word heard",
          wire.LISTENING: "blue: listening", wire.THINKING: "violet: thinking",
          wire.SPEAKING: "green: speaking", wire.FOLLOW_UP: "every second blue: answer now",
          wire.MUTED: "every second red: muted by software", wire.ERROR: "amber: error",
          wire.UPDATING: "white: updating", wire.VOLUME: "white bar: volume",
          wire.MUTED_BY_SWITCH: "all red: the switch has cut the microphone",
          wire.HOST_LOST: "amber halves: the agent is gone",
          wire.WAITING: "faint amber: waiting for the agent", wire.OFF: "dark: the agent has left"}


class _Wires(Hardware):
    """The emulated hardware; the outside touches it from another thread, in whole values."""

    def __init__(self) -> None:
        self.pixels: Pixels = []
        self.switch = False
        self.stopped = threading.Event()
        self.master = -1
        self._presses: tuple[tuple[int, int], ...] = ()

    def press(self, pattern: tuple[tuple[int, int], ...]) -> None:
        """Press the button: (down, up) in milliseconds from now."""
        now = self.now()
        self._presses = tuple((now + down, now + up) for down, up in pattern)

    def now(self) -> int:
        """Milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def receive(self) -> bytes:
        """What the line brought."""
        master = self.master
        if master < 0:
            time.sleep(_ROUND_SECONDS)
            return b""
        try:
            ready, _, _ = select.select([master], [], [], _ROUND_SECONDS)
            return os.read(master, 4096) if ready else b""
        except (OSError, ValueError):
            return b""  # unplugged at this moment

    def send(self, data: bytes) -> None:
        """Put bytes on the line."""
        if self.master >= 0:
            try:
                os.write(self.master, data)
            except OSError:
                return  # full, because nobody reads, or unplugged at this moment

    def button(self) -> bool:
        """Whether the button is down."""
        now = self.now()
        return any(down <= now < up for down, up in self._presses)

    def muted(self) -> bool:
        """Whether the mute switch is on."""
        return self.switch

    def show(self, pixels: Pixels) -> None:
        """Set the LEDs."""
        self.pixels = pixels

    def running(self) -> bool:
        """Until closed."""
        return not self.stopped.is_set()


class EmulatedBoard:
    """A board in this process.

    Args:
        leds: Number of LEDs in the ring.
        cuts_supply: Its switch counts as breaking the microphone's supply; else it stands for a
            device with a USB microphone, which is muted by software.
    """

    def __init__(self, leds: int = 12, cuts_supply: bool = True) -> None:
        self._wires = _Wires()
        self._wires.pixels = [(0, 0, 0)] * leds
        self._board = Board(leds, True, cuts_supply)
        self._folder = tempfile.TemporaryDirectory(prefix="voice-agent-board-")
        self._link = Path(self._folder.name) / "board"
        self._slave = -1
        self.plug()
        self._thread = threading.Thread(target=run, args=(self._board, self._wires),
                                        name="emulated board", daemon=True)
        self._thread.start()

    @property
    def port(self) -> str:
        """The serial port it is at; stays the same through ``unplug`` and ``plug``."""
        return str(self._link)

    @property
    def display(self) -> int:
        """What the lights show, as the protocol numbers it."""
        return self._board.display

    @property
    def shows(self) -> str:
        """What the lights show, in words."""
        return _WORDS.get(self.display, str(self.display))

    @property
    def pixels(self) -> Pixels:
        """The LEDs' colours, (red, green, blue) 0 to 255 each."""
        return self._wires.pixels

    @property
    def muted(self) -> bool:
        """The switch is in its muted position."""
        return self._wires.switch

    @property
    def plugged(self) -> bool:
        """The board is on the line."""
        return self._wires.master >= 0

    def key(self, key: str) -> bool:
        """Do what a key of ``KEYS`` stands for; False for any other key."""
        match key:
            case "b":
                self._wires.press(_CLICK)
            case "l":
                self._wires.press(_LONG)
            case "d":
                self._wires.press(_DOUBLE)
            case "m":
                self._wires.switch = not self._wires.switch
            case "u":
                self.unplug() if self.plugged else self.plug()
            case _:
                return False
        return True

    def unplug(self) -> None:
        """Take the board off the line; it stays powered."""
        if self.plugged:
            master, self._wires.master = self._wires.master, -1
            self._link.unlink()
            # The board's thread must not be reading a descriptor that is closed and reused.
            time.sleep(2 * _ROUND_SECONDS)
            os.close(master)
            os.close(self._slave)

    def plug(self) -> None:
        """Put it back on the line."""
        if not self.plugged:
            master, self._slave = pty.openpty()
            tty.setraw(self._slave)
            os.set_blocking(master, False)
            self._link.symlink_to(os.ttyname(self._slave))
            self._wires.master = master

    def close(self) -> None:
        """Stop it; safe to call more than once."""
        self._wires.stopped.set()
        self._thread.join()
        self.unplug()
        self._folder.cleanup()

    def __enter__(self) -> EmulatedBoard:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.close()

    def __rich__(self) -> RenderableType:
        return draw(self.pixels, KEYS, self.muted, self.plugged)

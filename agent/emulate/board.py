"""An emulated board in the terminal: its LED ring beneath the conversation, its keys read."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Iterator

from rich.console import Console
from rich.live import Live

from firmware_bridge.emulated import EmulatedBoard

REDRAWN = 8.0
"""Times a second."""
LOOKED_AT = 0.05
"""Seconds between two looks at what it shows, where it is told in lines."""


@contextlib.asynccontextmanager
async def shown_board(console: Console) -> AsyncIterator[EmulatedBoard]:
    """A board that is shown until the context ends.

    On a terminal the ring is drawn beneath what the console prints, and the keys of
    ``firmware_bridge.emulated.KEYS`` do what the ring's legend says. Elsewhere what it shows is
    told in a line whenever it changes.

    Args:
        console: Where; print to no other while the board is shown.
    """
    with EmulatedBoard() as board, contextlib.ExitStack() as stack:
        if not console.is_terminal:
            telling = asyncio.create_task(_tell(board, console))
            stack.callback(telling.cancel)
        else:
            stack.enter_context(Live(board, console=console, refresh_per_second=REDRAWN))
        if sys.stdin.isatty():
            stack.enter_context(_keys(board))
        yield board


async def _tell(board: EmulatedBoard, console: Console) -> None:
    told = ""
    while True:
        if board.shows != told:
            told = board.shows
            console.print(f"{'':11}{'board':<12}{told}", soft_wrap=True)
        await asyncio.sleep(LOOKED_AT)


@contextlib.contextmanager
def _keys(board: EmulatedBoard) -> Iterator[None]:
    """Take each key as it is typed, without echo; Ctrl-C stays what it is."""
    terminal, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(terminal)

    def take() -> None:
        typed = os.read(terminal, 64)
        if not typed:
            loop.remove_reader(terminal)
        for key in typed.decode(errors="replace"):
            board.key(key.lower())

    tty.setcbreak(terminal)
    loop.add_reader(terminal, take)
    try:
        yield
    finally:
        loop.remove_reader(terminal)
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)

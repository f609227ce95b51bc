"""``voice-agent run``: listen on the microphone and talk."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.config import Config
from agent.errors import AgentError
from models.errors import ModelError

HELP = "listen on the microphone and talk"

GRACE = 0.8
"""Seconds that stopping may take before the process ends regardless."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings file")
    parser.add_argument("--word", metavar="WORD", help="wake word, in place of the settings'")
    parser.add_argument("--stdin", action="store_true",
                        help="listen to raw 16-bit little-endian PCM on standard input")
    parser.add_argument("--rate", type=int, default=16_000, help="its sample rate, Hz")
    parser.add_argument("--channels", type=int, default=1, help="its channel count")
    parser.add_argument("--board", action="store_true",
                        help="show an emulated board with lights, button and mute switch, in "
                        "place of the settings' own")
    parser.add_argument("--quiet", action="store_true",
                        help="do not show the conversation in the terminal")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM (exit code 0), or until standard input ends."""
    from agent.config import load

    config = with_word(load(args.config), args.word)
    set_up_logging(config)
    try:
        code = asyncio.run(_until_stopped(_run(config, args)))
    except (AgentError, ModelError) as error:
        _announce(f"voice-agent: {error}")
        code = 1
    except Exception as error:
        _announce(f"voice-agent: {_place_of(error)}")
        code = 1
    _leave(code)
    return code


def _place_of(error: BaseException) -> str:
    """The kind of an error and where it was raised; its message may hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"internal error: {type(error).__name__} at {places}"


def with_word(config: Config, word: str | None) -> Config:
    """The settings with another wake word."""
    return config if word is None else replace(config, wake=replace(config.wake, word=word))


def set_up_logging(config: Config) -> None:
    """Log to standard error, as much as the settings say."""
    logging.basicConfig(level=config.log.level.upper(),
                        format="%(levelname)s %(name)s: %(message)s")


async def _run(config: Config, args: argparse.Namespace) -> int:
    from rich.console import Console

    from agent.app import build
    from agent.devices import open_devices, open_stdin
    from agent.emulate.board import shown_board
    from agent.events import EventBus
    from agent.observers import LogObserver, watch_terminal
    from agent.worker import Workload

    bus, console = EventBus(), Console(highlight=False)
    LogObserver(bus, config.log.log_transcripts)
    if sys.stdout.isatty() and not args.quiet:
        watch_terminal(bus, console)
    async with contextlib.AsyncExitStack() as stack:
        if args.board:
            board = await stack.enter_async_context(shown_board(console))
            config = replace(config, bridge=replace(config.bridge, kind="serial",
                                                    port=board.port))
        devices = (open_stdin(config, args.rate, args.channels, bus) if args.stdin
                   else open_devices(config))
        agent = await build(config, devices, bus, Workload(), _announce)
        _announce(f"say “{config.wake.word}”; Ctrl-C ends")
        await agent.run()
    return 0


async def _until_stopped(work: Coroutine[Any, Any, int]) -> int:
    """Run until the end or a signal; both are an end that was wanted."""
    asyncio.get_running_loop().set_exception_handler(_on_stray_error)
    task = asyncio.create_task(work)
    _stop_on_signals(task)
    with contextlib.suppress(asyncio.CancelledError):
        return await task
    return 0


def _on_stray_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An error that nobody waited for: told without its message, unlike asyncio's own log."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        logging.getLogger("voice-agent").warning("%s", _place_of(error))


def _announce(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _stop_on_signals(task: asyncio.Task[int]) -> None:
    """Cancel the task at Ctrl-C and SIGTERM; end at the second one, or when it takes too long.

    Plain handlers and a thread, unlike asyncio's own, work while the event loop is busy too.
    """
    loop = asyncio.get_running_loop()
    asked = threading.Event()

    def stop(number: int, frame: object) -> None:
        if asked.is_set():
            os._exit(0)
        asked.set()
        with contextlib.suppress(RuntimeError):  # the loop has ended already
            loop.call_soon_threadsafe(task.cancel)
        late = threading.Timer(GRACE, os._exit, (0,))
        late.daemon = True
        late.start()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _leave(code: int) -> None:
    """End now: a decode in progress on a worker thread would hold the interpreter up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

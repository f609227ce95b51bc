"""``voice-agent run``: listen on the microphone and talk."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from agent.config import Config
from agent.errors import AgentError

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
    parser.add_argument("--quiet", action="store_true",
                        help="do not show the conversation in the terminal")


def run(args: argparse.Namespace) -> int:
    """Run until Ctrl-C or SIGTERM (exit code 0), or until standard input ends."""
    from agent.config import load

    config = with_word(load(args.config), args.word)
    set_up_logging(config)
    code = asyncio.run(_run(config, args))
    _leave(code)
    return code


def with_word(config: Config, word: str | None) -> Config:
    """The settings with another wake word."""
    from dataclasses import replace

    return config if word is None else replace(config, wake=replace(config.wake, word=word))


def set_up_logging(config: Config) -> None:
    """Log to standard error, as much as the settings say.

    Raises:
        AgentError: There is no such level.
    """
    level = logging.getLevelName(config.log.level.upper())
    if not isinstance(level, int):
        raise AgentError(f"log.level: no level {config.log.level!r}",
                         "one of debug, info, warning, error")
    logging.basicConfig(level=level, format="%(levelname)s %(name)s: %(message)s")


async def _run(config: Config, args: argparse.Namespace) -> int:
    from agent.app import build
    from agent.devices import open_devices, open_stdin
    from agent.events import EventBus
    from agent.observers import LogObserver, watch_terminal
    from agent.worker import Workload

    bus = EventBus()
    LogObserver(bus, config.log.log_transcripts)
    announce = _announcer(args)
    if sys.stdout.isatty() and not args.quiet:
        watch_terminal(bus)
    devices = (open_stdin(config, args.rate, args.channels) if args.stdin
               else open_devices(config))
    agent = await build(config, devices, bus, Workload(), announce)
    task = asyncio.create_task(agent.run())
    _stop_on_signals(task)
    announce(f"say “{config.wake.word}”; Ctrl-C ends")
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return 0


def _announcer(args: argparse.Namespace) -> Callable[[str], None]:
    def announce(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    return announce


def _stop_on_signals(task: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()

    def stop() -> None:
        task.cancel()
        loop.call_later(GRACE, _leave, 0)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _leave(code: int) -> None:
    """End now: a decode in progress on a worker thread would hold the interpreter up."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)

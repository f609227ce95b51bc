"""Runs the programs that the user configured: argument lists, never a shell."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.errors import AgentError

MAX_OUTPUT = 4096
"""Bytes of a program's output that are kept."""

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Result:
    """How a program ended."""

    code: int | None
    """Exit code; None when it could not be started or did not end in time."""
    output: str = field(default="", repr=False)
    """The beginning of its standard output."""
    problem: str = ""
    """What was wrong, in speakable words without anything that was said; empty when it worked."""


def check(setting: str, arguments: Sequence[str], known: Sequence[str]) -> None:
    """Refuse placeholders that are never filled.

    Raises:
        AgentError: Names the setting, the placeholder and the known ones.
    """
    for argument in arguments:
        for name in _PLACEHOLDER.findall(argument):
            if name not in known:
                choices = ", ".join(f"{{{k}}}" for k in known)
                raise AgentError(f"{setting}: unknown placeholder {{{name}}}",
                                 f"known here: {choices}")


def fill(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The arguments with their placeholders replaced; unknown ones become empty.

    A value at the beginning of an argument loses leading dashes, so that no name in a catalogue
    can act as an option of the program.
    """

    def value(match: re.Match[str]) -> str:
        text = values.get(match[1], "").replace("\0", "")
        return text.lstrip("-") if match.start() == 0 else text

    return [_PLACEHOLDER.sub(value, argument) for argument in arguments]


async def run(arguments: Sequence[str], payload: bytes | None, seconds: float) -> Result:
    """Run a program and wait for its end, at most ``seconds``; never raises but cancellation.

    Args:
        arguments: The program and its arguments, already filled in.
        payload: What it gets on standard input; None for nothing.
        seconds: Time after which it, and all it started, is killed.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL, start_new_session=True)
    except FileNotFoundError:
        return Result(None, problem="the program was not found")
    except (OSError, ValueError):
        return Result(None, problem="the program could not be started")
    try:
        output = await asyncio.wait_for(_talk(process, payload or b""), seconds)
        code = process.returncode
        return Result(code, output, "" if code == 0 else "the program reported an error")
    except TimeoutError:
        return Result(None, problem="the program took too long")
    finally:
        if process.returncode is None:
            _kill(process.pid)
            await process.wait()


async def _talk(process: asyncio.subprocess.Process, payload: bytes) -> str:
    reader, writer = process.stdout, process.stdin
    if reader is None or writer is None:
        return ""
    with contextlib.suppress(ConnectionError):
        writer.write(payload)
        await writer.drain()
    writer.close()
    kept = b""
    while chunk := await reader.read(MAX_OUTPUT):
        kept = (kept + chunk)[:MAX_OUTPUT]
    await process.wait()
    return kept.decode("utf-8", "replace").strip()


def _kill(pid: int) -> None:
    """End the program and what it started; it leads a process group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)

"""Running a synthesiser as a child process.

The text of a reply never stands on a command line, where every user of the machine could read
it, and neither text nor audio touches a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from agent.errors import AgentError

CHUNK = 8192
"""Bytes read from a child at a time: 0.19 s of 22.05 kHz audio."""


@dataclass(frozen=True, slots=True)
class Child:
    """A synthesiser's command line and how to mend its absence."""

    engine: str
    argv: tuple[str, ...]
    mend: str


async def start(child: Child, pass_fds: Sequence[int] = ()) -> asyncio.subprocess.Process:
    """Start the child with pipes on standard input and output.

    Raises:
        AgentError: The program is not installed or cannot be run.
    """
    try:
        return await asyncio.create_subprocess_exec(
            *child.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            pass_fds=tuple(pass_fds),
        )
    except OSError as error:
        raise AgentError(f"cannot run {child.argv[0]}: {error.strerror}", child.mend) from error


async def stop(process: asyncio.subprocess.Process) -> None:
    """End the child now, if it still runs, and collect it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await process.wait()


async def output_of(child: Child, text: str) -> AsyncGenerator[bytes, None]:
    """What the child writes when ``text`` is put on its standard input, as it comes.

    Raises:
        AgentError: The child cannot be run, or exits with an error.
    """
    process = await start(child)
    try:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(text.encode("utf-8"))
            await process.stdin.drain()
        process.stdin.close()
        while data := await process.stdout.read(CHUNK):
            yield data
        await _check(process, child)
    finally:
        await stop(process)


async def file_made_by(child: Child, text: str) -> bytes:
    """What the child writes to a file, for programs that need a file to seek in.

    ``{text}`` and ``{audio}`` in the command line are replaced by the paths of two files that
    exist only in memory (``memfd_create(2)``).

    Raises:
        AgentError: The child cannot be run, or exits with an error.
    """
    with _memory_file("text") as text_fd, _memory_file("audio") as audio_fd:
        os.write(text_fd, text.encode("utf-8"))
        paths = {"text": f"/proc/self/fd/{text_fd}", "audio": f"/proc/self/fd/{audio_fd}"}
        argv = tuple(part.format_map(paths) for part in child.argv)
        process = await start(Child(child.engine, argv, child.mend), (text_fd, audio_fd))
        try:
            await _check(process, child)
        finally:
            await stop(process)
        return os.pread(audio_fd, os.fstat(audio_fd).st_size, 0)


async def _check(process: asyncio.subprocess.Process, child: Child) -> None:
    code = await process.wait()
    if code != 0:
        raise AgentError(f"{child.engine} failed with exit code {code}", child.mend)


@contextlib.contextmanager
def _memory_file(name: str) -> Iterator[int]:
    fd = os.memfd_create(name)
    try:
        yield fd
    finally:
        os.close(fd)

"""Piper, a neural synthesiser (GPL-3: a process of its own, never imported), as an extra.

Loading a voice takes most of a second, so the next child is started, and loads, as soon as a
reply has been spoken. Measured on one x86-64 core: 0.2 to 0.7 s to the first audio when warm,
256 to 337 MB; not for a board with 512 MB.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import json
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

from agent.errors import AgentError
from agent.events import Samples
from agent.tts.process import CHUNK, Child, start, stop
from agent.tts.text import pieces
from agent.tts.wave import WaveDecoder, WaveFormat

INSTALL = "install it: .venv/bin/pip install '.[piper]', and give a voice with tts.voice"


class Piper:
    """Speaks through ``piper``, a sentence at a time, with a warm child in waiting.

    Args:
        voice: An ``.onnx`` voice; its ``.onnx.json`` stands beside it.
        rate: Speed, 1 is normal.
        volume: 0 to 1.

    Raises:
        AgentError: Piper or the voice is missing or damaged.
    """

    name = "piper"

    def __init__(self, voice: Path, rate: float = 1.0, volume: float = 1.0) -> None:
        argv = (*program(), "--model", str(voice), "--output-raw",
                "--length-scale", f"{1 / rate:.3f}")
        self._child = Child(self.name, argv, INSTALL)
        self._format = WaveFormat(sample_rate(voice), 1, 16)
        self._volume = volume
        self._spare: asyncio.subprocess.Process | None = None

    async def speak(self, text: str) -> AsyncGenerator[Samples, None]:
        """Audio of ``text``, a sentence at a time."""
        process = self._spare or await start(self._child)
        self._spare = None
        try:
            async for samples in self._read(process, text):
                yield samples
        finally:
            await stop(process)
            self._spare = await start(self._child)

    async def _read(self, process: asyncio.subprocess.Process,
                    text: str) -> AsyncGenerator[Samples, None]:
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write("\n".join(pieces(text)).encode("utf-8") + b"\n")
            await process.stdin.drain()
        process.stdin.close()
        decoder = WaveDecoder(self.name, raw=self._format, volume=self._volume)
        while data := await process.stdout.read(CHUNK):
            samples = decoder.feed(data)
            if len(samples):
                yield samples
        if await process.wait() != 0:
            raise AgentError(f"piper failed with exit code {process.returncode}", INSTALL)
        rest = decoder.feed(b"", last=True)
        if len(rest):
            yield rest

    async def close(self) -> None:
        """End the child in waiting."""
        if self._spare is not None:
            await stop(self._spare)
            self._spare = None


def program() -> tuple[str, ...]:
    """The command that runs Piper: this environment's, else the one on the path."""
    if importlib.util.find_spec("piper") is not None:
        return (sys.executable, "-m", "piper")
    found = shutil.which("piper")
    if found is None:
        raise AgentError("Piper is not installed", INSTALL)
    return (found,)


def sample_rate(voice: Path) -> int:
    """Samples a second of a voice, from its description."""
    description = voice.with_name(f"{voice.name}.json")
    if not voice.is_file():
        raise AgentError(f"no Piper voice at {voice}", "set tts.voice to an .onnx voice file")
    try:
        return int(json.loads(description.read_text(encoding="utf-8"))["audio"]["sample_rate"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AgentError(f"cannot read {description}",
                         "a Piper voice is two files: NAME.onnx and NAME.onnx.json") from error

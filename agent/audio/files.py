"""WAV, FLAC and whatever else libsndfile reads, into the agent's form; WAV out."""

from __future__ import annotations

import os
import tempfile
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.audio.conversion import Converter
from agent.audio.riff import cut_off
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

BLOCK = 1.0
"""Seconds of a file read at a time."""

_UNKNOWN_LENGTH = 2 ** 62
"""libsndfile reports a number beyond this where a header does not say how long the file is."""


def read(path: Path) -> Samples:
    """A whole file as ``int16[samples]`` at 16 kHz.

    Raises:
        AgentError: As ``blocks``.
    """
    pieces = list(blocks(path))
    return np.concatenate(pieces)


def blocks(path: Path) -> Iterator[Samples]:
    """A file piece by piece, about a second each, so that its length costs no memory.

    Channels are averaged, any rate is resampled, a DC shift is removed; what exceeds full
    scale is clipped.

    Raises:
        AgentError: The file is missing, unreadable, empty, cut off or no audio.
    """
    with _open(path) as file:
        converter = _converter(path, file)
        frames, wanted = 0, max(1, round(BLOCK * file.samplerate))
        while True:
            block = _read(path, file, wanted)
            if not len(block):
                break
            frames += len(block)
            out = converter.accept(block)
            if len(out):
                yield out
        _check_whole(path, frames, file.frames, file.samplerate)
        out = converter.finish()
        if len(out):
            yield out


def write_wav(path: Path, samples: Samples) -> None:
    """Write ``int16[samples]`` at 16 kHz as a mono WAV that only its owner can read.

    The file appears whole or not at all.

    Raises:
        AgentError: It cannot be written.
    """
    part: Path | None = None
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        part = Path(name)
        with os.fdopen(handle, "wb") as raw, wave.open(raw, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SAMPLE_RATE)
            out.writeframes(samples.astype("<i2", copy=False).tobytes())
        part.replace(path)
    except OSError as error:
        if part is not None:
            part.unlink(missing_ok=True)
        raise AgentError(f"cannot write {path}: {error.strerror or error}",
                         "check that the folder exists, is writable and has room") from error


def _open(path: Path) -> Any:
    """Open with libsndfile; the caller closes it."""
    _check_file(path)
    import soundfile

    try:
        return soundfile.SoundFile(str(path))
    except soundfile.SoundFileError as error:
        raise AgentError(f"{path} cannot be read as audio",
                         "give a WAV or FLAC file (raw audio goes to standard input)") from error


def _check_file(path: Path) -> None:
    try:
        if path.is_dir():
            raise AgentError(f"{path} is a folder", "name an audio file")
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except OSError as error:
        raise AgentError(f"cannot read {path}: {error.strerror or error}",
                         "check the name and its permissions") from error
    if size == 0:
        raise AgentError(f"{path} is empty (0 bytes)", "record or copy it again")
    announced = cut_off(path)
    if announced is not None:
        raise AgentError(
            f"{path} is cut off: its header announces {announced} bytes of audio, "
            f"and the file has {size} bytes in all", "record or copy it again")


def _converter(path: Path, file: Any) -> Converter:
    if file.frames == 0:
        raise AgentError(f"{path} holds no audio (0 samples)", "record or copy it again")
    try:
        return Converter(file.samplerate, file.channels)
    except AgentError as error:
        raise AgentError(f"{path}: {error.what}", error.mend) from error


def _read(path: Path, file: Any, frames: int) -> Any:
    import soundfile

    try:
        return file.read(frames, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise AgentError(f"{path} is damaged {file.tell() / file.samplerate:.1f} s into it",
                         "record or copy it again") from error


def _check_whole(path: Path, frames: int, announced: int, rate: int) -> None:
    if frames < announced < _UNKNOWN_LENGTH:
        raise AgentError(
            f"{path} is cut off: its header announces {announced / rate:.1f} s of audio, "
            f"{frames / rate:.1f} s can be read", "record or copy it again")

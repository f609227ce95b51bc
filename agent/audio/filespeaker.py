"""Loudspeakers without a device: into a file, or nowhere, with the timing of a real one."""

from __future__ import annotations

import time
import wave
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import numpy as np

from agent.audio.reference import PlayedReference
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples


@dataclass(slots=True)
class _Piece:
    start: float
    samples: Samples = field(repr=False)

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / SAMPLE_RATE


class SilentSpeaker:
    """Plays nowhere, and takes exactly as long as a loudspeaker would.

    Args:
        clock: Seconds, such as a microphone's ``now`` when that runs faster than real time.
        delay: Seconds from ``play`` to the sound, as a device would have.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, delay: float = 0.0) -> None:
        self.played = PlayedReference()
        self._clock, self._delay = clock, delay
        self._pieces: deque[_Piece] = deque()
        self._end = float("-inf")

    @property
    def pending(self) -> float:
        """Seconds until the last queued sample has sounded."""
        self._advance()
        return max(0.0, self._end - self._clock()) if self._pieces else 0.0

    def play(self, samples: Samples) -> None:
        """Queue ``int16[samples]`` at 16 kHz; returns at once."""
        if not len(samples):
            return
        self._advance()
        start = self._clock() + self._delay
        if self._pieces:
            start = max(start, self._end)
        piece = _Piece(start, samples)
        self._pieces.append(piece)
        self._end = piece.end

    def stop(self) -> float:
        """Drop what has not sounded; returns its seconds."""
        self._advance()
        dropped = sum(p.end - max(p.start, self._clock()) for p in self._pieces)
        self._pieces.clear()
        return dropped

    async def close(self) -> None:
        """Nothing more is played."""
        self._advance()
        self._pieces.clear()

    def _advance(self) -> None:
        """Note what has sounded by now."""
        now = self._clock()
        while self._pieces and self._pieces[0].start < now:
            piece = self._pieces.popleft()
            count = round((now - piece.start) * SAMPLE_RATE)
            self._sounded(piece.samples[:count], piece.start)
            if count < len(piece.samples):
                rest = _Piece(piece.start + count / SAMPLE_RATE, piece.samples[count:])
                self._pieces.appendleft(rest)
                break

    def _sounded(self, samples: Samples, at: float) -> None:
        self.played.record(samples, at)


class FileSpeaker(SilentSpeaker):
    """Writes what would have been heard to a WAV file, pauses included.

    Args:
        path: The file; an existing one is replaced. Only its owner can read it.
        clock: As for ``SilentSpeaker``; the file begins where the clock stands now.
        delay: As for ``SilentSpeaker``.

    Raises:
        AgentError: The file cannot be written.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic,
                 delay: float = 0.0) -> None:
        super().__init__(clock, delay)
        self._start = clock()
        self._written = 0
        try:
            path.unlink(missing_ok=True)
            path.touch(0o600)
            self._file = wave.open(str(path), "wb")  # noqa: SIM115
        except OSError as error:
            raise AgentError(f"cannot write {path}: {error.strerror}",
                             "check that the folder exists, is writable and has room") from error
        self._file.setnchannels(1)
        self._file.setsampwidth(2)
        self._file.setframerate(SAMPLE_RATE)

    async def close(self) -> None:
        """Write the end of the file."""
        await super().close()
        self._write_until(self._clock())
        self._file.close()

    async def __aenter__(self) -> FileSpeaker:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        await self.close()

    def _sounded(self, samples: Samples, at: float) -> None:
        super()._sounded(samples, at)
        self._write_until(at)
        self._file.writeframes(samples.astype("<i2", copy=False).tobytes())
        self._written += len(samples)

    def _write_until(self, clock: float) -> None:
        """Silence up to ``clock``."""
        gap = round((clock - self._start) * SAMPLE_RATE) - self._written
        for _ in range(0, gap, SAMPLE_RATE):
            part = min(gap, SAMPLE_RATE)
            self._file.writeframes(np.zeros(part, "<i2").tobytes())
            self._written += part
            gap -= part

"""A microphone on a stream of raw PCM, such as standard input."""

from __future__ import annotations

import os
import select
import threading

import numpy as np

from agent.audio import FRAME
from agent.audio.capture import Block, CaptureQueue
from agent.audio.conversion import Converter
from agent.audio.framing import Framer
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

_WAKE_UP = 0.2
"""Seconds after which the reading thread looks whether it should end."""


class StreamMicrophone:
    """Reads interleaved, signed 16-bit little-endian samples from a file descriptor.

    While the agent is busy up to ``queue`` seconds are read ahead; beyond that the writer has
    to wait, so that nothing is lost here. A sample cut in two at the end is left out.

    Args:
        descriptor: Where to read; stays open.
        rate: Samples a second.
        channels: Interleaved channels; they are averaged.
        queue: Seconds read ahead at most.

    Raises:
        AgentError: The rate or channel count is not believable.
    """

    def __init__(self, descriptor: int, *, rate: int = SAMPLE_RATE, channels: int = 1,
                 queue: float = 60.0) -> None:
        self._converter = Converter(rate, channels)
        self._framer = Framer()
        self._frames = 0
        self._descriptor = descriptor
        self._width = 2 * channels
        self._step = max(1, rate // 50) * self._width
        self._queue = CaptureQueue(max(self._step, round(queue * rate) * self._width))
        self._cut = bytearray()
        self._finished = False
        threading.Thread(target=self._fill, name="audio-stream", daemon=True).start()

    @property
    def now(self) -> float:
        """Seconds of audio read so far."""
        return self._frames * FRAME / SAMPLE_RATE

    @property
    def overruns(self) -> int:
        """Always 0: the writer waits."""
        return 0

    async def read(self) -> Samples | None:
        """The next frame; the last one is filled up with silence; None at the end.

        Raises:
            AgentError: The stream cannot be read.
        """
        while (frame := self._framer.frame()) is None and not self._finished:
            block = await self._queue.get()
            if block is None:
                self._framer.add(self._converter.finish())
                self._finished = True
            else:
                self._framer.add(self._decode(block.data))
        frame = frame if frame is not None else self._framer.frame()
        frame = frame if frame is not None else self._framer.rest()
        if frame is not None:
            self._frames += 1
        return frame

    def clear(self) -> None:
        """Forget what was read ahead."""
        self._queue.clear()
        self._cut.clear()
        self._framer.clear()

    async def close(self) -> None:
        """Stop reading."""
        self._queue.end()
        self.clear()

    def _decode(self, data: bytearray) -> Samples:
        """Whole sample frames of what came, with what an earlier read cut in two."""
        self._cut += data
        whole = len(self._cut) - len(self._cut) % self._width
        pcm = np.frombuffer(bytes(self._cut[:whole]), "<i2")
        del self._cut[:whole]
        return self._converter.accept_pcm(pcm.astype(np.int16, copy=False))

    def _fill(self) -> None:
        try:
            while not self._queue.ended:
                if not select.select([self._descriptor], [], [], _WAKE_UP)[0]:
                    continue
                data = os.read(self._descriptor, self._step)
                if not data:
                    break
                self._queue.put_waiting(Block(bytearray(data), 0))
            self._queue.end()
        except OSError as error:
            self._queue.end(AgentError(f"cannot read the audio stream: {error.strerror}",
                                       "give raw signed 16-bit samples on standard input"))

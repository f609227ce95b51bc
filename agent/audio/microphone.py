"""The microphone of the machine, through PortAudio."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from typing import Any

import numpy as np

from agent.audio import FRAME
from agent.audio.attention import Attention
from agent.audio.capture import Block, CaptureQueue
from agent.audio.conversion import Converter
from agent.audio.devices import find
from agent.audio.framing import Framer
from agent.audio.portaudio import LIST, Opened, device_error, load, open_stream
from agent.audio.settings import Settings
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

_log = logging.getLogger(__name__)

_SOONER, _LATER = 0.5, 0.01
"""Shares of a new estimate of when the stream began that are believed. A block may come late, as
after a stall, and none can come before it was captured: so the soonest ones tell the truth."""

_PATIENCE = 0.24
"""Seconds of quiet that are handed on at once."""

_BELIEVED_DELAY, _BELIEVED_GAP = 2.0, 10.0
"""Seconds of delay and of loss beyond which a driver's clock is not believed."""


class DeviceMicrophone:
    """Frames from a sound device.

    PortAudio's thread only copies what it captured into a queue of ``settings.queue`` seconds;
    everything else happens in ``read``. A device without 16 kHz is resampled.

    Args:
        settings: Which device, and its buffering.
        start: What ``now`` begins with: the clock goes on when a device is opened again.

    Raises:
        AgentError: There is no such device, or it cannot be opened.
    """

    def __init__(self, settings: Settings, *, start: float = 0.0) -> None:
        self._settings = settings
        self.device = find("input", settings.input)
        self._start = start
        self._lock = threading.Lock()
        self._captured = 0
        self._expected_adc = 0.0
        self._began: float | None = None
        self._lost = 0
        self._taken = 0
        self._base = 0.0
        self._delivered = 0
        self._closing = False
        self._framer = Framer()
        self._attention = Attention(settings.input_block)
        self._opened: Opened = open_stream("input", self.device, self._capture, self._finished,
                                           settings.input_latency,
                                           lambda rate: round(rate * settings.input_block))
        form = self._opened.format
        self._rate, self._channels = form.rate, form.channels
        self._converter = Converter(form.rate, form.channels)
        self._queue = CaptureQueue(round(settings.queue * form.rate) * 2 * form.channels,
                                   patience=max(1, round(_PATIENCE / settings.input_block)))
        self._begin()

    @property
    def rate(self) -> int:
        """The rate that the device itself runs at, Hz."""
        return self._rate

    @property
    def now(self) -> float:
        """Seconds of audio read so far, lost audio included."""
        return self._start + self._base + self._delivered / SAMPLE_RATE

    @property
    def overruns(self) -> int:
        """Frames of 20 ms lost since the start, in the driver or in the queue."""
        return math.ceil(self._lost / self._rate * SAMPLE_RATE / FRAME)

    def clock_at(self, host: float) -> float:
        """What ``now`` is, or will be, for sound that reaches the microphone at ``host``.

        Args:
            host: Seconds on ``time.monotonic``.
        """
        with self._lock:
            began = self._began
        return self._start + (host - began if began is not None else 0.0)

    async def read(self) -> Samples | None:
        """The next frame, ``int16[FRAME]``; None after ``close``.

        Raises:
            AgentError: The device went away.
        """
        while (frame := self._framer.frame()) is None:
            try:
                block = await self._queue.get(self._settings.stalled_after)
            except TimeoutError:
                raise self._gone("stopped delivering audio") from None
            if block is None:
                return None
            self._take(block)
        self._delivered += len(frame)
        return frame

    def clear(self) -> None:
        """Overwrite and forget what was captured and not yet read."""
        with self._lock:
            self._queue.clear()
            self._taken = self._captured
        self._base, self._delivered = self._taken / self._rate, 0
        self._converter = Converter(self._rate, self._channels)
        self._framer.clear()

    async def close(self) -> None:
        """Give the device back; a driver in trouble may take its time over that."""
        await asyncio.to_thread(self.release)

    def release(self) -> None:
        """Give the device back, and wait for the driver to take it."""
        self._closing = True
        self._queue.end()
        self._opened.close()

    def _begin(self) -> None:
        sounddevice = load()
        try:
            self._opened.stream.start()
        except sounddevice.PortAudioError as error:
            self._opened.close()
            raise device_error(f"cannot start microphone {self.device.number} "
                               f"({self.device.name})", error) from error

    def _take(self, block: Block) -> None:
        if block.start > self._taken:
            self._lost += block.start - self._taken
            self._base += (block.start - self._taken) / self._rate
        pcm = np.frombuffer(bytes(block.data), np.int16)
        self._taken = block.start + len(pcm) // self._channels
        self._framer.add(self._converter.accept_pcm(pcm))

    def _capture(self, data: Any, frames: int, at: Any, status: Any) -> None:
        """PortAudio's callback: may not wait, and does nothing that it need not."""
        delay = at.currentTime - at.inputBufferAdcTime
        if not 0.0 <= delay <= _BELIEVED_DELAY:
            delay = frames / self._rate
        heard = time.monotonic() - delay
        with self._lock:
            if status.input_overflow and self._captured:
                self._captured += self._gap(at.inputBufferAdcTime, frames)
            start = self._captured
            self._captured += frames
            self._expected_adc = at.inputBufferAdcTime + frames / self._rate
            self._note_beginning(heard - start / self._rate)
            block = Block(bytearray(data), start)
            self._queue.put(block, self._attention.wanted(np.frombuffer(block.data, np.int16)))

    def _note_beginning(self, began: float) -> None:
        """Follow when, by ``time.monotonic``, the first sample was captured."""
        known = began if self._began is None else self._began
        self._began = known + (_SOONER if began < known else _LATER) * (began - known)

    def _gap(self, adc: float, frames: int) -> int:
        """Sample frames that the driver dropped; at least one block where it cannot tell."""
        seconds = adc - self._expected_adc
        gap = round(seconds * self._rate) if 0.0 < seconds < _BELIEVED_GAP else 0
        return max(gap, frames)

    def _finished(self) -> None:
        if not self._closing:
            self._queue.end(self._gone("was unplugged or stopped"))

    def _gone(self, what: str) -> AgentError:
        return AgentError(f"microphone {self.device.number} ({self.device.name}) {what}",
                          f"plug it in again, or choose another; {LIST}")

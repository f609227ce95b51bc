"""The loudspeaker of the machine, through PortAudio."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from agent.audio.devices import find
from agent.audio.playqueue import PlayQueue
from agent.audio.portaudio import (
    LIST,
    Device,
    Opened,
    device_error,
    load,
    open_stream,
    reload,
)
from agent.audio.reference import PlayedReference
from agent.audio.rendering import Renderer
from agent.audio.settings import Settings
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

_log = logging.getLogger(__name__)

_BELIEVED_DELAY = 2.0
"""Seconds of delay beyond which a driver's clock is not believed."""

_QUICK = 0.06
"""Seconds of device delay up to which a stopped reply just runs out of the device's buffer."""


class DeviceSpeaker:
    """Plays on a sound device without ever making the caller wait.

    PortAudio's thread takes what is queued. Starting and stopping the stream, which may take
    tens of milliseconds, happens in a thread of its own; after ``settings.speaker_idle``
    seconds of silence the stream is stopped. A device that fails is opened again for the next
    reply, and ``fault`` says what was wrong.

    Args:
        settings: Which device, and its buffering.
        clock: Turns ``time.monotonic`` into the microphone's clock
            (``DeviceMicrophone.clock_at``), for ``played``.

    Raises:
        AgentError: There is no such device, or it cannot be opened.
    """

    def __init__(self, settings: Settings,
                 clock: Callable[[float], float] = lambda host: host) -> None:
        self._settings, self._clock = settings, clock
        self.played = PlayedReference()
        self.underruns = 0
        """Times that the device ran dry because the agent was too busy to feed it."""
        self.fault: AgentError | None = None
        """Why the device does not play now; None while all is well."""
        self._queue = PlayQueue()
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(1, "loudspeaker")
        self._running = False
        self._halting = False
        self._delay = settings.output_latency
        self._sounds_until = 0.0
        self._last_fed = 0.0
        self._opened: Opened | None = None
        self.device: Device
        self._open()

    @property
    def pending(self) -> float:
        """Seconds until the last queued sample has left the loudspeaker."""
        now = time.monotonic()
        with self._lock:
            queued = self._queue.seconds
            if queued and self._running and now - self._last_fed > self._settings.stalled_after:
                self._fail(self._gone("stopped taking audio"))
                return 0.0
            sounding = max(0.0, self._sounds_until - now)
            return queued + max(sounding, self._delay if queued else 0.0)

    def play(self, samples: Samples) -> None:
        """Queue ``int16[samples]`` at 16 kHz; returns at once."""
        with self._lock:
            self._queue.add(samples)
            if len(self._queue) and not self._running:
                self._running = True
                self._last_fed = time.monotonic()
                self._worker.submit(self._start)

    def stop(self) -> float:
        """Drop what is queued, silence within 100 ms; returns the seconds dropped."""
        with self._lock:
            deep = self._running and self._delay > _QUICK
            dropped = self._queue.drop(fade=not deep) / SAMPLE_RATE
            if deep:
                self._running, self._halting = False, True
                self._sounds_until = min(self._sounds_until, time.monotonic() + _QUICK)
                self._worker.submit(self._abort)
            return dropped

    async def close(self) -> None:
        """Give the device back; what is queued is dropped."""
        await asyncio.wrap_future(self._give_back())
        self._worker.shutdown(wait=False)

    def release(self) -> None:
        """Give the device back until the next sound, and wait for the driver to take it."""
        self._give_back().result()

    def _give_back(self) -> Future[None]:
        with self._lock:
            self._queue.drop(fade=False)
            self._running, self._halting = False, True
            self._sounds_until = 0.0
        return self._worker.submit(self._close)

    def _open(self) -> None:
        self.device = find("output", self._settings.output)
        self._opened = open_stream("output", self.device, self._feed, self._finished,
                                   self._settings.output_latency)
        self._renderer = Renderer(self._queue, self._opened.format, self.played)

    def _start(self) -> None:
        try:
            if self._opened is None:
                reload()
                self._open()
            assert self._opened is not None
            self._opened.stream.stop()
            with self._lock:
                self._renderer = Renderer(self._queue, self._opened.format, self.played)
                self._halting, self.fault = False, None
            self._opened.stream.start()
        except AgentError as error:
            with self._lock:
                self._fail(error)
        except load().PortAudioError as error:
            with self._lock:
                self._fail(device_error(f"cannot start loudspeaker {self._name}", error))

    def _abort(self) -> None:
        """Throw away what the device still holds; the next reply starts it again."""
        if self._opened is not None:
            self._opened.stream.abort(ignore_errors=True)
        with self._lock:
            self._sounds_until = 0.0
            self.played.cut(self._clock(time.monotonic()))

    def _close(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _feed(self, out: Any, frames: int, at: Any, status: Any) -> None:
        """PortAudio's callback: may not wait."""
        now = time.monotonic()
        delay = at.outputBufferDacTime - at.currentTime
        if not 0.0 <= delay <= _BELIEVED_DELAY:
            delay = self._settings.output_latency
        with self._lock:
            if self._halting:
                out[:] = bytes(len(out))
                return
            renderer, rate = self._renderer, self._renderer.rate
            self._last_fed, self._delay = now, delay + frames / rate
            if status.output_underflow and renderer.given:
                self.underruns += 1
            first = renderer.given
            out[:] = renderer.render(frames, self._clock(now + delay))
            if renderer.last_sound > first:
                self._sounds_until = now + delay + (renderer.last_sound - first) / rate
            silent = (renderer.given - renderer.last_sound) / rate
            if silent > self._settings.speaker_idle and not len(self._queue):
                self._running, self._halting = False, True
                raise load().CallbackStop

    def _finished(self) -> None:
        with self._lock:
            if not self._halting and self._opened is not None:
                self._fail(self._gone("was unplugged or stopped"))

    def _fail(self, error: AgentError) -> None:
        """Give up on the stream; what is queued will not be heard. Called with the lock held."""
        self.fault = error
        self._running, self._halting = False, True
        self._sounds_until = 0.0
        self._queue.drop(fade=False)
        self._worker.submit(self._close)

    @property
    def _name(self) -> str:
        return f"{self.device.number} ({self.device.name})"

    def _gone(self, what: str) -> AgentError:
        return AgentError(f"loudspeaker {self._name} {what}",
                          f"plug it in again, or choose another; {LIST}")

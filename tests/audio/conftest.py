"""A PortAudio that tests hold in their hands: no threads, no time of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.audio import portaudio
from agent.events import Samples


class PortAudioError(Exception):
    """As sounddevice's: a text and PortAudio's number."""


class CallbackStop(Exception):  # noqa: N818
    """As sounddevice's."""


class FakeStream:
    """A stream whose callbacks the test makes."""

    direction = ""

    def __init__(self, sound: FakeSound, *, samplerate: int, channels: int, dtype: str,
                 blocksize: int, device: int, latency: float, callback: Callable[..., None],
                 finished_callback: Callable[[], None]) -> None:
        sound.check(device, self.direction, samplerate, channels)
        assert dtype == "int16"
        self.rate, self.channels, self.block, self.latency = (
            samplerate, channels, blocksize, latency)
        self.callback, self.finished = callback, finished_callback
        self.running = self.closed = False
        self.sound = sound
        self.adc = 100.0
        self.delay = latency
        sound.streams.append(self)

    def start(self) -> None:
        if self.sound.start_error is not None:
            raise self.sound.start_error
        self.running = True

    def stop(self, ignore_errors: bool = True) -> None:
        self._halt()

    def abort(self, ignore_errors: bool = True) -> None:
        self._halt()

    def close(self, ignore_errors: bool = True) -> None:
        self._halt()
        self.closed = True

    def _halt(self) -> None:
        was, self.running = self.running, False
        if was:
            self.finished()

    def unplug(self) -> None:
        """What PortAudio does when the device goes: the stream is over, by itself."""
        self.running = False
        self.finished()


class FakeInput(FakeStream):
    direction = "input"

    def deliver(self, samples: Samples, *, overflow: bool = False, lost: float = 0.0) -> None:
        """One callback with ``int16[frames]`` or ``[frames, channels]``."""
        frames = len(samples)
        if samples.ndim == 1 and self.channels > 1:
            samples = np.repeat(samples[:, None], self.channels, axis=1)
        self.adc += lost
        at = SimpleNamespace(currentTime=self.adc + frames / self.rate, inputBufferAdcTime=self.adc)
        self.adc += frames / self.rate
        self.callback(samples.tobytes(), frames, at, SimpleNamespace(input_overflow=overflow))


class FakeOutput(FakeStream):
    direction = "output"

    def pull(self, frames: int | None = None, *, underflow: bool = False) -> Samples:
        """One callback; what it plays, ``int16[frames, channels]``."""
        frames = frames or self.block
        out = bytearray(b"\x55" * (frames * self.channels * 2))
        at = SimpleNamespace(currentTime=50.0, outputBufferDacTime=50.0 + self.delay)
        try:
            self.callback(memoryview(out), frames, at, SimpleNamespace(output_underflow=underflow))
        except CallbackStop:
            self._halt()
        return np.frombuffer(bytes(out), np.int16).reshape(frames, self.channels)


class FakeSound:
    """Stands for the ``sounddevice`` module."""

    PortAudioError = PortAudioError
    CallbackStop = CallbackStop

    def __init__(self) -> None:
        self.devices: list[dict[str, Any]] = []
        self.working: dict[int, tuple[set[int], set[int]]] = {}
        self.streams: list[Any] = []
        self.start_error: PortAudioError | None = None
        self.busy: set[int] = set()
        self.initialised = 0
        self.default = {"input": -1, "output": -1}

    def add(self, name: str, *, inputs: int = 0, outputs: int = 0, rate: int = 48_000,
            rates: tuple[int, ...] = (16_000, 48_000),
            channels: tuple[int, ...] = (1, 2)) -> int:
        """Plug a device in; returns its number."""
        number = len(self.devices)
        self.devices.append({"name": name, "hostapi": 0, "max_input_channels": inputs,
                             "max_output_channels": outputs, "default_samplerate": float(rate)})
        self.working[number] = (set(rates), set(channels))
        for kind, count in (("input", inputs), ("output", outputs)):
            if count and self.default[kind] < 0:
                self.default[kind] = number
        return number

    def check(self, device: int, direction: str, samplerate: int, channels: int) -> None:
        if device in self.busy:
            raise PortAudioError("Device unavailable", -9985)
        rates, counts = self.working[device]
        if samplerate not in rates:
            raise PortAudioError("Invalid sample rate", -9997)
        if channels not in counts:
            raise PortAudioError("Invalid number of channels", -9998)

    def check_input_settings(self, *, device: int, channels: int, dtype: str,
                             samplerate: int) -> None:
        self.check(device, "input", samplerate, channels)

    check_output_settings = check_input_settings

    def query_devices(self) -> list[dict[str, Any]]:
        return self.devices

    def query_hostapis(self) -> list[dict[str, Any]]:
        return [{"name": "ALSA", "default_input_device": self.default["input"],
                 "default_output_device": self.default["output"]}]

    def RawInputStream(self, **options: Any) -> FakeInput:  # noqa: N802
        return FakeInput(self, **options)

    def RawOutputStream(self, **options: Any) -> FakeOutput:  # noqa: N802
        return FakeOutput(self, **options)

    def _terminate(self) -> None:
        self.initialised -= 1

    def _initialize(self) -> None:
        self.initialised += 1


@pytest.fixture
def sound(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSound]:
    """The fake in place of ``sounddevice``, with no device plugged in."""
    fake = FakeSound()
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    monkeypatch.setattr(portaudio, "streams_open", set())
    yield fake


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait, two seconds at most, until something holds; returns it."""

    def wait(holds: Callable[[], Any]) -> Any:
        end = time.monotonic() + 2.0
        while not (value := holds()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.002)
        return value

    return wait


def tone(samples: int, *, hertz: float = 440.0, level: float = 8000.0,
         rate: int = 16_000) -> Samples:
    return np.rint(level * np.sin(2 * np.pi * hertz * np.arange(samples) / rate)).astype(np.int16)


@pytest.fixture(name="tone")
def tone_fixture() -> Callable[..., Samples]:
    """``tone(samples, hertz=440, level=8000, rate=16000)``: a sine, int16."""
    return tone

"""The one place that meets PortAudio: loads it, opens streams, words its errors."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from agent.errors import AgentError
from agent.events import SAMPLE_RATE

Direction = Literal["input", "output"]

LIST = "`voice-agent devices` lists what there is"
"""How every error about a device ends."""

_log = logging.getLogger(__name__)
_TRY_ANOTHER_FORMAT = {-9997, -9998, -9994, -9999}
"""PortAudio: invalid sample rate, channel count, sample format; unanticipated host error, which
is what some ALSA drivers give for a rate they do not have."""

_quiet: list[Any] = []
"""Keeps ALSA's handler alive for as long as the process."""

_listing = threading.Lock()
"""Held while a stream is opened or the list is read anew, which may not overlap."""

streams_open: set[int] = set()
"""Identities of the streams now open: the list of devices may be read anew only without any."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that PortAudio lists."""

    number: int
    name: str
    host: str
    """PortAudio's host interface: ``ALSA``, ``JACK`` …"""
    inputs: int
    outputs: int
    rate: int
    """The sample rate it prefers, Hz."""
    default_input: bool = False
    default_output: bool = False

    def channels(self, direction: Direction) -> int:
        """Channels in that direction."""
        return self.inputs if direction == "input" else self.outputs


@dataclass(frozen=True, slots=True)
class Format:
    """What a stream was opened with."""

    rate: int
    channels: int
    block: int
    """Sample frames a callback."""


@dataclass(slots=True)
class Opened:
    """A stream, opened and not yet started."""

    stream: Any
    format: Format

    def close(self) -> None:
        """Give the device back; what goes wrong in that does not matter any more."""
        try:
            self.stream.abort(ignore_errors=True)
            self.stream.close(ignore_errors=True)
        except Exception as error:
            _log.debug("closing an audio stream: %s", type(error).__name__)
        streams_open.discard(id(self.stream))


def load() -> Any:
    """The ``sounddevice`` module.

    Raises:
        AgentError: PortAudio or the module is not installed.
    """
    _hush_alsa()
    try:
        import sounddevice
    except (OSError, ImportError) as error:
        raise AgentError("the PortAudio library is not installed",
                         "run ./setup_device.sh, or: sudo apt install libportaudio2") from error
    return sounddevice


def reload() -> bool:
    """Have PortAudio look for devices anew, as after plugging one in.

    Returns False, and does nothing, while a stream is open: it would die.
    """
    sounddevice = load()
    with _listing:
        if streams_open:
            return False
        sounddevice._terminate()
        sounddevice._initialize()
        return True


def open_stream(direction: Direction, device: Device, callback: Callable[..., None],
                finished: Callable[[], None], latency: float,
                block: Callable[[int], int] = lambda rate: round(rate / 50)) -> Opened:
    """Open a raw 16-bit stream: 16 kHz mono where the device can, else what it can.

    Args:
        direction: Microphone or loudspeaker.
        device: Which.
        callback: PortAudio's stream callback.
        finished: Called when the stream stops, whatever the reason.
        latency: Seconds of buffering asked for.
        block: Sample frames a callback at a given rate.

    Raises:
        AgentError: It cannot be opened in any format.
    """
    sounddevice = load()
    make = {"input": sounddevice.RawInputStream, "output": sounddevice.RawOutputStream}[direction]
    trouble: Exception | None = None
    for rate, channels in _formats(direction, device):
        wanted = Format(rate, channels, block(rate))
        try:
            with _listing, hushed():
                stream = make(samplerate=rate, channels=channels, dtype="int16",
                              blocksize=wanted.block, device=device.number, latency=latency,
                              callback=callback, finished_callback=finished)
                streams_open.add(id(stream))
            return Opened(stream, wanted)
        except sounddevice.PortAudioError as error:
            trouble = error
            if code_of(error) not in _TRY_ANOTHER_FORMAT:
                break
    raise device_error(f"cannot open {direction} {device.number} ({device.name})", trouble)


def _formats(direction: Direction, device: Device) -> list[tuple[int, int]]:
    """What to ask for, best first: the agent's own rate and one channel."""
    most = max(1, device.channels(direction))
    rates = dict.fromkeys([SAMPLE_RATE, device.rate, 48_000, 44_100])
    channels = dict.fromkeys([1, min(2, most), most])
    return [(rate, count) for rate in rates if rate > 0 for count in channels]


def code_of(error: Exception | None) -> int:
    """PortAudio's number of an error; 0 where it has none."""
    args = error.args if error is not None else ()
    return args[1] if len(args) > 1 and isinstance(args[1], int) else 0


def device_error(what: str, error: Exception | None) -> AgentError:
    """An error about a device, with PortAudio's reason."""
    reason = f": {error.args[0]}" if error is not None and error.args else ""
    mend = {-9985: "another program is using it: close that, or choose another device",
            -9997: "it has none of the usual sample rates: choose another device"}
    return AgentError(f"{what}{reason}", f"{mend.get(code_of(error), 'is it plugged in?')}; {LIST}")


@contextlib.contextmanager
def hushed() -> Iterator[None]:
    """Keep PortAudio from printing about formats that a device does not have.

    Debian's build writes every refusal to the process's standard error itself, past Python.
    """
    with contextlib.ExitStack() as restore:
        try:
            sys.stderr.flush()
            kept = os.dup(2)
            restore.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            restore.callback(os.close, nowhere)
            restore.callback(os.dup2, kept, 2)
            os.dup2(nowhere, 2)
        except (OSError, ValueError) as error:
            _log.debug("standard error stays as it is: %s", type(error).__name__)
        yield


def _hush_alsa() -> None:
    """Send ALSA's complaints about plugins nobody asked for to the log, not to the terminal."""
    if _quiet or not sys.platform.startswith("linux"):
        return
    kind = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int,
                            ctypes.c_char_p)

    def note(file: bytes, line: int, function: bytes, code: int, text: bytes) -> None:
        _log.debug("ALSA: %s:%d, code %d", (function or b"").decode(errors="replace"), line, code)

    handler = kind(note)
    try:
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(handler)
    except (OSError, AttributeError):
        handler = kind(lambda *_: None)
    _quiet.append(handler)

"""Which microphones and loudspeakers there are, and which one a setting means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent.audio.portaudio import LIST, Device, Direction, code_of, hushed, load
from agent.errors import AgentError
from agent.events import SAMPLE_RATE

RATES = (8_000, SAMPLE_RATE, 22_050, 32_000, 44_100, 48_000, 96_000)
"""Sample rates that a device is asked about, Hz."""

_KIND = {"input": "microphone", "output": "loudspeaker"}


def every() -> tuple[Device, ...]:
    """Every device that PortAudio lists, in its order.

    Raises:
        AgentError: PortAudio is not installed or fails.
    """
    sounddevice = load()
    try:
        hosts = sounddevice.query_hostapis()
        default_input, default_output = _defaults(hosts)
        return tuple(
            Device(number, str(entry["name"]), str(hosts[entry["hostapi"]]["name"]),
                   int(entry["max_input_channels"]), int(entry["max_output_channels"]),
                   round(entry["default_samplerate"]),
                   number == default_input, number == default_output)
            for number, entry in enumerate(sounddevice.query_devices()))
    except sounddevice.PortAudioError as error:
        raise AgentError(f"PortAudio cannot list the audio devices: {error.args[0]}",
                         "see `voice-agent doctor`") from error


def _defaults(hosts: Sequence[Any]) -> tuple[int, int]:
    """Numbers of the default devices: those of the first host interface that has any."""
    found = {"default_input_device": -1, "default_output_device": -1}
    for key in found:
        found[key] = next((host[key] for host in hosts if host[key] >= 0), -1)
    return found["default_input_device"], found["default_output_device"]


def usable(direction: Direction, devices: Sequence[Device] | None = None) -> tuple[Device, ...]:
    """Devices that have channels in that direction."""
    every_one = every() if devices is None else devices
    return tuple(d for d in every_one if d.channels(direction) > 0)


def find(direction: Direction, wanted: str = "") -> Device:
    """The device that a setting means.

    Args:
        direction: Microphone or loudspeaker.
        wanted: Its number, its name or a part of its name, in any case; empty: the default.

    Raises:
        AgentError: There is none, or the name fits several.
    """
    choices, kind = usable(direction), _KIND[direction]
    if not choices:
        raise AgentError(f"no {kind} was found", f"plug one in; {LIST}")
    wanted = wanted.strip()
    if not wanted:
        defaults = [d for d in choices if getattr(d, f"default_{direction}")]
        return (defaults or list(choices))[0]
    if wanted.isdecimal():
        fits = [d for d in choices if d.number == int(wanted)]
    else:
        fits = [d for d in choices if d.name.lower() == wanted.lower()] or [
            d for d in choices if wanted.lower() in d.name.lower()]
    if len(fits) > 1:
        names = "; ".join(f"{d.number} {d.name}" for d in fits)
        raise AgentError(f"{kind} '{wanted}' fits several devices: {names}",
                         "give the number, or more of the name")
    if not fits:
        raise AgentError(f"{kind} '{wanted}' was not found", LIST)
    return fits[0]


def rates(device: Device, direction: Direction) -> tuple[int, ...]:
    """The sample rates of ``RATES`` that a device says it can open; empty while it is in use."""
    sounddevice = load()
    check = {"input": sounddevice.check_input_settings,
             "output": sounddevice.check_output_settings}[direction]

    def works(rate: int) -> bool:
        try:
            check(device=device.number, channels=1, dtype="int16", samplerate=rate)
        except sounddevice.PortAudioError as error:
            return code_of(error) == -9998 and _with_all_channels(rate)
        return True

    def _with_all_channels(rate: int) -> bool:
        try:
            check(device=device.number, channels=device.channels(direction), dtype="int16",
                  samplerate=rate)
        except sounddevice.PortAudioError:
            return False
        return True

    with hushed():
        return tuple(rate for rate in RATES if works(rate))

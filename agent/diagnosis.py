"""What ``voice-agent doctor`` looks at: one small function a question."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.config import Config
from agent.errors import AgentError
from models import ModelError, catalogue, installed, locate, models_root, verify

Level = Literal["ok", "note", "problem"]

PACKAGES = ("onnxruntime", "numpy", "vosk", "pymicro-wakeword", "hassil",
            "home-assistant-intents", "sounddevice", "sqlcipher3", "cryptography")
CLOUD_PACKAGES = ("boto3", "spake2")
SPI = "/dev/spidev0.0"
LEAST_FREE = 200
"""Megabytes that should be free where the agent writes."""
BUILT = time.mktime((2026, 1, 1, 0, 0, 0, 0, 0, 0))
"""No clock that is right shows an earlier time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    subject: str
    level: Level
    what: str
    mend: str = ""


def examine(config: Config) -> Iterator[Finding]:
    """Every finding, in the order of the report; a check that fails is itself a finding."""
    checks: tuple[Callable[[Config], Iterator[Finding]], ...] = (
        _versions, _devices, _models, _engines, _catalogues, _disk, _clock, _echo_cancellation,
        _bridge, _household)
    for check in checks:
        try:
            yield from check(config)
        except (AgentError, ModelError) as error:
            yield Finding(check.__name__.strip("_"), "problem", error.what, error.mend)
        except Exception as error:  # a check may meet drivers and files in any state
            yield Finding(check.__name__.strip("_"), "problem",
                          f"the check failed: {type(error).__name__}: {error}",
                          "the other findings may say why; otherwise ./setup_device.sh")


def _versions(config: Config) -> Iterator[Finding]:
    python = platform.python_version()
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    yield Finding("python", "ok" if supported else "problem",
                  f"{python} on {platform.machine()}, {platform.system()} {platform.release()}",
                  "" if supported else "run ./setup_device.sh with Python 3.11, 3.12 or 3.13")
    for name in PACKAGES:
        try:
            yield Finding("package", "ok", f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            yield Finding("package", "problem", f"{name} is not installed",
                          "run ./setup_device.sh")


def _devices(config: Config) -> Iterator[Finding]:
    from agent.audio.devices import find

    for kind, wanted in (("input", config.audio.input), ("output", config.audio.output)):
        subject = "microphone" if kind == "input" else "loudspeaker"
        try:
            device = find(kind, wanted)  # type: ignore[arg-type]
            yield Finding(subject, "ok", f"{device.number}: {device.name}")
        except AgentError as error:
            yield Finding(subject, "problem", error.what, error.mend)


def _models(config: Config) -> Iterator[Finding]:
    for model in catalogue().models:
        if not installed(model.name):
            continue
        try:
            verify(model.name)
            yield Finding("model", "ok", f"{model.name} {model.version} ({model.licence})")
        except ModelError as error:
            yield Finding("model", "problem", error.what, error.mend)
    yield Finding("models", "ok", f"kept in {models_root()}")


def _engines(config: Config) -> Iterator[Finding]:
    from agent.asr.factory import choose
    from agent.tts.factory import open_synthesiser

    choice = choose(config.asr, locate)
    yield Finding("recogniser", "ok", choice.reason)
    yield Finding("speech out", "ok", open_synthesiser(config.tts).name)


def _catalogues(config: Config) -> Iterator[Finding]:
    from agent.dialogue.catalogue import CatalogueFiles

    files = CatalogueFiles(config.dialogue.contacts, config.dialogue.devices,
                           config.dialogue.places)
    found = files.load()
    yield Finding("names", "ok", f"{len(found.contacts.contacts)} contacts, "
                                 f"{len(found.home.devices)} devices, "
                                 f"{len(found.places.places)} places")
    for problem in found.problems:
        yield Finding("names", "problem", problem.what, problem.mend)
    if config.dialogue.contacts is None:
        yield Finding("names", "note", "the contacts are the samples",
                      "set dialogue.contacts to your own vCard file")


def _disk(config: Config) -> Iterator[Finding]:
    for folder in (models_root(), Path.home()):
        place = next(p for p in (folder, *folder.parents) if p.exists())
        free = shutil.disk_usage(place).free // 1_000_000
        fine = free >= LEAST_FREE and os.access(place, os.W_OK)
        yield Finding("disk", "ok" if fine else "problem", f"{free} MB free at {place}",
                      "" if fine else f"free {LEAST_FREE} MB, and make the folder writable")


def _clock(config: Config) -> Iterator[Finding]:
    now = time.strftime("%Y-%m-%d %H:%M %Z")
    if time.time() < BUILT:
        yield Finding("clock", "problem", f"the clock shows {now}",
                      "set it: sudo timedatectl set-ntp true (a Raspberry Pi has no battery)")
    else:
        yield Finding("clock", "ok", now)


def _echo_cancellation(config: Config) -> Iterator[Finding]:
    if shutil.which("pw-cli") is None:
        yield Finding("echo", "note", "no PipeWire here, so no echo cancellation by the system; "
                                      "the agent still ignores its own voice")
        return
    yield Finding("echo", "note", "PipeWire can cancel the agent's voice in the microphone",
                  "load its module: docs/microphone.md shows the file to put in "
                  "~/.config/pipewire/pipewire.conf.d/")


def _bridge(config: Config) -> Iterator[Finding]:
    if config.bridge.kind == "none":
        yield Finding("board", "note", "no board with lights, button and mute switch is set")
    elif config.bridge.kind == "serial":
        port = config.bridge.port
        there = not port or Path(port).exists()
        yield Finding("board", "ok" if there else "problem", f"serial board at {port or 'any USB'}",
                      "" if there else f"plug it in, or set bridge.port ({port} does not exist)")
    else:
        yield from _pins(config)


def _household(config: Config) -> Iterator[Finding]:
    if not config.sync.enabled:
        yield Finding("household", "note", "sync with other devices is off")
        return
    from agent.sync import status
    from agent.sync.household.file import HouseholdFile
    for name in CLOUD_PACKAGES:
        if importlib.util.find_spec(name) is None:
            yield Finding("household", "problem", f"{name} is not installed",
                          "install it: pip install 'voice-agent[cloud]'")
    found = HouseholdFile(config.store.directory).find()
    if found is None:
        yield Finding("household", "problem", "sync is on, but this device is in no household",
                      "`voice-agent household create`, or `household join` with another's code")
        return
    devices = len(found.household.members)
    yield Finding("household", "ok", f"{devices} device{'s' if devices > 1 else ''}")
    report = status.read(status.path_of(config.store.directory))
    for trouble in report.troubles if report else ():
        yield Finding("cloud table", "problem", trouble.what, trouble.mend)


def _pins(config: Config) -> Iterator[Finding]:
    from agent.events import EventBus
    from firmware_bridge import BridgeUnavailableError, open_bridge

    try:
        open_bridge(config.bridge, EventBus(), time.monotonic)  # which opens nothing yet
    except BridgeUnavailableError as error:
        yield Finding("board", "problem", error.what, error.mend)
        return
    if Path(SPI).exists():
        yield Finding("board", "ok", "on the Raspberry Pi's own pins")
    else:
        yield Finding("board", "problem", f"the LEDs need SPI, and there is no {SPI}",
                      "sudo raspi-config nonint do_spi 0, then restart")

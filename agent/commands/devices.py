"""``voice-agent devices``: list microphones and loudspeakers."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.audio.portaudio import Device, Direction

HELP = "list microphones and loudspeakers"

TITLES = {"inputs": "microphone", "outputs": "loudspeaker"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(args: argparse.Namespace) -> int:
    """Print the devices; 1 when there is no microphone or no loudspeaker.

    Raises:
        AgentError: PortAudio is not installed or fails.
    """
    from agent.audio.devices import every

    devices = every()
    found = {"inputs": _described(devices, "input"), "outputs": _described(devices, "output")}
    if args.json:
        print(json.dumps(found))
    else:
        _show(found)
    missing = [title for kind, title in TITLES.items() if not found[kind]]
    for title in missing:
        print(f"no {title} was found: plug one in, then run this again", file=sys.stderr)
    return 1 if missing else 0


def _described(devices: tuple[Device, ...], direction: Direction) -> list[dict[str, Any]]:
    from agent.audio.devices import rates, usable

    return [{"number": device.number, "name": device.name, "host": device.host,
             "channels": device.channels(direction), "rate": device.rate,
             "rates": list(rates(device, direction)),
             "default": device.default_input if direction == "input" else device.default_output}
            for device in usable(direction, devices)]


def _show(found: dict[str, list[dict[str, Any]]]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    for kind, devices in found.items():
        if not devices:
            continue
        table = Table("", "number", "name", "channels", "usual rate", "rates (Hz)",
                      title=f"{TITLES[kind]}s", title_justify="left", box=None)
        for device in devices:
            table.add_row("*" if device["default"] else "", str(device["number"]), device["name"],
                          str(device["channels"]), str(device["rate"]),
                          " ".join(map(str, device["rates"])) or "cannot be opened now")
        console.print(table, "", markup=False)
    if any(found.values()):
        console.print("* the system's default; choose by number or part of the name: "
                      "audio.input, audio.output in the settings", markup=False)

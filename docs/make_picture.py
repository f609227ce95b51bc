"""Draws docs/conversation.svg: the lines of a real run of scenes/meg.toml.

.venv/bin/python docs/make_picture.py
"""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from rich.console import Console

from agent.emulate.live import LiveView
from agent.emulate.runner import hold
from agent.emulate.scene import read_scene

REPOSITORY = Path(__file__).resolve().parent.parent


def main() -> int:
    """Hold the scene in real time and save what it printed."""
    console = Console(record=True, width=96, highlight=False, file=io.StringIO(),
                      force_terminal=True)
    console.print("[bold]$ ./setup_device.sh run")
    scene = read_scene(REPOSITORY / "scenes" / "meg.toml")
    outcome = asyncio.run(hold(scene, fast=False, watch=[LiveView(console)],
                               announce=console.print))
    console.print(f"[bold]understood: {outcome.understood}")
    console.save_svg(str(REPOSITORY / "docs" / "conversation.svg"), title="voice-agent")
    return len(outcome.problems)


if __name__ == "__main__":
    sys.exit(main())

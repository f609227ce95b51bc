"""``voice-agent doctor``: check the device, and say how to mend what is wrong."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

HELP = "check devices, models, keys, disk, clock and versions"

MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "problem": "[red]✗[/]"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--config", metavar="FILE", type=Path, help="settings file")
    parser.add_argument("--json", action="store_true", help="one JSON object a finding")


def run(args: argparse.Namespace) -> int:
    """Print every finding; 1 when there is a problem."""
    from rich.console import Console

    from agent.config import load
    from agent.diagnosis import examine

    console = Console(highlight=False, markup=True)
    problems = 0
    for finding in examine(load(args.config)):
        problems += finding.level == "problem"
        if args.json:
            print(json.dumps(dataclasses.asdict(finding)), flush=True)
            continue
        console.print(f"{MARKS[finding.level]} {finding.subject:<12}", end="")
        console.print(finding.what, markup=False, soft_wrap=True)
        if finding.mend:
            console.print(f"               → {finding.mend}", markup=False, soft_wrap=True)
    return 1 if problems else 0

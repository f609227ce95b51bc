"""``voice-agent emulate SCENE.toml``: hold the conversation of a scene, without a microphone."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

from agent.errors import AgentError

HELP = "hold the conversation of a scene, without a microphone"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("scene", metavar="SCENE.toml", nargs="+", type=Path,
                        help="scene files; scenes/ has some")
    parser.add_argument("--fast", action="store_true",
                        help="as fast as the machine can, instead of in real time")
    parser.add_argument("--report", metavar="DIR", type=Path,
                        help="write the conversation there: audio, events, summary")
    parser.add_argument("--replace", metavar="NAME=FILE", action="append", default=[],
                        help="say FILE in place of the recording that the scene names NAME")


def run(args: argparse.Namespace) -> int:
    """Hold each scene; 1 when an expectation failed in any."""
    replacements = _replacements(args.replace)
    failed = [scene for scene in args.scene if not _hold(scene, args, replacements)]
    return 1 if failed else 0


def _hold(path: Path, args: argparse.Namespace, replacements: dict[str, Path]) -> bool:
    from rich.console import Console

    from agent.emulate.live import LiveView
    from agent.emulate.report import write_report
    from agent.emulate.runner import hold
    from agent.emulate.scene import read_scene

    console = Console(highlight=False)
    scene = read_scene(path, replacements)
    console.rule(f"[bold]{scene.title}")
    outcome = asyncio.run(hold(scene, fast=args.fast, keep_audio=args.report is not None,
                               watch=[LiveView(console)], announce=console.print))
    if args.report is not None:
        written = write_report(args.report / path.stem, scene, outcome)
        console.print(f"report: {written}")
    for problem in outcome.problems:
        console.print(f"[bold red]failed:[/] {problem}", soft_wrap=True)
    print(f"understood: {outcome.understood}", flush=True)
    return not outcome.problems


def _replacements(given: list[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    for name, equals, file in pairs:
        if not (name and equals and file):
            raise AgentError(f"--replace {name}{equals}{file}: not NAME=FILE")
    return {name: Path(file) for name, _, file in pairs}

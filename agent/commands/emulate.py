"""``voice-agent emulate SCENE.toml``: hold the conversation of a scene, without a microphone."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from rich.console import Console

    from agent.emulate.runner import Outcome
    from agent.emulate.scene import Scene

HELP = "hold the conversation of a scene, without a microphone"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("scene", metavar="SCENE.toml", nargs="+", type=Path,
                        help="scene files; scenes/ has some")
    parser.add_argument("--fast", action="store_true",
                        help="as fast as the machine can, instead of in real time")
    parser.add_argument("--board", action="store_true",
                        help="show an emulated board with lights, button and mute switch")
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

    from agent.emulate.report import write_report
    from agent.emulate.scene import read_scene

    console = Console(highlight=False)
    scene = read_scene(path, replacements)
    console.rule(f"[bold]{scene.title}")
    outcome = asyncio.run(_conversation(scene, args, console))
    if args.report is not None:
        written = write_report(args.report / path.stem, scene, outcome)
        console.print(f"report: {written}")
    for problem in outcome.problems:
        console.print(f"[bold red]failed:[/] {problem}", soft_wrap=True)
    print(f"understood: {outcome.understood}", flush=True)
    return not outcome.problems


async def _conversation(scene: Scene, args: argparse.Namespace, console: Console) -> Outcome:
    from agent.emulate.board import shown_board
    from agent.emulate.live import LiveView
    from agent.emulate.runner import hold

    async with contextlib.AsyncExitStack() as stack:
        port = ""
        if args.board:
            port = (await stack.enter_async_context(shown_board(console))).port
        return await hold(scene, fast=args.fast, keep_audio=args.report is not None, board=port,
                          watch=[LiveView(console)], announce=console.print)


def _replacements(given: list[str]) -> dict[str, Path]:
    pairs = [text.partition("=") for text in given]
    for name, equals, file in pairs:
        if not (name and equals and file):
            raise AgentError(f"--replace {name}{equals}{file}: not NAME=FILE")
    return {name: Path(file) for name, _, file in pairs}

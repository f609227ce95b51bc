"""``voice-agent transcribe``: turn recordings into text."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr import Recogniser
    from agent.asr.settings import EngineChoice, Settings
    from agent.biasing import Hypothesis
    from agent.events import Samples

HELP = "turn recordings into text"

_FRAME = 320
"""Samples given to the recogniser at a time: 20 ms, as from a microphone."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.asr.settings import EngineChoice

    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="WAV or FLAC file")
    parser.add_argument("--engine", choices=typing.get_args(EngineChoice),
                        help="recogniser (usually the one in the settings)")
    parser.add_argument("--nbest", type=_count, default=1, metavar="N",
                        help="print up to N different transcripts of each file, best first")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object a file: file, text, nbest (text and score), "
                             "seconds (taken), duration (of the audio), engine")


def run(args: argparse.Namespace) -> int:
    """Print what is heard in each file; returns 1 when a file could not be read.

    Raises:
        AgentError: The recogniser cannot be opened.
    """
    from agent.asr.factory import choose, open_choice
    from agent.config import load
    from models import locate

    settings = _chosen(load().asr, args.engine, args.nbest)
    choice = choose(settings, locate)
    print(f"recogniser: {choice.reason}", file=sys.stderr)
    recogniser = open_choice(choice, settings)
    failed = 0
    for path in args.files:
        try:
            samples = _read(path)
        except AgentError as error:
            print(f"voice-agent: {error}", file=sys.stderr)
            failed += 1
            continue
        found, seconds = _recognise(recogniser, samples)
        shown = found[:args.nbest]
        if args.json:
            print(json.dumps(_object(path, recogniser, shown, len(samples), seconds),
                             ensure_ascii=False), flush=True)
        else:
            _print(path, shown, args.nbest)
    return 1 if failed else 0


def _chosen(settings: Settings, engine: EngineChoice | None, nbest: int) -> Settings:
    """The settings with the command line's wishes."""
    return dataclasses.replace(
        settings, engine=engine or settings.engine,
        beam=settings.beam if nbest == 1 else max(nbest, settings.beam),
        alternatives=max(nbest, settings.alternatives))


def _read(path: Path) -> Samples:
    from agent.audio.files import read

    return read(path)


def _recognise(recogniser: Recogniser, samples: Samples) -> tuple[Sequence[Hypothesis], float]:
    """Hypotheses, best first, and the wall time they took."""
    began = time.perf_counter()
    recognition = recogniser.start()
    try:
        for at in range(0, len(samples), _FRAME):
            recognition.accept(samples[at:at + _FRAME])
        found = recognition.finish()
    finally:
        recognition.close()
    return found, time.perf_counter() - began


def _object(path: Path, recogniser: Recogniser, found: Sequence[Hypothesis], samples: int,
            seconds: float) -> dict[str, Any]:
    from agent.events import SAMPLE_RATE

    return {"file": str(path), "text": found[0].text if found else "",
            "nbest": [{"text": entry.text, "score": round(entry.score, 4)} for entry in found],
            "seconds": round(seconds, 3), "duration": round(samples / SAMPLE_RATE, 3),
            "engine": recogniser.name}


def _print(path: Path, found: Sequence[Hypothesis], nbest: int) -> None:
    if nbest == 1 or not found:
        print(f"{path}: {found[0].text if found else ''}", flush=True)
        return
    print(path)
    for entry in found:
        print(f"  {entry.score:8.3f}  {entry.text}", flush=True)


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 16:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 16")
    return int(text)

"""``voice-agent wake``: find the wake word in recordings."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import typing
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr.settings import Settings as AsrSettings
    from agent.wake import Detection, WakeWord
    from agent.wake.confirm import Confirm
    from agent.wake.settings import Settings

HELP = "find the wake word in recordings"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    from agent.wake.settings import Engine

    parser.add_argument("files", metavar="FILE", nargs="+", type=Path, help="WAV or FLAC file")
    parser.add_argument("--word", help="wake word (usually the one in the settings)")
    parser.add_argument("--engine", choices=typing.get_args(Engine),
                        help="what listens for it (usually the one in the settings)")
    parser.add_argument("--pad", type=_seconds, default=0.0, metavar="SECONDS",
                        help="digital silence to put before and after each file; times stay "
                             "those of the file itself")
    parser.add_argument("--json", action="store_true",
                        help="one JSON object a detection: file, time (s), engine, score (0-1); "
                             "a file without any has one with the time null")


def run(args: argparse.Namespace) -> int:
    """Print the detections; returns 1 when a file could not be read.

    Raises:
        AgentError: The wake word cannot be listened for.
    """
    from agent.config import load

    config = load()
    chosen = {name: value for name in ("word", "engine")
              if (value := getattr(args, name)) is not None}
    settings = dataclasses.replace(config.wake, **chosen)
    wake = open_listener(settings, config.asr)
    show = _json if args.json else _line
    failed = 0
    for path in args.files:
        try:
            found = _listen(wake, path, args.pad)
        except AgentError as error:
            print(f"voice-agent: {error}", file=sys.stderr)
            failed += 1
            continue
        _print(path, settings.engine, found, show)
    return 1 if failed else 0


def open_listener(settings: Settings, asr: AsrSettings) -> WakeWord:
    """The wake word of the settings, with the recogniser's confirmation where one is installed.

    Raises:
        AgentError: The word is unknown, a model is missing, or the phrase engine has no
            recogniser.
    """
    from agent.wake.factory import needs_recogniser, open_wake_word
    from models import locate

    confirm = _confirmation(settings, asr) if needs_recogniser(settings) else None
    return open_wake_word(settings, locate, confirm)


def _confirmation(settings: Settings, asr: AsrSettings) -> Confirm | None:
    from agent.asr.factory import choose, open_choice
    from agent.wake.confirm import ByRecogniser
    from models import locate

    try:
        choice = choose(asr, locate)
    except AgentError as error:
        if settings.engine == "phrase":
            raise
        print(f"voice-agent: no recogniser confirms the wake word: {error.what}", file=sys.stderr)
        return None
    return ByRecogniser(open_choice(choice, asr), settings.word)


def _listen(wake: WakeWord, path: Path, pad: float) -> list[Detection]:
    """All detections, or an error before any is printed: a damaged file gives none."""
    from agent.audio.files import blocks
    from agent.wake.recording import detections

    return list(detections(wake, blocks(path), pad))


def _print(path: Path, engine: str, found: list[Detection],
           show: Callable[[Path, str, Detection | None], str]) -> None:
    lines: list[Detection | None] = [*found] or [None]
    for detection in lines:
        print(show(path, engine, detection), flush=True)


def _json(path: Path, engine: str, detection: Detection | None) -> str:
    if detection is None:
        return json.dumps({"file": str(path), "time": None, "engine": engine, "score": None})
    return json.dumps({"file": str(path), "time": round(detection.at, 3),
                       "engine": detection.engine, "score": round(detection.score, 4)})


def _line(path: Path, engine: str, detection: Detection | None) -> str:
    if detection is None:
        return f"{path}: -"
    return (f"{path}: {detection.at:.2f} s {detection.word} "
            f"({engine}, score {detection.score:.2f})")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 600")
    return value

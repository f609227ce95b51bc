"""Writing down what came of a scene: the audio, the events, and a summary."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from agent.emulate.runner import Outcome
from agent.emulate.scene import Scene
from agent.emulate.timeline import draw, windows
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, DirectiveIssued, Event


def write_report(folder: Path, scene: Scene, outcome: Outcome) -> Path:
    """Write the conversation, its events, its context windows as a picture, and a summary.

    ``conversation.flac`` (left heard, right played), ``events.jsonl``, ``context.svg``,
    ``summary.json``.

    The files hold what was said, so they are readable by their owner alone.

    Raises:
        AgentError: The folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write_audio(folder / "conversation.flac", outcome)
        lines = [json.dumps(as_record(event), ensure_ascii=False) for event in outcome.events]
        _write_text(folder / "events.jsonl", "\n".join(lines) + "\n")
        _write_text(folder / "context.svg", draw(scene.title, windows(outcome.events)))
        summary = {"title": scene.title, "understood": outcome.understood,
                   "problems": list(outcome.problems)}
        _write_text(folder / "summary.json", json.dumps(summary, ensure_ascii=False) + "\n")
    except OSError as error:
        raise AgentError(f"cannot write the report to {folder}: {error.strerror}") from error
    return folder


def as_record(event: Event) -> dict[str, Any]:
    """An event as plain data: its name, then its fields."""
    record: dict[str, Any] = {"event": type(event).__name__, **dataclasses.asdict(event)}
    if isinstance(event, DirectiveIssued):
        record["directive"] = {"name": type(event.directive).__name__,
                               **dataclasses.asdict(event.directive)}
    return record


def _write_audio(path: Path, outcome: Outcome) -> None:
    both = np.stack([outcome.heard, outcome.played], axis=1)
    with os.fdopen(_private(path), "wb") as file:
        soundfile.write(file, both, SAMPLE_RATE, format="FLAC", subtype="PCM_16")


def _write_text(path: Path, text: str) -> None:
    with os.fdopen(_private(path), "w", encoding="utf-8") as file:
        file.write(text)


def _private(path: Path) -> int:
    path.unlink(missing_ok=True)
    return os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)

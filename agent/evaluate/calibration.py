"""Refits the thresholds on a user's own recordings.

Few recordings cannot teach a model of ten weights, so the shipped one is kept and only moved: its
log odds are scaled and shifted (Platt, 1999) and its two thresholds chosen anew, on the user's
recordings in context and on the same recordings with what was said taken out of the context.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

from agent.asr import Recogniser
from agent.biasing.arbitration import Arbiter, Evidence, Weights
from agent.errors import AgentError
from agent.evaluate import cases, intervals, runner, scoring
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Context, Line, Said
from agent.events import Expectation

if TYPE_CHECKING:
    from agent.config import Config

FEWEST = 10
"""Recordings below which nothing is fitted."""
PHRASES = 20
"""Phrases that a user is asked to read."""
WRONG, WRONG_SURE = 0.05, 0.02
"""Share of turns without the right answer in the context in which another may be taken."""


class _Weighed(Protocol):
    @property
    def evidence(self) -> Evidence | None:
        """What spoke for and against the context."""
        ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """What came of it."""

    report: tuple[str, ...]
    table: dict[str, Any] | None = field(default=None, repr=False)
    """Thresholds to write; None when the recordings are too few or teach nothing."""


@dataclass(frozen=True, slots=True)
class _Turn:
    line: Line
    plain: str = field(repr=False)
    evidence: Evidence | None = field(repr=False)


def fit(recogniser: Recogniser, lines: Sequence[Line],
        say: Callable[[str], None] = lambda _: None) -> Calibration:
    """Fit on recordings; those without a context only count for the figures.

    Raises:
        AgentError: A recording cannot be read, or the engine has no thresholds.
    """
    arbiter = getattr(recogniser, "arbiter", None)
    if not isinstance(arbiter, Arbiter):
        raise AgentError(f"the recogniser {recogniser.name} has no thresholds to fit")
    say(f"recognising {len(lines)} recordings")
    turns = [_recognise(recogniser, line) for line in lines]
    absent = [_recognise(recogniser, line) for line in cases.without_the_name(
        [line for line in lines if line.text and line.context.contacts])]
    before = _figures("before", turns, arbiter)
    if len(turns) < FEWEST:
        return Calibration((*before, f"too few recordings: at least {FEWEST} are needed"))
    fitted = _refit(arbiter, turns, absent)
    judged = dataclasses.replace(arbiter, shapes=fitted)
    table = {"engine": recogniser.name, "measured": True, "recordings": len(turns), "shapes": {
        shape.value: {"weights": dict(w.weights), "accept": w.accept, "sure": w.sure}
        for shape, w in fitted.items()}}
    return Calibration((*before, *_figures("after", turns, judged),
                        *_harm("name absent, another taken", absent, judged)), table)


def _recognise(recogniser: Recogniser, line: Line) -> _Turn:
    recognition = recogniser.start(recogniser.prepare(bias_of(line.context, line.expects)))
    try:
        recognition.accept(runner.read_audio(line, None))
        hypotheses = recognition.finish()
        evidence = cast(_Weighed, recognition).evidence
    finally:
        recognition.close()
    return _Turn(line, hypotheses[0].text if hypotheses else "", evidence)


def _refit(arbiter: Arbiter, turns: Sequence[_Turn],
           absent: Sequence[_Turn]) -> dict[Any, Weights]:
    fitted = dict(arbiter.shapes)
    for shape, weights in arbiter.shapes.items():
        rows = [(arbiter.odds(t.evidence), _is_right(t.evidence.text, t.line))
                for t in (*turns, *absent)
                if t.evidence is not None and t.evidence.shape is shape and t.evidence.text]
        odds, right = np.array([o for o, _ in rows]), np.array([r for _, r in rows], bool)
        if len(rows) < FEWEST or not right.any() or right.all():
            continue
        accept, sure = (_between(odds, right, share) for share in (WRONG, WRONG_SURE))
        fitted[shape] = Weights(weights.weights, accept, max(accept, sure))
    return fitted


def _between(odds: np.ndarray[Any, Any], right: np.ndarray[Any, Any], share: float) -> float:
    """A threshold that lets few wrong ones pass, half way to the lowest right one above it."""
    wrong = np.sort(odds[~right])[::-1]
    lowest = float(wrong[min(int(share * len(wrong)), len(wrong) - 1)])
    above = np.sort(odds[right & (odds > lowest)])
    return (lowest + float(above[0])) / 2 if len(above) else lowest + 1e-3


def _is_right(text: str, line: Line) -> bool:
    if line.has_text:
        return scoring.exact(text, line.text, line.expects)
    return scoring.accepted(text, line.slots)


def _figures(when: str, turns: Sequence[_Turn], arbiter: Arbiter) -> list[str]:
    on = [_is_right(_decided(turn, arbiter), turn.line) for turn in turns]
    off = [_is_right(turn.plain, turn.line) for turn in turns]
    return [f"{when}: right with context {_share(on)}, without {_share(off)}"]


def _harm(what: str, turns: Sequence[_Turn], arbiter: Arbiter) -> list[str]:
    taken = [t.evidence is not None and arbiter.decide(t.evidence).source == "context"
             for t in turns]
    return [f"{what}: {_share(taken)}"] if turns else []


def _decided(turn: _Turn, arbiter: Arbiter) -> str:
    return turn.plain if turn.evidence is None else arbiter.decide(turn.evidence).text


def _share(values: Sequence[bool]) -> str:
    found = intervals.mean(values)
    if found is None:
        return "none"
    return (f"{sum(values)} of {len(values)} ({100 * found.low:.0f} to {100 * found.high:.0f} %)")


def default_path(engine: str) -> Path:
    """Where thresholds are written: beside the settings."""
    from agent.config import default_path as settings

    return settings().parent / f"thresholds-{engine}.json"


@contextmanager
def reading(config: Config, keep: Path | None) -> Iterator[Sequence[Line]]:
    """Ask the user to read phrases aloud; yields the recordings, deleted afterwards.

    Raises:
        AgentError: There is no microphone, or there are no contacts to read.
    """
    from agent.dialogue.catalogue.files import CatalogueFiles

    known = CatalogueFiles(config.dialogue.contacts, config.dialogue.devices,
                           config.dialogue.places).load()
    names = [contact.name for contact in known.contacts.contacts]
    if len(names) < 2:
        raise AgentError("there are no contacts to read aloud",
                         "add contacts to the address book, or give a folder of recordings")
    with TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        yield asyncio.run(_read_aloud(config, names, folder))


async def _read_aloud(config: Config, names: Sequence[str], folder: Path) -> list[Line]:
    from agent.evaluate import recording

    chosen = [random.choice(names) for _ in range(PHRASES)]
    question = Said("agent", "Who would you like to call?")
    context = Context((question,), contacts=tuple(names))
    lines = []
    for number, name in enumerate(chosen, 1):
        path = folder / f"{number:02}.wav"
        await recording.prompt(config, f"{number} of {PHRASES}. Say: {name}", path)
        lines.append(Line(f"{number:02}", path, name, True, expects=Expectation.NAME,
                          set="in-context", context=context))
    rows = [{"id": line.id, "audio": line.audio.name, "text": line.text, "expects": "name",
             "set": "in-context"} for line in lines]
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows),
                                           encoding="utf-8")
    (folder / "context.json").write_text(json.dumps(
        {"previous": [{"speaker": "agent", "text": question.text}], "contacts": list(names)}),
        encoding="utf-8")
    return lines

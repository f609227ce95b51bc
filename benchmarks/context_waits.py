"""Does context make anybody wait? End of speech to text, with a context window and without.

    .venv/bin/python benchmarks/context_waits.py [--rounds 20] [--json FILE] [SCENE.toml ...]

Holds scenes with a question and its answer in real time with the agent itself, round by round in
three ways, in a new order each round, so that a busy machine troubles all of them alike:

- without: no context window at all;
- late: the window opens and is never ready, so that the answer is recognised plainly;
- context: the window is ready.

What counts is the answer's wall time from the end of the utterance to the recogniser's decision.
The recording is the same in all three, so differences are taken pair by pair, with a 95 % interval
of their median (bootstrap over rounds).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
from collections import Counter, defaultdict
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from agent.biasing.settings import Settings as BiasSettings  # noqa: E402
from agent.context.window import Window  # noqa: E402
from agent.emulate.runner import hold  # noqa: E402
from agent.emulate.scene import Scene, read_scene  # noqa: E402
from agent.events import ContextClosed, Event, MicrophoneOpened, Recognised  # noqa: E402

WAYS = ("without", "late", "context")
SCENES = ("meg", "restaurants")


async def never(window: Window, stored: Any) -> Any:
    """A window that the store keeps waiting."""
    window.row = await stored
    await asyncio.sleep(3600)


def answers(scene: Scene, way: str) -> tuple[list[float], list[str]]:
    """Seconds of each answer of a scene, and what became of its windows."""
    events: list[Event] = []
    if way == "without":
        settings = replace(scene.settings, context=replace(scene.settings.context, enabled=False))
        scene = replace(scene, settings=settings)
    late = patch.object(Window, "run", never) if way == "late" else nullcontext()
    with late:
        asyncio.run(hold(scene, fast=False, watch=[events.append]))
    follow_up, seconds = False, []
    for event in events:
        if isinstance(event, MicrophoneOpened):
            follow_up = event.follow_up
        elif isinstance(event, Recognised) and follow_up:
            seconds.append(event.seconds)
    return seconds, [e.outcome for e in events if isinstance(e, ContextClosed)]


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    ms = 1000 * np.array(seconds)
    return {"n": len(ms), "p50": float(np.percentile(ms, 50)), "p99": float(np.percentile(ms, 99)),
            "longest": float(ms.max())}


def difference(one: list[float], other: list[float]) -> dict[str, float]:
    """Median of the paired differences in milliseconds, and its 95 % interval."""
    apart = 1000 * (np.array(one) - np.array(other))
    draws = np.random.default_rng(0).integers(0, len(apart), (2_000, len(apart)))
    low, high = np.percentile(np.median(apart[draws], axis=1), [2.5, 97.5])
    return {"median": float(np.median(apart)), "low": float(low), "high": float(high)}


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", nargs="*", type=Path, help=f"{' and '.join(SCENES)} if none")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", metavar="FILE", type=Path)
    args = parser.parse_args()
    scenes = [read_scene(p) for p in args.scene or [ROOT / "scenes" / f"{n}.toml" for n in SCENES]]
    taken: dict[str, list[float]] = defaultdict(list)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    order = random.Random(0)
    for number in range(args.rounds):
        for scene in scenes:
            found = {}
            for way in order.sample(WAYS, len(WAYS)):
                found[way], ended = answers(scene, way)
                outcomes[way].update(ended)
            if len({len(seconds) for seconds in found.values()}) != 1:
                print(f"round {number}, {scene.title}: not the same answers; left out",
                      file=sys.stderr)
                continue
            for way, seconds in found.items():
                taken[way] += seconds
    rows = {way: percentiles(taken[way]) for way in WAYS}
    differences = {way: difference(taken[way], taken["without"]) for way in WAYS[1:]}
    print(f"{'ms':8} {'p50':>7} {'p99':>7} {'longest':>7} {'n':>4}  more than without (95 %)")
    for way, row in rows.items():
        more = differences.get(way)
        text = f"{more['median']:+.1f} ({more['low']:+.1f} to {more['high']:+.1f})" if more else ""
        print(f"{way:8} {row['p50']:7.1f} {row['p99']:7.1f} {row['longest']:7.1f} {row['n']:4}  "
              f"{text}  {dict(outcomes[way])}")
    if args.json:
        args.json.write_text(json.dumps({
            "budget_ms": BiasSettings().budget_ms, "load": os.getloadavg()[0], "ms": rows,
            "more_than_without_ms": differences,
            "outcomes": {way: dict(counts) for way, counts in outcomes.items()}}, indent=1) + "\n")


if __name__ == "__main__":
    main()

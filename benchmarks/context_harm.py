"""Does context turn something else into a likely name?

    .venv/bin/python benchmarks/context_harm.py ../shared/data [--names 5200] [--json FILE]

Questions of synthetic dialogues are answered by what is no answer to them: recorded sentences that
have nothing to do with any name, and synthesised names that are not in the catalogue. Both in
kitchen noise at 10 dB are recognised once with all names at equal weight and once as in the agent,
with the names that the context selects and their priors. What counts is how often a name is taken.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.asr.moonshine.engine import MoonshineRecogniser  # noqa: E402
from agent.biasing import Bias, builders  # noqa: E402
from agent.biasing.settings import Settings as BiasSettings  # noqa: E402
from agent.context import TurnContext, selection, signals  # noqa: E402
from agent.context.encoder import Encoder  # noqa: E402
from agent.context.library import Library  # noqa: E402
from agent.evaluate import intervals, manifest, noise, runner, synthesis  # noqa: E402
from agent.evaluate.experiment import standing  # noqa: E402
from agent.evaluate.experiment_cache import Cache, default_folder  # noqa: E402
from agent.evaluate.experiment_dialogues import dialogues  # noqa: E402
from agent.evaluate.experiment_world import world  # noqa: E402
from agent.events import Samples  # noqa: E402
from models import catalogue, locate  # noqa: E402

SNR_DB = 10.0
LIMIT = 300
SEED = 50
"""Of the dialogues: one that nothing was fitted on."""


class Room:
    """A catalogue, and a recogniser that is asked about it in two ways.

    Args:
        names: Entries of the synthetic user.
    """

    def __init__(self, names: int) -> None:
        self.world = world(names)
        self.encoder = Encoder(locate("context-encoder"))
        cache = Cache(default_folder())
        version = catalogue()["context-encoder"].built[0].sha256 or ""
        library = Library.of(self.world.entries)
        self.library = library.with_vectors(cache.vectors(version, library.entries, self.encoder))
        cache.close()
        self.recogniser = MoonshineRecogniser(locate("moonshine-tiny-en"), None,
                                              BiasSettings(budget_ms=0))
        self._base = standing(self.library)
        self._sayable = selection.Sayable.of(self._base, self.library)
        self._signals = signals.load()

    def taken(self, turn: TurnContext, samples: Samples) -> dict[str, bool]:
        """Whether a name was taken, by how the names were weighed."""
        reading = signals.read(self._signals, turn)
        chosen = selection.choose(self.library, reading, turn.expectation,
                                  self.encoder.encode(reading.texts), limit=LIMIT)
        narrowed = self._sayable.narrowed(self.library, chosen, LIMIT)
        return {"equal": self._hear(self._base, turn, samples),
                "context": self._hear(narrowed, turn, samples)}

    def _hear(self, base: Bias, turn: TurnContext, samples: Samples) -> bool:
        bias = builders.turn(base, turn.expectation, turn.alternatives)
        recognition = self.recogniser.start(self.recogniser.prepare(bias))
        recognition.accept(samples)
        recognition.finish()
        return recognition.decide().source == "context"


def answers(data: Path, known: Library, count: int) -> Iterator[tuple[str, Samples]]:
    """Kind and audio of ``count`` answers of each kind."""
    kitchen = runner.Noise.read(data / "noise" / "kitchen.flac", SNR_DB)
    lines = [line for line in manifest.read(data / "names" / "manifest.jsonl")
             if line.set == "anti-context"]
    others = [e.text for e in world(5_200, 77).entries if e.text.lower() not in known.texts]
    draw, voices = random.Random(SEED), synthesis.installed()
    for number in range(count):
        yield "unrelated", runner.read_audio(lines[number % len(lines)], kitchen)
        spoken = synthesis.speak(draw.choice(others), draw.choice(voices))
        yield "not in the catalogue", noise.mix(str(number), spoken, kitchen.samples, SNR_DB)


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--names", type=int, default=5_200)
    parser.add_argument("--count", type=int, default=100, help="answers of each kind")
    parser.add_argument("--json", metavar="FILE", type=Path)
    args = parser.parse_args()
    room = Room(args.names)
    turns = dialogues(room.world, 2 * args.count, seed=SEED)
    found: dict[str, dict[str, list[bool]]] = {}
    for dialogue, (kind, samples) in zip(turns, answers(args.data, room.library, args.count),
                                         strict=True):
        for way, taken in room.taken(dialogue.turn, samples).items():
            found.setdefault(kind, {}).setdefault(way, []).append(taken)
    record = {}
    print(f"{'taken for a name, %':22} {'equal weight':>22} {'context':>22} {'n':>5}")
    for kind, ways in found.items():
        rates = {way: intervals.mean(taken) for way, taken in ways.items()}
        texts = [f"{100 * r.value:.1f} ({100 * r.low:.1f} to {100 * r.high:.1f})"
                 for r in rates.values() if r is not None]
        print(f"{kind:22} {texts[0]:>22} {texts[1]:>22} {len(ways['equal']):5}", flush=True)
        record[kind] = {way: r and r.as_list() for way, r in rates.items()}
    if args.json:
        args.json.write_text(json.dumps({"names": len(room.library), "snr_db": SNR_DB,
                                         "count": args.count, "taken": record}, indent=1) + "\n")


if __name__ == "__main__":
    main()

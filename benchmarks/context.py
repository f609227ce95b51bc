"""How long does each step of the context window take, and what is it worth to wait for?

Times, on one thread: two texts encoded; the whole window (items read and unsealed → signals →
encoded → selected → prepared) over 20,000 names, with the real store, encoder and recogniser;
and a start with no vectors kept, against one with all kept.

    .venv/bin/python benchmarks/context.py --json context.json
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from agent.asr.factory import choose, open_recogniser
from agent.biasing import pronunciation
from agent.config import Config
from agent.context import hosting
from agent.context.encoder import Encoder
from agent.context.expecting import Catalogues, ContextExpectations, Known
from agent.context.hosting import EncoderHost
from agent.context.library import Library
from agent.context.pace import Pace
from agent.context.selection import Sayable
from agent.context.settings import Settings
from agent.context.signals import load
from agent.context.stored import StoredItems
from agent.context.window import Parts
from agent.evaluate.experiment import standing
from agent.evaluate.experiment_cache import Cache, default_folder
from agent.evaluate.experiment_dialogues import Dialogue, dialogues
from agent.evaluate.experiment_world import world
from agent.events import ContextClosed, ContextStep, Event, EventBus, ExpectSpeech
from agent.store import BestEffortStore, NewItem
from agent.store import Settings as StoreSettings
from agent.worker import Workload
from models import locate

TEXTS = ["i have a terrible toothache can you call somebody", "Who shall I call?"]


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50, p99 and the greatest, in milliseconds."""
    values = 1000 * np.array(seconds)
    return {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99)),
            "max": float(values.max()), "n": len(values)}


def two_texts(encoder: Encoder, times: int) -> dict[str, float]:
    """Two texts encoded, again and again."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        encoder.encode(TEXTS)
        taken.append(time.perf_counter() - start)
    return percentiles(taken)


class Windows:
    """Windows one after another, each waited for."""

    def __init__(self, folder: Path, names: int, encoder: Encoder, *,
                 hurry: bool = False) -> None:
        self.hurry = hurry
        self.world, self.encoder, self.folder = world(names), encoder, folder
        self.events: list[Event] = []
        self.config = Config()

    async def run(self, turns: int) -> dict[str, dict[str, float]]:
        """Milliseconds of every step, of the whole, and of the starts."""
        first = await self.start()
        taken = defaultdict(list)
        for number, dialogue in enumerate(dialogues(self.world, turns)):
            self.events.clear()
            worked = await self._window(f"d{number}", dialogue)
            taken["whole, CPU"].append(worked)
            steps = [e for e in self.events if isinstance(e, ContextStep)]
            outcomes = [e.outcome for e in self.events if isinstance(e, ContextClosed)]
            if outcomes != ["ready"]:
                raise SystemExit(f"window {number} was {outcomes}: {self.events}")
            for step in steps:
                taken[step.step].append(step.seconds)
            taken["whole window"].append(steps[-1].since_opened)
        await self.stop()
        second = await self.start()
        await self.stop()
        return {**{name: percentiles(values) for name, values in taken.items()},
                "first start": percentiles([first]), "second start": percentiles([second])}

    async def _window(self, dialogue_id: str, dialogue: Dialogue) -> float:
        """One window; CPU seconds of the whole process meanwhile, the store's write included."""
        start = time.process_time()
        self.ask(dialogue_id, dialogue)
        await asyncio.sleep(0.01)
        await self.workload.idle()
        worked = time.process_time() - start
        await self.windows.ready()
        self.windows.drop()
        self.store.close_dialogue(dialogue_id)
        return worked

    def ask(self, dialogue_id: str, dialogue: Dialogue) -> None:
        """Store a dialogue's turns and open the window of its question."""
        turn, row = dialogue.turn, None
        for number, spoken in enumerate(turn.rounds):
            row = self.store.append(dialogue_id, number, "utterance speak expect-speech", [
                NewItem("said", spoken.said), NewItem("reply", spoken.reply),
                NewItem("places", json.dumps(turn.carried))])
        assert row is not None
        self.situation = replace(turn.situation, device_type="smart speaker")
        self.windows.expect(ExpectSpeech(turn.expectation), row)

    async def start(self) -> float:
        """Open everything; seconds until all vectors are there."""
        bus, self.workload = EventBus(), Workload()
        bus.subscribe(self.events.append)
        self.store = BestEffortStore(StoreSettings(directory=self.folder), print)
        await self.store.start()
        recogniser = open_recogniser(self.config.asr, locate)

        async def opened() -> object:
            return self.store.store

        settings = Settings(hurry=self.hurry)
        parts = Parts(recogniser, StoredItems(self.store), EncoderHost(lambda: self.encoder),
                      settings, bus, lambda: 0.0, load(), Pace(settings.phrases))
        self.windows = ContextExpectations(parts, Catalogues("bench", opened), self.workload,
                                           lambda: self.situation)
        library_bias = standing(Library.of(self.world.entries))
        # A running agent has made its standing bias: every name has been pronounced before.
        recogniser.prepare(replace(library_bias, phrases=library_bias.phrases[:300], slots=()))
        for phrase in library_bias.phrases:
            pronunciation.of_phrase(phrase)
        start = time.perf_counter()
        # The standing bias over all names is made at start, apart from the windows.
        await self.windows.know(replace(library_bias, phrases=()), self.world.entries)
        await self.windows.learnt()
        taken = time.perf_counter() - start
        library = self.windows._known.library
        sayable = Sayable.of(library_bias, library)
        sayable.answers.retriever  # noqa: B018 - made with the standing bias
        self.windows._known = Known(sayable, library)
        gc.freeze()  # as the agent does once it knows all names
        return taken

    async def stop(self) -> None:
        """Close everything."""
        await self.windows.close()
        await self.store.close()


class Remembering:
    """The encoder, with the vectors of names taken from an earlier run where it made them."""

    def __init__(self, encoder: Encoder, entries: tuple, cache: Cache, version: str) -> None:
        self._encoder = encoder
        table = cache.vectors(version, entries, encoder)
        self._known = dict(zip((e.described for e in entries), table, strict=True))

    def encode(self, texts: list[str]) -> np.ndarray:
        """Vectors of texts."""
        if all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._encoder.encode(texts)


def main() -> None:
    """Measure and print."""
    hosting.NICENESS = 0  # as on a board that has nothing else to do
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--names", type=int, default=20_000)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--remembered", action="store_true",
                        help="take the names' vectors from an earlier run: first start untimed")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    encoder = Encoder(locate("context-encoder"))
    encoder.encode(TEXTS)
    result = {"two texts": two_texts(encoder, 300)}
    used = encoder
    if args.remembered:
        used = Remembering(encoder, world(args.names).entries, Cache(default_folder()), "bench")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        result |= asyncio.run(Windows(Path(folder) / "state", args.names, used).run(args.turns))
    print(f"{'one thread, ms':16} {'p50':>9} {'p99':>9} {'max':>9} {'n':>6}")
    for name, row in result.items():
        print(f"{name:16} {row['p50']:9.1f} {row['p99']:9.1f} {row['max']:9.1f} {row['n']:6.0f}")
    if args.json:
        record = {"names": args.names, "recogniser": choose(Config().asr, locate).reason,
                  "ms": result}
        args.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()

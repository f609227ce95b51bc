"""Is the bias ready when the microphone reopens, on one core that is also playing speech?

Turns in an emulated room in real time: frames are read, the wake word is listened for, a reply of
0.8 to 6 seconds is synthesised and played, and meanwhile its context window is open, with the real
store, encoder and recogniser. When the window is done, what is left of the reply is only playing
and is not waited for. Run on one core:

    taskset -c 0 .venv/bin/python benchmarks/context_turns.py --turns 1000 --json turns.json
    taskset -c 0 .venv/bin/python benchmarks/context_turns.py --turns 100 --quota 0.1

``--quota`` lets the process run only that share of the time (10 ms in 100 for 0.1), as on a board
that is so much slower.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import contextlib
import json
import random
import signal
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from context import Remembering, Windows, percentiles

from agent.config import Config
from agent.context.encoder import Encoder
from agent.conversation.ears import Ears
from agent.emulate.room import Room
from agent.evaluate.experiment_cache import Cache, default_folder
from agent.evaluate.experiment_dialogues import Dialogue, dialogues
from agent.evaluate.experiment_world import world
from agent.events import ContextClosed, ContextStep, EventBus
from agent.tts.factory import open_synthesiser
from agent.wake.factory import open_wake_word
from models import locate

SHORTEST, LONGEST = 0.8, 6.0
FILLING = ("Let me see what there is. I have a long list of names here, and any of them may be "
           "meant, so please tell me once more, as clearly as you can. ")
CHARACTERS_A_SECOND = 15


class Turns:
    """Turns in a room.

    Args:
        windows: The context windows, started.
        config: Engines.
    """

    def __init__(self, windows: Windows, config: Config) -> None:
        self._windows = windows
        self._room, bus = Room(), EventBus()
        self._ears = Ears(self._room, open_wake_word(config.wake, locate, None), bus)
        self._voice = open_synthesiser(config.tts)
        self.waits: list[float] = []
        """Seconds that reopening the microphone had to wait for ``ready``."""

    async def run(self, made: tuple[Dialogue, ...]) -> list[dict[str, object]]:
        """One row a turn."""
        listening = asyncio.create_task(self._listen())
        chance = random.Random(0)
        rows = []
        for number, dialogue in enumerate(made):
            rows.append(await self._turn(number, dialogue, chance.uniform(SHORTEST, LONGEST)))
        listening.cancel()
        return rows

    async def _listen(self) -> None:
        while True:
            await self._ears.listen()

    async def _turn(self, number: int, dialogue: Dialogue, length: float) -> dict[str, object]:
        windows = self._windows
        windows.events.clear()
        dialogue = _lasting(dialogue, length)
        started = time.perf_counter()
        windows.ask(f"d{number}", dialogue)
        making = asyncio.create_task(self._speak(dialogue.turn.rounds[-1].reply))
        while time.perf_counter() - started < length and not self._prepared():
            await asyncio.sleep(0.01)
        asked = time.perf_counter()
        await windows.windows.ready()
        self.waits.append(time.perf_counter() - asked)
        making.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await making
        self._room.speaker.stop()
        windows.windows.drop()
        windows.store.close_dialogue(f"d{number}")
        return self._row(length)

    async def _speak(self, text: str) -> None:
        async with contextlib.aclosing(self._voice.speak(text)) as speech:
            async for samples in speech:
                self._room.speaker.play(samples)

    def _prepared(self) -> bool:
        return any(isinstance(e, ContextStep) and e.step == "prepared"
                   for e in self._windows.events)

    def _row(self, length: float) -> dict[str, object]:
        steps = {e.step: e for e in self._windows.events if isinstance(e, ContextStep)}
        (closed,) = [e for e in self._windows.events if isinstance(e, ContextClosed)]
        last = steps.get("prepared")
        return {"reply_s": length, "outcome": closed.outcome, "reason": closed.reason,
                "window_s": last.since_opened if last else None,
                "names": steps["selected"].count if "selected" in steps else None,
                **{f"{name}_s": step.seconds for name, step in steps.items()}}


def _lasting(dialogue: Dialogue, length: float) -> Dialogue:
    """The dialogue with a reply that takes about so many seconds to say."""
    rounds = dialogue.turn.rounds
    wanted = int((length - 0.6) * CHARACTERS_A_SECOND)
    asked = rounds[-1].reply
    reply = (FILLING * 2)[:max(0, wanted - len(asked))] + asked
    last = replace(rounds[-1], reply=reply[-max(wanted, 8):])
    return replace(dialogue, turn=replace(dialogue.turn, rounds=(*rounds[:-1], last)))


@contextlib.contextmanager
def throttled(share: float | None) -> object:
    """A child that lets this process run only that share of every 100 ms."""
    if share is None:
        yield
        return
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(ProcessLookupError):
            while os.getppid() == parent:
                os.kill(parent, signal.SIGSTOP)
                time.sleep(0.1 * (1 - share))
                os.kill(parent, signal.SIGCONT)
                time.sleep(0.1 * share)
        os._exit(0)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


async def measure(args: argparse.Namespace, folder: Path) -> tuple[list, list[float]]:
    """All turns: their rows, and how long reopening had to wait."""
    encoder = Encoder(locate("context-encoder"))
    encoder.encode(["warm"])
    made = world(args.names)
    remembering = Remembering(encoder, made.entries, Cache(default_folder()), "bench")
    windows = Windows(folder, args.names, remembering, hurry=True)
    await windows.start()
    turns = Turns(windows, Config())
    with throttled(args.quota):
        rows = await turns.run(dialogues(made, args.turns, seed=1))
    await windows.stop()
    return rows, turns.waits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--names", type=int, default=5200)
    parser.add_argument("--quota", type=float, help="share of the time that the process may run")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        rows, waits = asyncio.run(measure(args, Path(folder) / "state"))
    outcomes = Counter(str(row["outcome"]) for row in rows)
    shares = {name: count / len(rows) for name, count in outcomes.items()}
    print(", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items()))
    table = {"reopening waits": percentiles(waits)}
    for step in ("items", "signals", "encoded", "selected", "prepared", "window"):
        values = [float(row[f"{step}_s"]) for row in rows if row.get(f"{step}_s") is not None]
        if values:
            table[step] = percentiles(values)
    print(f"{'ms':16} {'p50':>9} {'p99':>9} {'max':>9} {'n':>6}")
    for name, row in table.items():
        print(f"{name:16} {row['p50']:9.1f} {row['p99']:9.1f} {row['max']:9.1f} {row['n']:6.0f}")
    names = [int(row["names"]) for row in rows if row.get("names") is not None]
    if names:
        print(f"names chosen: {min(names)} to {max(names)}")
    if args.json:
        args.json.write_text(json.dumps({"turns": args.turns, "names": args.names,
                                         "quota": args.quota, "outcomes": shares, "ms": table,
                                         "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""How long a person waits: from the end of speech to the text, to the first audio, to silence.

    .venv/bin/python benchmarks/turns.py [--rounds 1] [--json FILE] [SCENE.toml ...]

Holds the shipped scenes in real time with the agent itself, so that recognition may begin at the
speaker's pause as it does on a device:

- endpoint to text: wall time from the end of the utterance (which the endpointer finds half a
  second after the last speech) to the recogniser's decision, context included;
- reply to first audio: wall time from asking the synthesiser to its first samples;
- wake word to silence: from the moment a wake word broke off a reply until the emulated
  loudspeaker, whose device holds 40 ms, has been silent, on the room's clock;
- stop to silence: from `Speaker.stop` on a sound server's null sink until its monitor is silent
  (where PulseAudio and ALSA's plugin for it are installed), the monitor's own delay included.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from agent.emulate.runner import hold  # noqa: E402
from agent.emulate.scene import read_scene  # noqa: E402
from agent.events import (  # noqa: E402
    SAMPLE_RATE,
    Event,
    Recognised,
    ReplyEnded,
    ReplyStarted,
    WakeHeard,
)

LEVEL = 100
"""Sample value over which the loudspeaker is heard."""


@dataclass
class Waits:
    """Seconds of one kind of waiting."""

    name: str
    goal_ms: float | None = None
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, object]:
        """Count, median, 95th percentile and longest, milliseconds."""
        ms = sorted(1000 * value for value in self.seconds)
        if not ms:
            return {"name": self.name, "count": 0}
        high = ms[min(len(ms) - 1, round(0.95 * (len(ms) - 1)))]
        return {"name": self.name, "count": len(ms), "median_ms": statistics.median(ms),
                "p95_ms": high, "longest_ms": ms[-1], "goal_ms": self.goal_ms}


@dataclass
class Everything:
    """All that is measured."""

    plain: Waits = field(default_factory=lambda: Waits("endpoint to text, free text taken", 300))
    context: Waits = field(default_factory=lambda: Waits("endpoint to text, context taken", 300))
    text: Waits = field(default_factory=lambda: Waits("endpoint to text, all", 300))
    first_audio: Waits = field(default_factory=lambda: Waits("reply to first audio"))
    broken_off: Waits = field(default_factory=lambda: Waits("wake word to silence, emulated", 100))
    stopped: Waits = field(default_factory=lambda: Waits("stop to silence, sound server", 100))

    @property
    def kinds(self) -> tuple[Waits, ...]:
        """In the order of the table."""
        return (self.text, self.plain, self.context, self.first_audio, self.broken_off,
                self.stopped)


async def scene(path: Path, found: Everything) -> None:
    """Hold one scene in real time."""
    events: list[Event] = []
    outcome = await hold(read_scene(path), fast=False, keep_audio=True, watch=[events.append])
    for problem in outcome.problems:
        print(f"{path.stem}: {problem}", file=sys.stderr)
    for event in events:
        match event:
            case Recognised(seconds=seconds):
                found.text.seconds.append(seconds)
                kind = found.context if event.decision == "context" else found.plain
                kind.seconds.append(seconds)
            case ReplyStarted(seconds=seconds):
                found.first_audio.seconds.append(seconds)
    found.broken_off.seconds += silences(events, outcome.played)


def silences(events: list[Event], played: np.ndarray) -> list[float]:
    """From each wake word that broke off a reply, the seconds until the last of it had sounded."""
    waits = []
    for event, following in pairwise(events):
        if isinstance(event, ReplyEnded) and not event.completed:
            woken = next((e for e in (following, *events) if isinstance(e, WakeHeard)
                          and e.at >= event.at), None)
            at = woken.at if woken is not None else event.at
            after = np.abs(played[round(at * SAMPLE_RATE):round((at + 0.03) * SAMPLE_RATE)])
            sounding = np.flatnonzero(after > LEVEL)
            waits.append((int(sounding[-1]) / SAMPLE_RATE if len(sounding) else 0.0) + 0.04)
    return waits


def stops(rounds: int) -> list[float]:
    """Seconds from stopping a reply to silence on a sound server; none where there is none."""
    from tests.commands.sound_server import Sounds, missing

    if problem := missing():
        print(f"not measured on a sound server: {problem}", file=sys.stderr)
        return []
    with tempfile.TemporaryDirectory(prefix="va-") as folder, \
            Sounds(Path(folder)).running() as sounds:
        done = subprocess.run([sys.executable, __file__, "--child", str(rounds)],
                              env={**sounds.environment, "MONITOR": sounds.loudspeaker},
                              check=True, stdout=subprocess.PIPE, text=True)
    result: list[float] = json.loads(done.stdout.splitlines()[-1])
    return result


def stop_and_listen(rounds: int) -> None:
    """In a child: play, stop, and print how long the monitor went on sounding."""
    from agent.audio.playback import DeviceSpeaker
    from agent.audio.settings import Settings

    monitor = Monitor()
    tone = (8000 * np.sin(np.arange(10 * SAMPLE_RATE) * 0.2)).astype(np.int16)

    async def main() -> list[float]:
        speaker = DeviceSpeaker(Settings(output="loudspeaker"))
        waits = []
        for _ in range(rounds):
            speaker.play(tone)
            await asyncio.sleep(1.5)
            begun = time.monotonic()
            speaker.stop()
            await asyncio.sleep(0.8)
            waits.append(max(0.0, monitor.last_sound - begun))
        await speaker.close()
        return waits

    print(json.dumps(asyncio.run(main())))
    monitor.close()


class Monitor:
    """Listens to what leaves the sound server's loudspeaker."""

    def __init__(self) -> None:
        self.last_sound = 0.0
        """When sound was last heard, on ``time.monotonic``."""
        self._recorder = subprocess.Popen(
            ["parec", "-s", os.environ["MONITOR"], "-d", "sink.monitor", "--rate=16000",
             "--channels=1", "--format=s16le", "--raw", "--latency-msec=10"],
            stdout=subprocess.PIPE)
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._recorder.terminate()
        self._recorder.wait()

    def _listen(self) -> None:
        assert self._recorder.stdout is not None
        while data := self._recorder.stdout.read(320):
            if np.abs(np.frombuffer(data, np.int16)).max(initial=0) > LEVEL:
                self.last_sound = time.monotonic()


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", nargs="*", type=Path, help="scenes; all the shipped ones if none")
    parser.add_argument("--rounds", type=int, default=1, help="times that each scene is held")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        return stop_and_listen(args.child)
    found = Everything()
    for path in (args.scene or sorted((ROOT / "scenes").glob("*.toml"))) * args.rounds:
        asyncio.run(scene(path, found))
    found.stopped.seconds = stops(10)
    print(f"{'milliseconds':36} {'count':>5} {'median':>7} {'p95':>7} {'longest':>7} {'goal':>5}")
    for row in (kind.row() for kind in found.kinds):
        if row["count"]:
            print(f"{row['name']:36} {row['count']:5} {row['median_ms']:7.0f} "
                  f"{row['p95_ms']:7.0f} {row['longest_ms']:7.0f} {row['goal_ms'] or '':>5}")
        else:
            print(f"{row['name']:36}     0")
    if args.json is not None:
        args.json.write_text(json.dumps({
            "load": os.getloadavg()[0], "rows": [kind.row() for kind in found.kinds],
            "waits": [asdict(kind) for kind in found.kinds]}, indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()

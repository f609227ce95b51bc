"""Is the agent's own reply ever taken for an answer, and an answer ever for the reply?

Replies are synthesised with flite and espeak-ng and sent through synthetic rooms: reverberation
of 0.2–0.8 s, 0–400 ms of delay that the device does not report, a small loudspeaker (half of
them saturating, with clocks 50 ppm apart), in quiet and with kitchen noise. The answers are
recorded names and yes/no, from 0.2 s before the reply's last sound is heard to 1 s after it.
The microphone listens from the end of playback plus a guard; what the endpointer captures goes
to the check as in the agent.

An echo counts only if the same moment without the echo gives no capture (noise alone can pass
for speech); an answer only if it is captured without the echo.

    .venv/bin/python benchmarks/echo.py [--mixtures 10] [--json out.json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soxr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.audio.conversion import to_float, to_int16  # noqa: E402
from agent.audio.echo import EchoCheck, EchoGuard  # noqa: E402
from agent.audio.endpointing import Ended, Endpointer  # noqa: E402
from agent.audio.files import read  # noqa: E402
from agent.audio.reference import PlayedReference  # noqa: E402
from agent.audio.ring import Ring  # noqa: E402
from agent.audio.settings import EndpointSettings, Settings  # noqa: E402
from agent.audio.vad import SileroVad  # noqa: E402
from agent.events import SAMPLE_RATE, Samples  # noqa: E402
from benchmarks.rooms import Room, convolve  # noqa: E402

TEXTS = (
    "Meg Jones or Meg Bauer?",
    "Which light, the kitchen or the bedroom?",
    "I found three restaurants nearby. Which one would you like?",
    "How do you spell that?",
    "Do you want me to unlock the front door?",
    "Twelve ounce or sixteen ounce?",
)
ECHO_DB, NOISE_DB = (-20.0, -10.0, 0.0), (None, 10.0)
LEAD, AFTER = 1.0, 4.5
SPEECH_LEVEL = 0.05
DRIFT = 5e-5


@dataclass(frozen=True)
class Mixture:
    """Microphone and reference of one reply, with or without an answer."""

    microphone: Samples = field(repr=False)
    without_echo: Samples = field(repr=False)
    reference: Samples = field(repr=False)
    reply_end: float
    echo_end: float
    answer: tuple[float, float] | None


def synthesise(folder: Path) -> list[Samples]:
    """Every text in five voices."""
    made = []
    for number, text in enumerate(TEXTS):
        for voice in ("slt", "rms", "kal"):
            path = folder / f"f{number}{voice}.wav"
            subprocess.run(["flite", "-voice", voice, "-t", text, "-o", path], check=True)
            made.append(read(path))
        for voice in ("en-us", "en-gb"):
            path = folder / f"e{number}{voice}.wav"
            subprocess.run(["espeak-ng", "-v", voice, "-w", path, text], check=True)
            made.append(read(path))
    return made


def answers(data: Path) -> list[np.ndarray]:
    """Recorded names and yes/no, in a room of 0.3 s."""
    wanted = [("names", lambda e: e.get("set") == "in-context"),
              ("spelled", lambda e: e.get("expects") == "yes-no")]
    clips = []
    for folder, fits in wanted:
        for line in (data / folder / "manifest.jsonl").read_text().splitlines():
            entry = json.loads(line)
            if fits(entry):
                sound = to_float(read(data / folder / entry["audio"])).astype(float)
                sound = np.concatenate([sound, np.zeros(SAMPLE_RATE // 3)])
                clips.append(convolve(sound, Room(0.3, seed=len(clips)).response()))
    return clips


def level(sound: np.ndarray) -> float:
    """RMS of the frames within 20 dB of the loudest."""
    frames = (sound[:len(sound) // 320 * 320].reshape(-1, 320) ** 2).mean(axis=1)
    return float(np.sqrt(frames[frames > frames.max() * 0.01].mean()))


def sounding(sound: np.ndarray, share: float) -> tuple[int, int]:
    """First and last sample above a share of the peak."""
    loud = np.flatnonzero(np.abs(sound) > share * np.abs(sound).max())
    return int(loud[0]), int(loud[-1])


def mixture(random: np.random.Generator, reply: Samples, answer: np.ndarray | None,
            echo_db: float, noise: np.ndarray | None, rough: bool) -> Mixture:
    """One reply through one room, and an answer if there is one."""
    delay = random.uniform(0.0, 0.4)
    room = Room(random.uniform(0.2, 0.8), random.uniform(-3, 8), delay,
                distortion=1.0 if rough else 0.0, seed=int(random.integers(1 << 30)))
    reference = np.concatenate([np.zeros(round(LEAD * SAMPLE_RATE), np.int16), reply,
                                np.zeros(round(AFTER * SAMPLE_RATE), np.int16)])
    played = reference
    if rough:
        stretched = soxr.resample(to_float(reference), 1.0, 1.0 + DRIFT)
        played = to_int16(np.pad(stretched, (0, len(reference)))[:len(reference)])
    echo = to_float(room.heard(played)).astype(float)
    echo *= SPEECH_LEVEL * 10 ** (echo_db / 20) / level(echo)
    rest = random.standard_normal(len(reference)) * 1e-4
    if noise is not None:
        start = random.integers(len(noise) - len(rest))
        part = noise[start:start + len(rest)]
        rest += part * SPEECH_LEVEL * 10 ** (-NOISE_DB[1] / 20) / np.sqrt((part ** 2).mean())
    last = LEAD + sounding(reply, 0.01)[1] / SAMPLE_RATE
    span = None
    if answer is not None:
        first, end = sounding(answer, 0.05)
        place = round((last + delay + random.uniform(-0.2, 1.0)) * SAMPLE_RATE) - first
        part = answer[:len(rest) - place] * SPEECH_LEVEL / level(answer)
        rest[place:place + len(part)] += part
        span = ((place + first) / SAMPLE_RATE, (place + min(end, len(part))) / SAMPLE_RATE)
    return Mixture(to_int16((rest + echo).astype(np.float32)), to_int16(rest.astype(np.float32)),
                   reference, LEAD + len(reply) / SAMPLE_RATE,
                   last + delay + room.reverberation, span)


def captures(vad: SileroVad, heard: Samples, start: float, until: float) -> Iterator[Ended]:
    """What the agent would capture from ``start`` on, listening again after every end."""
    place = round(start * SAMPLE_RATE)
    while place < min(len(heard), until * SAMPLE_RATE):
        pointer = Endpointer(vad, EndpointSettings(), at=place / SAMPLE_RATE,
                             lead=heard[max(0, place - 8000):place], timeout=60.0)
        ended = None
        for at in range(place, len(heard), 320):
            ended = next((o for o in pointer.accept(heard[at:at + 320])
                          if isinstance(o, Ended)), None)
            if ended is not None:
                break
        ended = ended or next((o for o in pointer.finish() if isinstance(o, Ended)), None)
        if ended is None:
            return
        yield ended
        place = round(ended.at * SAMPLE_RATE)


class Bench:
    """Runs mixtures through capture and check, and counts."""

    def __init__(self, vad: SileroVad, guard_seconds: float) -> None:
        self._vad, self._guard = vad, guard_seconds
        self.milliseconds: list[float] = []
        self.starts: list[float] = []

    def _check(self, mixed: Mixture, ended: Ended) -> EchoCheck:
        ring, played = Ring(30.0), PlayedReference()
        ring.add(mixed.microphone)
        played.record(mixed.reference, 0.0)
        guard = EchoGuard(ring, played, self._vad.twin(), EndpointSettings())
        began = time.thread_time()
        result = guard.check(ended)
        self.milliseconds.append((time.thread_time() - began) * 1000)
        return result

    def echo(self, mixed: Mixture) -> Counter[str]:
        """Captures of a reply that nobody answers."""
        count: Counter[str] = Counter()
        start = mixed.reply_end + self._guard
        if any(captures(self._vad, mixed.without_echo, start, mixed.echo_end)):
            return count
        for ended in captures(self._vad, mixed.microphone, start, mixed.echo_end):
            if ended.speech_start < mixed.echo_end:
                count["echoes"] += 1
                count["taken for an answer"] += not self._check(mixed, ended).own_echo
        return count

    def answer(self, mixed: Mixture) -> Counter[str]:
        """Captures of an answer to a reply."""
        assert mixed.answer is not None
        first, last = mixed.answer
        start = mixed.reply_end + self._guard
        alone = [e for e in captures(self._vad, mixed.without_echo, start, last)
                 if e.speech_end > first + 0.1]
        if not alone:
            return Counter()
        truth = alone[0]
        checks = [self._check(mixed, e)
                  for e in captures(self._vad, mixed.microphone, start, last)
                  if e.speech_start < truth.speech_end and e.speech_end > truth.speech_start + 0.1]
        kept = [c for c in checks if not c.own_echo]
        if kept:
            self.starts.append(kept[0].start - truth.speech_start)
        return Counter({"answers": 1, "not captured": not checks,
                        "taken for the reply": bool(checks) and not kept})


def trimmed(reply: Samples) -> Samples:
    """Without the silence that synthesisers add, which hides most of an echo."""
    first, last = sounding(to_float(reply), 0.02)
    return reply[first:last]


def run(replies: list[Samples], clips: list[np.ndarray], noise: np.ndarray, vad: SileroVad,
        guard: float, mixtures: int, seed: int) -> list[dict[str, object]]:
    """Every level of echo and noise, a row each."""
    random, rows = np.random.default_rng(seed), []
    for echo_db in ECHO_DB:
        for noise_db in NOISE_DB:
            bench, count = Bench(vad, guard), Counter()
            for number in range(2 * mixtures):
                rough = number % 2 == 1
                hiss = None if noise_db is None else noise
                reply = replies[random.integers(len(replies))]
                count += bench.echo(mixture(random, reply, None, echo_db, hiss, rough))
                clip = clips[random.integers(len(clips))]
                count += bench.answer(mixture(random, reply, clip, echo_db, hiss, rough))
            late = np.array(bench.starts or [0.0])
            rows.append({"echo_db": echo_db, "noise_db": noise_db, **{k: count[k] for k in (
                "echoes", "taken for an answer", "answers", "not captured",
                "taken for the reply")},
                "start cut > 0.1 s": int((late > 0.1).sum()),
                "ms median": round(float(np.median(bench.milliseconds or [0.0])), 1),
                "ms p95": round(float(np.percentile(bench.milliseconds or [0.0], 95)), 1)})
    return rows


def show(title: str, rows: list[dict[str, object]]) -> None:
    """The rows as a table, and their sums."""
    print(f"\n{title}")
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(f"{'quiet' if value is None else value!s:>{len(key)}}"
                         for key, value in row.items()))
    for part, whole in (("taken for an answer", "echoes"), ("taken for the reply", "answers"),
                        ("start cut > 0.1 s", "answers")):
        some, every = (sum(int(str(r[k])) for r in rows) for k in (part, whole))
        print(f"{whole} {part}: {some} of {every} ({100 * some / max(1, every):.1f} %)")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, default=ROOT / "models" / "files")
    parser.add_argument("--mixtures", type=int, default=10, help="a condition, of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    vad = SileroVad(options.models / "silero-vad")
    noise = to_float(read(options.data / "noise" / "kitchen.flac")).astype(float)
    clips = answers(options.data)
    with tempfile.TemporaryDirectory() as folder:
        replies = synthesise(Path(folder))
    usual = run(replies, clips, noise, vad, Settings().reopen_guard, options.mixtures,
                options.seed)
    show("as the agent runs (guard as set, the synthesiser's closing silence)", usual)
    hard = run([trimmed(r) for r in replies], clips, noise, vad, 0.0, options.mixtures,
               options.seed + 1)
    show("hardest (no guard, no closing silence)", hard)
    if options.json:
        options.json.write_text(json.dumps({"usual": usual, "hard": hard}, indent=1))


if __name__ == "__main__":
    main()

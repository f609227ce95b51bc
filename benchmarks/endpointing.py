"""How long after the end of speech does the endpointer close, and how often too early?

Every clip of ``menu-orders`` in quiet and with kitchen noise at 12 and 6 dB, and every clip of
``spelled`` in quiet, each with half a second before and 2.5 s after. The true end of speech is
that of the clean clip's energy: the last 40 ms louder than a third of the way from the clip's
floor to its loud parts (dB), which no voice detector has a say in.

An end is early when more than 0.15 s of speech follow it.

    .venv/bin/python benchmarks/endpointing.py [--trailing 0.3 0.5 0.7] [--json out.json]
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from agent.audio.endpointing import Ended, Endpointer  # noqa: E402
from agent.audio.files import read  # noqa: E402
from agent.audio.settings import EndpointSettings  # noqa: E402
from agent.audio.vad import WINDOW, SileroVad  # noqa: E402
from agent.evaluate.noise import mix  # noqa: E402
from agent.events import SAMPLE_RATE, Samples  # noqa: E402

CONDITIONS = (("menu-orders", None), ("menu-orders", 12.0), ("menu-orders", 6.0),
              ("spelled", None))
BEFORE, AFTER = 0.5, 2.5
EARLY = 0.15


@dataclass(frozen=True)
class Clip:
    """A padded clip, judged window by window."""

    end: float
    samples: Samples = field(repr=False)
    likely: tuple[float, ...] = field(repr=False)


class Judged:
    """Probabilities found before, so that each setting costs nothing."""

    def __init__(self, likely: tuple[float, ...]) -> None:
        self._likely, self._next = likely, 0

    def probability(self, window: Samples) -> float:
        """The next one."""
        self._next += 1
        return self._likely[self._next - 1]

    def reset(self) -> None:
        """From the beginning."""
        self._next = 0


def end_of_speech(clip: Samples) -> float:
    """Seconds at which the energy of a clean clip ends."""
    frames = clip[:len(clip) // 160 * 160].astype(float).reshape(-1, 160)
    energy = 10 * np.log10((frames ** 2).mean(axis=1) + 1)
    energy = np.convolve(energy, np.ones(3) / 3, "same")
    floor, top = np.percentile(energy, [10, 95])
    loud = np.flatnonzero(energy > max(floor + 0.35 * (top - floor), top - 35))
    runs = np.split(loud, np.flatnonzero(np.diff(loud) > 2) + 1)
    return float([run for run in runs if len(run) >= 4][-1][-1] + 1) / 100


def load(data: Path, folder: str, snr: float | None, vad: SileroVad) -> tuple[list[Clip], float]:
    """The clips of a condition, and milliseconds of detection per second of audio."""
    noise = read(data / "noise" / "kitchen.flac")
    clips, spent, seconds = [], 0.0, 0.0
    for line in (data / folder / "manifest.jsonl").read_text().splitlines():
        entry = json.loads(line)
        speech = read(data / folder / entry["audio"])
        audio = np.pad(speech, (round(BEFORE * SAMPLE_RATE), round(AFTER * SAMPLE_RATE)))
        if snr is not None:
            audio = mix(entry["id"], audio, noise, snr)
        vad.reset()
        began = time.thread_time()
        likely = tuple(vad.probability(audio[i:i + WINDOW])
                       for i in range(0, len(audio) - WINDOW + 1, WINDOW))
        spent += time.thread_time() - began
        seconds += len(audio) / SAMPLE_RATE
        clips.append(Clip(BEFORE + end_of_speech(speech), audio, likely))
    return clips, spent / seconds * 1000


def measure(clips: list[Clip], settings: EndpointSettings) -> dict[str, object]:
    """Delays and early ends of one setting."""
    delays, early, missed = [], 0, 0
    for clip in clips:
        pointer = Endpointer(Judged(clip.likely), settings, timeout=60.0)
        ended = next((o for o in pointer.accept(clip.samples) if isinstance(o, Ended)), None)
        if ended is None:
            missed += 1
        elif ended.speech_end < clip.end - EARLY:
            early += 1
        else:
            delays.append(ended.at - clip.end)
    return {"clips": len(clips), "early": early, "not closed": missed,
            "delay median s": round(float(np.median(delays)), 3),
            "delay p95 s": round(float(np.percentile(delays, 95)), 3)}


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, default=ROOT / "models" / "files")
    parser.add_argument("--trailing", type=float, nargs="+",
                        default=[0.3, 0.4, EndpointSettings().trailing_silence, 0.7])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    vad, rows = SileroVad(options.models / "silero-vad"), []
    for folder, snr in CONDITIONS:
        clips, milliseconds = load(options.data, folder, snr, vad)
        for trailing in options.trailing:
            settings = replace(EndpointSettings(), trailing_silence=trailing)
            rows.append({"set": folder, "noise dB": snr, "trailing silence s": trailing,
                         **measure(clips, settings), "CPU ms per s": round(milliseconds, 1)})
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(f"{'quiet' if value is None else value!s:>{len(key)}}"
                         for key, value in row.items()))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()

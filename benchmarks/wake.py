"""How many wake words are missed, how often it wakes by mistake, and what listening costs.

    .venv/bin/python benchmarks/wake.py [--json FILE] [--engines NAME …] [--data FOLDER]

Needs the folder of recorded speech (``$VOICE_AGENT_DATA``). Missed: every clip of the wake word,
with a second of digital silence on both sides, quiet and with kitchen noise. False wakes: every
other clip, the noise by itself, silence, and sentences by speech synthesis full of words that
resemble the wake word. Cost: processor time of an hour's listening, by the share of one core.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from agent.asr.factory import choose, open_choice  # noqa: E402
from agent.asr.settings import Settings as AsrSettings  # noqa: E402
from agent.audio import FRAME  # noqa: E402
from agent.audio.files import read  # noqa: E402
from agent.errors import AgentError  # noqa: E402
from agent.evaluate.noise import mix  # noqa: E402
from agent.events import SAMPLE_RATE, Samples  # noqa: E402
from agent.wake import WakeWord  # noqa: E402
from agent.wake.confirm import ByRecogniser  # noqa: E402
from agent.wake.factory import open_wake_word  # noqa: E402
from agent.wake.recording import detections  # noqa: E402
from agent.wake.settings import Settings  # noqa: E402
from models import locate  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent
ENGINES = ("micro", "micro-alone", "openwakeword", "openwakeword-alone", "phrase")
PAD = 1.0
WORD = "alexa"
RESEMBLING = (
    "Alex came home late.", "Alexandra called this morning.", "I saw Alexander yesterday.",
    "She drives a Lexus.", "I bought a Lexus.", "Electra is a play.", "We need an election.",
    "The electric kettle.", "A lecture about art.", "It relaxes me.", "I like Sarah.",
    "Select a song.", "Our legs are tired.", "The lexicon is large.", "Let's ask her.",
    "That is a perplexing question.", "Allegra moved to Texas.", "I'll let her.",
    "Alexei plays chess.", "My ex called.", "Alec said so.", "A duplex apartment.",
    "Is that Rebecca?", "A Texan walked in.", "A galaxy of stars.", "Relax a little.",
    "A flexible plan.", "Alaska is cold.", "Unless a car comes.", "A letter for Sarah.",
)
VOICES = (("flite", "slt"), ("flite", "rms"), ("flite", "awb"), ("flite", "kal16"),
          ("espeak-ng", "en-us"), ("espeak-ng", "en-gb+f3"), ("espeak-ng", "en-us+m7"),
          ("espeak-ng", "en-gb-scotland+f2"))


@dataclass
class Result:
    """Figures of one engine."""

    engine: str
    clips: int = 0
    missed: dict[str, int] = field(default_factory=dict)
    """Clips missed, by noise."""
    negatives: int = 0
    negative_hours: float = 0.0
    false_clips: list[str] = field(default_factory=list)
    """Clips that woke it by mistake."""
    false_noise: int = 0
    false_silence: int = 0
    false_resembling: int | None = None
    """None where no synthesiser is installed."""
    resembling_minutes: float = 0.0
    questions: int = 0
    """Times the recogniser was asked in the other clips."""
    idle_percent: float = 0.0
    """Share of one core while listening to quiet room noise."""
    speech_percent: float = 0.0
    """Share of one core while people talk."""


class Counted:
    """A confirmation that counts how often it was asked."""

    def __init__(self, confirm: ByRecogniser) -> None:
        self._confirm = confirm
        self.asked = 0

    @property
    def seconds(self) -> float:
        """As the confirmation's."""
        return self._confirm.seconds

    def __call__(self, samples: Samples) -> float | None:
        """Count and ask."""
        self.asked += 1
        return self._confirm(samples)


def main() -> int:
    """Measure; print a table; write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES[:4]),
                        help="phrase takes minutes and is left out unless named")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get(
        "VOICE_AGENT_DATA", REPOSITORY.parent / "shared" / "data")))
    args = parser.parse_args()
    if not args.data.is_dir():
        raise AgentError(f"recorded speech not found at {args.data}", "set VOICE_AGENT_DATA")
    choice = choose(AsrSettings(), locate)
    print(f"confirmed by {choice.engine} ({choice.model})", file=sys.stderr)
    confirm = Counted(ByRecogniser(open_choice(choice, AsrSettings()), WORD))
    with tempfile.TemporaryDirectory() as folder:
        resembling = list(_resembling(Path(folder)))
        results = [_measure(name, args.data, confirm, resembling) for name in args.engines]
    _table(results)
    if args.json:
        args.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


def _measure(name: str, data: Path, confirm: Counted, resembling: list[Samples]) -> Result:
    engine = name.removesuffix("-alone")
    wake = open_wake_word(
        Settings(engine=engine), locate,  # type: ignore[arg-type]
        None if name != engine else confirm)
    result = Result(name)
    _missed(wake, data, result)
    before = confirm.asked
    _false(wake, data, result)
    result.questions = confirm.asked - before
    noise = read(data / "noise" / "kitchen.flac")
    result.false_noise = _count(wake, noise)
    result.false_silence = _count(wake, np.zeros(300 * SAMPLE_RATE, np.int16)) + _count(
        wake, _room(300))
    if resembling:
        result.resembling_minutes = sum(map(len, resembling)) / SAMPLE_RATE / 60
        result.false_resembling = sum(_count(wake, audio) > 0 for audio in resembling)
    result.idle_percent = _cost(wake, _room(60))
    speech = [read(path) for path in sorted((data / "menu-orders").rglob("*.flac"))[:12]]
    result.speech_percent = _cost(wake, np.concatenate(speech))
    return result


def _missed(wake: WakeWord, data: Path, result: Result) -> None:
    noise = read(data / "noise" / "kitchen.flac")
    clips = sorted((data / "wake" / WORD).glob("*.flac"))
    conditions: dict[str, Callable[[str, Samples], Samples]] = {
        "quiet": lambda clip, speech: speech,
        "10 dB": lambda clip, speech: mix(clip, speech, noise, 10.0),
        "6 dB": lambda clip, speech: mix(clip, speech, noise, 6.0)}
    result.clips = len(clips)
    for condition, treated in conditions.items():
        result.missed[condition] = sum(
            not _count(wake, treated(path.stem, read(path))) for path in clips)


def _false(wake: WakeWord, data: Path, result: Result) -> None:
    for path in sorted(data.rglob("*.flac")):
        folder = path.relative_to(data).parts[0]
        if folder in ("wake", "noise"):
            continue
        audio = read(path)
        result.negatives += 1
        result.negative_hours += len(audio) / SAMPLE_RATE / 3600
        if _count(wake, audio):
            result.false_clips.append(str(path.relative_to(data)))


def _count(wake: WakeWord, audio: Samples) -> int:
    return sum(1 for _ in detections(wake, _frames(audio), PAD))


def _frames(audio: Samples) -> Iterator[Samples]:
    """As the microphone gives them."""
    return (audio[start:start + FRAME] for start in range(0, len(audio), FRAME))


def _room(seconds: int) -> Samples:
    """A quiet room: white noise at -66 dB."""
    noise = np.random.default_rng(1).normal(0, 16, seconds * SAMPLE_RATE)
    return noise.round().astype(np.int16)


def _cost(wake: WakeWord, audio: Samples) -> float:
    """Processor time of listening, per cent of the audio's length; the best of three runs."""
    frames = list(_frames(audio))
    best = float("inf")
    for _ in range(3):
        wake.reset()
        began = time.process_time()
        for frame in frames:
            wake.accept(frame)
        best = min(best, time.process_time() - began)
    return 100 * best * SAMPLE_RATE / len(audio)


def _resembling(folder: Path) -> Iterator[Samples]:
    for program, voice in VOICES:
        for number, sentence in enumerate(RESEMBLING):
            path = folder / f"{program}-{voice}-{number}.wav"
            command = ([program, "-voice", voice, "-t", sentence, "-o", str(path)]
                       if program == "flite" else
                       [program, "-v", voice, "-w", str(path), sentence])
            try:
                subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                print(f"{program} ({voice}) cannot be used", file=sys.stderr)
                break
            yield read(path)


def _table(results: Iterable[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("engine", "missed % quiet / 10 dB / 6 dB", "false wakes, other clips",
                  "asked", "noise", "silence", "resembling", "% of a core idle / speech")
    for r in results:
        missed = " / ".join(f"{100 * count / r.clips:.0f}" for count in r.missed.values())
        resembling = ("not run" if r.false_resembling is None else
                      f"{r.false_resembling} in {r.resembling_minutes:.1f} min")
        table.add_row(r.engine, missed,
                      f"{len(r.false_clips)} in {r.negatives} ({r.negative_hours:.2f} h)",
                      str(r.questions), str(r.false_noise), str(r.false_silence), resembling,
                      f"{r.idle_percent:.2f} / {r.speech_percent:.2f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(f"benchmarks/wake.py: {error}")

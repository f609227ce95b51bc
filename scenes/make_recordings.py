"""Makes the recordings of the shipped scenes with free synthesisers, the same every time.

    .venv/bin/python scenes/make_recordings.py        # needs flite, espeak-ng and festival

The voices are flite's (BSD), espeak-ng's (GPL-3; its output is not covered by it) and festival's
kal (BSD-like). Noise is made here as well, so nothing comes from anybody's recording.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

FOLDER = Path(__file__).parent / "recordings"
RATE = 16_000
Signal = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Voice:
    """A synthesiser, one of its voices, and its speed."""

    engine: str
    name: str
    speed: float = 1.0


SLT, RMS, AWB, KAL16 = (Voice("flite", name) for name in ("slt", "rms", "awb", "kal16"))
BRITISH, AMERICAN = Voice("espeak", "en-gb"), Voice("espeak", "en-us")
KAL = Voice("festival", "kal_diphone")


@dataclass(frozen=True)
class Clip:
    """One recording: what is said, by whom, and how noisy the room is."""

    file: str
    voice: Voice
    text: str
    snr_db: float | None = None
    """Speech to noise; None is a quiet room."""


CLIPS = (
    Clip("wake", SLT, "Alexa."),
    Clip("call-meg", SLT, "Alexa. | Call Meg."),
    Clip("bauer", SLT, "Bauer."),
    Clip("jones", SLT, "Jones."),
    Clip("call-meg-noisy", AWB, "Alexa. | Call Meg.", 20.0),
    Clip("jones-noisy", AWB, "Jones.", 15.0),
    Clip("light", RMS, "Alexa, turn on the light."),
    Clip("the-bedroom", RMS, "The bedroom."),
    Clip("restaurants", RMS, "Alexa, find a restaurant nearby."),
    Clip("the-second-one", KAL16, "The second one."),
    Clip("coffee-shops", SLT, "Alexa, find a coffee shop."),
    Clip("second-please", SLT, "The second one."),
    Clip("directions", SLT, "Alexa. | Take me there."),
    Clip("call-patrick", AMERICAN, "Alexa. | Call Patrick."),
    Clip("spelled", Voice("flite", "rms", 0.9), "N, O, V, A, K."),
    Clip("yes", RMS, "Yes."),
    Clip("time", SLT, "Alexa, what time is it?"),
    Clip("timer", KAL, "Alexa, set a timer for ten seconds."),
    Clip("timer-over-television", KAL, "Alexa, set a timer for five minutes."),
    Clip("stop", RMS, "Alexa, stop."),
)

TELEVISION = (
    (BRITISH, "And now the news at nine. Farmers in the north are expecting a dry summer."),
    (RMS, "I told you, Alexander, I never took the electric car. You must believe me!"),
    (AMERICAN, "Call now, and you will get two lamps for the price of one."),
    (AWB, "The second one was a lot better than the first, if you ask me."),
    (KAL, "It will be cold tomorrow, with rain in the evening."),
)
"""What a television says: nothing in it is meant for the agent."""


def main() -> int:
    """Make every recording."""
    FOLDER.mkdir(exist_ok=True)
    for clip in CLIPS:
        signal = _level(speak(clip.voice, clip.text), 0.4)
        if clip.snr_db is not None:
            signal = add_noise(signal, clip.snr_db)
        write(clip.file, signal)
    silence = np.zeros(RATE // 2, np.float32)
    parts = [part for voice, text in TELEVISION for part in (speak(voice, text), silence)]
    write("television", _level(np.concatenate(parts), 0.2))
    write("kitchen", _level(kitchen(8.0), 0.05))
    return 0


def speak(voice: Voice, text: str) -> Signal:
    """``float32[samples]`` at 16 kHz of a text; ``|`` is a pause for thought."""
    first, *rest = (synthesise(voice, part.strip()) for part in text.split("|"))
    pause = np.zeros(round(0.35 * RATE), np.float32)
    return np.concatenate([first, *(piece for part in rest for piece in (pause, part))])


def synthesise(voice: Voice, text: str) -> Signal:
    """``float32[samples]`` at 16 kHz of a text said in one go."""
    with tempfile.TemporaryDirectory() as folder:
        wav = str(Path(folder) / "speech.wav")
        stretch = f"duration_stretch={1 / voice.speed:.3f}"
        if voice.engine == "flite":
            argv = ["flite", "-voice", voice.name, "--setf", stretch, "-t", text, "-o", wav]
        elif voice.engine == "espeak":
            argv = ["espeak-ng", "-v", voice.name, "-s", str(round(165 * voice.speed)),
                    "-w", wav, text]
        else:
            argv = ["text2wave", "-o", wav, "-eval", f"(voice_{voice.name})"]
        subprocess.run(argv, input=text.encode(), check=True, capture_output=True)
        signal, rate = soundfile.read(wav, dtype="float32")
    return soxr.resample(signal, rate, RATE) if rate != RATE else signal


def kitchen(seconds: float, seed: int = 7) -> Signal:
    """A made-up kitchen: falling noise of a hood, mains hum, and a clatter now and then."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(random.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 20))
    hood = np.fft.irfft(spectrum, count)
    time = np.arange(count) / RATE
    noise = hood / hood.std() + 0.5 * np.sin(2 * np.pi * 100 * time)
    for start in random.integers(0, count - RATE // 4, round(seconds)):
        span = np.arange(RATE // 4) / RATE
        pitch = random.uniform(1500, 4000)
        noise[start : start + len(span)] += 2 * np.exp(-18 * span) * np.sin(
            2 * np.pi * pitch * span)
    return noise.astype(np.float32)


def add_noise(signal: Signal, snr_db: float) -> Signal:
    """The signal among kitchen noise, both fading in and out of the room's quiet."""
    pad = np.zeros(RATE // 4, np.float32)
    padded = np.concatenate([pad, signal, pad])
    noise = kitchen(len(padded) / RATE + 0.01)[: len(padded)]
    ratio = float(np.sqrt(np.square(signal).mean() / np.square(noise).mean()))
    return padded + noise * np.float32(ratio * 10 ** (-snr_db / 20))


def _level(signal: Signal, peak: float) -> Signal:
    return signal * np.float32(peak / np.abs(signal).max())


def write(name: str, signal: Signal) -> None:
    """Write a recording as 16-bit FLAC."""
    soundfile.write(FOLDER / f"{name}.flac", signal, RATE, subtype="PCM_16")


if __name__ == "__main__":
    sys.exit(main())

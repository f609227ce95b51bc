from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from agent.asr.moonshine import search, windows
from agent.asr.moonshine.engine import Heard, MoonshineRecogniser, MoonshineRecognition
from agent.asr.moonshine.model import Model
from agent.asr.settings import Settings
from agent.asr.worker import Worker
from agent.biasing import Bias, Phrase
from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples

BECKETT = "ever tried ever failed no matter try again fail again fail better"
TWO_CITIES = (
    "it was the best of times it was the worst of times it was the age of wisdom it was the age "
    "of foolishness it was the epoch of belief it was the epoch of incredulity it was the season "
    "of light it was the season of darkness it was the spring of hope it was the winter of "
    "despair we had everything before us we had nothing before us we were all going direct to "
    "heaven we were all going direct the other way in short the period was so far like the "
    "present period that some of its noisiest authorities insisted on its being received for "
    "good or for evil in the superlative degree of comparison only")


def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def errors(heard: list[str], said: list[str]) -> int:
    """Substitutions, insertions and deletions between two texts."""
    row = list(range(len(said) + 1))
    for i, word in enumerate(heard, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(said, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (word != other))
    return row[-1]


def hear(recogniser: MoonshineRecogniser, samples: Samples) -> str:
    recognition = recogniser.start()
    for at in range(0, len(samples), 320):
        recognition.accept(samples[at:at + 320])
    hypotheses = recognition.finish()
    return hypotheses[0].text if hypotheses else ""


def test_a_reading_is_heard_word_for_word(moonshine: MoonshineRecogniser,
                                          beckett: Samples) -> None:
    assert words(hear(moonshine, beckett)) == BECKETT.split()


def test_a_long_reading_is_heard(moonshine: MoonshineRecogniser, two_cities: Samples) -> None:
    """44 s: three windows or more, at most 4 % of the words wrong."""
    said = TWO_CITIES.split()
    assert errors(words(hear(moonshine, two_cities)), said) <= 0.04 * len(said)


def test_a_minute_does_not_crash(moonshine: MoonshineRecogniser, two_cities: Samples) -> None:
    minute = np.resize(two_cities, 61 * SAMPLE_RATE)
    said = TWO_CITIES.split()
    assert errors(words(hear(moonshine, minute))[:len(said)], said) <= 0.1 * len(said)


def test_orders_are_heard(moonshine: MoonshineRecogniser, shared_data: Path,
                          recording: Callable[[Path], Samples]) -> None:
    """Every clip gives a text, and most texts speak of a drink."""
    clips = sorted((shared_data / "menu-orders" / "clips").glob("*.flac"))[:10]
    texts = [hear(moonshine, recording(path)).lower() for path in clips]
    drinks = ("coffee", "mocha", "latte", "espresso", "cappuccino", "americano")
    assert all(texts)
    assert sum(any(drink in text for drink in drinks) for text in texts) >= 6


def noise(seed: int, level: float) -> Samples:
    return np.random.default_rng(seed).normal(0, level, 4 * SAMPLE_RATE).astype(np.int16)


HUM = (4000 * np.sin(np.arange(4 * SAMPLE_RATE) * 2 * np.pi * 50 / SAMPLE_RATE)).astype(np.int16)


@pytest.mark.parametrize("samples", [
    np.zeros(0, np.int16), np.zeros(100, np.int16), np.zeros(5 * SAMPLE_RATE, np.int16),
    np.full(3 * SAMPLE_RATE, 9000, np.int16), noise(1, 20), noise(2, 400), noise(3, 6000), HUM],
    ids=["nothing", "6 ms", "digital silence", "offset", "hiss", "noise", "loud noise", "hum"])
def test_silence_is_no_speech(moonshine: MoonshineRecogniser, samples: Samples) -> None:
    recognition = moonshine.start()
    recognition.accept(samples)
    assert recognition.finish() == ()
    assert recognition.score(["Hello."]) is None


@pytest.mark.parametrize("change", [
    lambda x: np.clip(x.astype(np.int32) * 12, -32768, 32767).astype(np.int16),
    lambda x: np.clip(x.astype(np.int32) // 2 + 12_000, -32768, 32767).astype(np.int16),
    lambda x: (x // 60).astype(np.int16)], ids=["clipped", "offset", "quiet"])
def test_badly_recorded_speech_is_heard(moonshine: MoonshineRecogniser, beckett: Samples,
                                        change: Callable[[Samples], Samples]) -> None:
    assert errors(words(hear(moonshine, change(beckett))), BECKETT.split()) <= 3


@pytest.mark.parametrize("milliseconds", [5, 50, 99, 101, 150, 300])
def test_snippets_do_not_crash(moonshine: MoonshineRecogniser, beckett: Samples,
                               milliseconds: int) -> None:
    hear(moonshine, beckett[20_000:20_000 + 16 * milliseconds])


def test_hypotheses_are_ordered_and_different(moonshine_folder: Path, beckett: Samples,
                                              two_cities: Samples) -> None:
    recogniser = MoonshineRecogniser(moonshine_folder, Settings(beam=4))
    for samples in (beckett, two_cities[:30 * SAMPLE_RATE]):
        recognition = recogniser.start()
        recognition.accept(samples)
        found = recognition.finish()
        assert 2 <= len(found) <= 4
        assert len({entry.text for entry in found}) == len(found)
        assert all(a.score >= b.score for a, b in pairwise(found))
        assert all(entry.source == "free" and entry.tokens > 0 for entry in found)


def test_texts_are_scored_on_what_was_heard(moonshine: MoonshineRecogniser,
                                            beckett: Samples) -> None:
    recognition = moonshine.start(moonshine.prepare(Bias((Phrase("fail better"),))))
    recognition.accept(beckett)
    heard = recognition.finish()[0]
    scores = recognition.score([heard.text, "Turn on the light."])
    assert scores is not None
    assert scores[0] == pytest.approx(heard.score, abs=0.1)
    assert scores[0] > scores[1] + 1


class CountingDecode:
    """Stands in for a slow recogniser and remembers how long the audio was each time."""

    def __init__(self) -> None:
        self.lengths: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()
        self.stopped = 0

    def __call__(self, samples: Samples, cancelled: search.CancelCheck) -> Heard:
        self.lengths.append(len(samples))
        self.go_on.wait(5)
        self.stopped += cancelled()
        return Heard()


@pytest.fixture
def decode() -> CountingDecode:
    return CountingDecode()


@pytest.fixture
def worker() -> Worker:
    return Worker("test")


@pytest.fixture
def recognition(decode: CountingDecode, model: Model, worker: Worker) -> MoonshineRecognition:
    return MoonshineRecognition(decode, model, worker)


SPEECH = noise(4, 3000)
PAUSE = noise(5, 30)[:SAMPLE_RATE // 2]


def test_a_pause_that_was_the_end_is_decoded_once(recognition: MoonshineRecognition,
                                                  decode: CountingDecode) -> None:
    for piece in (SPEECH, PAUSE[:3200]):
        recognition.accept(piece)
    recognition.anticipate()
    recognition.accept(PAUSE)
    recognition.finish()
    assert decode.lengths == [len(SPEECH) + 3200]


def test_speech_after_a_pause_is_not_lost(recognition: MoonshineRecognition,
                                          decode: CountingDecode) -> None:
    for piece in (SPEECH, PAUSE):
        recognition.accept(piece)
    recognition.anticipate()
    recognition.accept(SPEECH)
    recognition.finish()
    assert decode.lengths[-1] == 2 * len(SPEECH) + len(PAUSE)


def test_a_second_pause_is_anticipated_anew(recognition: MoonshineRecognition,
                                            decode: CountingDecode) -> None:
    for piece in (SPEECH, PAUSE):
        recognition.accept(piece)
    recognition.anticipate()
    recognition.anticipate()
    for piece in (SPEECH, PAUSE):
        recognition.accept(piece)
    recognition.anticipate()
    recognition.finish()
    both = len(SPEECH) + len(PAUSE)
    assert decode.lengths == [both, 2 * both]


def test_closing_stops_a_decode_under_way(recognition: MoonshineRecognition,
                                          decode: CountingDecode, worker: Worker) -> None:
    decode.go_on.clear()
    recognition.accept(SPEECH)
    recognition.anticipate()
    recognition.close()
    recognition.close()
    decode.go_on.set()
    worker.submit(lambda: None).result(5)
    assert decode.stopped == 1


def test_an_anticipated_answer_is_the_answer(moonshine: MoonshineRecogniser,
                                             beckett: Samples) -> None:
    recognition = moonshine.start()
    recognition.accept(beckett)
    assert recognition.partial() == ""
    recognition.anticipate()
    recognition.accept(np.zeros(SAMPLE_RATE // 2, np.int16))
    found = recognition.finish()
    assert words(found[0].text) == BECKETT.split()
    assert recognition.partial() == found[0].text


def test_what_is_heard_stays_out_of_reprs(moonshine: MoonshineRecogniser,
                                          beckett: Samples) -> None:
    recognition = moonshine.start()
    recognition.accept(beckett)
    shown = repr(recognition.finish()) + repr(recognition.heard)
    assert "ever" not in shown.lower()


def test_long_audio_is_cut_where_it_is_quiet() -> None:
    speech = noise(6, 3000)
    samples = np.concatenate([speech, speech, speech, PAUSE, speech, speech])
    first, *rest = windows.split(samples)
    cut = len(first) - 3 * len(speech)
    assert 0 <= cut <= len(PAUSE)
    assert np.array_equal(np.concatenate([first, *rest]), samples)


@pytest.mark.parametrize("file", ["encoder_model.ort", "decoder_model_merged.ort",
                                  "tokenizer.bin"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "garbage"])
def test_a_damaged_model_is_an_error(tmp_path: Path, moonshine_folder: Path, file: str,
                                     damage: str) -> None:
    """In a process of its own, because a damaged network might end it."""
    for name in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
        (tmp_path / name).symlink_to(moonshine_folder / name)
    (tmp_path / file).unlink()
    if damage != "missing":
        data = {"empty": b"", "garbage": np.random.default_rng(0).bytes(300_000),
                "cut": (moonshine_folder / file).read_bytes()[:200_000]}[damage]
        (tmp_path / file).write_bytes(data)
    program = ("import sys, pathlib\n"
               "from agent.asr.moonshine.model import Model\n"
               "from agent.errors import AgentError\n"
               "try: Model(pathlib.Path(sys.argv[1]))\n"
               "except AgentError as error: print('told:', error.what)\n")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("told:")
    assert file in done.stdout


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match="nowhere"):
        MoonshineRecogniser(tmp_path / "nowhere")

"""Speech out: real synthesisers as child processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.events import SAMPLE_RATE, Samples
from agent.tts import Synthesiser
from agent.tts.espeak import Espeak
from agent.tts.factory import open_synthesiser
from agent.tts.flite import Flite
from agent.tts.piper import Piper, sample_rate
from agent.tts.process import Child, output_of
from agent.tts.settings import Settings
from agent.tts.silent import Silent
from agent.tts.text import LONGEST_PIECE, pieces
from agent.tts.wave import WaveDecoder

REPLY = "Meg Jones or Meg Bauer? " * 8


def engine(name: str) -> Synthesiser:
    if name == "silent":
        return Silent()
    program = {"flite": "flite", "espeak": "espeak-ng"}[name]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return Flite() if name == "flite" else Espeak()


async def spoken(synthesiser: Synthesiser, text: str) -> list[Samples]:
    return [samples async for samples in synthesiser.speak(text)]


@pytest.mark.parametrize("name", ["flite", "espeak", "silent"])
def test_audio_is_16_khz_mono_and_as_long_as_speech(name: str) -> None:
    audio = np.concatenate(asyncio.run(spoken(engine(name), "Meg Jones or Meg Bauer?")))
    assert audio.dtype == np.int16
    assert 0.8 < len(audio) / SAMPLE_RATE < 3.5
    assert name == "silent" or np.abs(audio).max() > 3000


@pytest.mark.parametrize("name", ["flite", "espeak"])
def test_first_audio_comes_before_the_whole_reply_is_made(name: str) -> None:
    parts = asyncio.run(spoken(engine(name), REPLY))
    total = sum(len(part) for part in parts)
    assert len(parts) >= 8
    assert len(parts[0]) < total / 4


@pytest.mark.parametrize("name", ["flite", "espeak"])
def test_stopping_leaves_no_child_behind(name: str) -> None:
    async def stop_early() -> float:
        reply = engine(name).speak(REPLY)
        await anext(reply)
        begun = time.monotonic()
        await reply.aclose()
        return time.monotonic() - begun

    asyncio.run(stop_early())
    with contextlib.suppress(ChildProcessError):
        assert os.waitpid(-1, os.WNOHANG)[0] == 0, "a child was not collected"


@pytest.mark.parametrize("name", ["flite", "espeak"])
@pytest.mark.parametrize("text", ["", "   ", "?!", "-f /etc/passwd", "$(id) `id` \"quoted\" <b>&"])
def test_odd_texts_are_spoken_or_silent_but_never_fail(name: str, text: str) -> None:
    asyncio.run(spoken(engine(name), text))


@pytest.mark.parametrize("name", ["flite", "espeak"])
def test_the_text_is_on_no_command_line_and_in_no_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seen: list[tuple[str, ...]] = []
    original = asyncio.create_subprocess_exec

    async def record(*argv: str, **options: object) -> asyncio.subprocess.Process:
        seen.append(argv)
        return await original(*argv, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", record)
    asyncio.run(spoken(engine(name), "zanzibar"))
    assert seen
    assert not any("zanzibar" in part for argv in seen for part in argv)
    assert list(tmp_path.iterdir()) == []


def test_volume_scales_the_audio() -> None:
    if shutil.which("espeak-ng") is None:
        pytest.skip("espeak-ng is not installed")
    loud, soft = (np.concatenate(asyncio.run(spoken(Espeak(volume=v), "hello")))
                  for v in (1.0, 0.25))
    assert np.abs(soft).max() == pytest.approx(np.abs(loud).max() / 4, rel=0.02)


def test_a_missing_program_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AgentError, match="apt install flite"):
        open_synthesiser(Settings(engine="flite"))
    with pytest.raises(AgentError, match="no speech synthesiser"):
        open_synthesiser(Settings())
    with pytest.raises(AgentError, match="apt install espeak-ng"):
        asyncio.run(spoken(Espeak(), "hello"))


def test_a_failing_program_is_an_error_not_silence() -> None:
    async def run() -> None:
        async for _ in output_of(Child("broken", ("false",), ""), "hello"):
            pass

    with pytest.raises(AgentError, match="broken failed with exit code 1"):
        asyncio.run(run())


@pytest.mark.parametrize("name", ["flite", "espeak"])
def test_an_unknown_voice_is_an_error(name: Literal["flite", "espeak"]) -> None:
    engine(name)
    with pytest.raises(AgentError, match="no voice 'no-such-voice'"):
        open_synthesiser(Settings(engine=name, voice="no-such-voice"))


PIPER_STAND_IN = """#!/usr/bin/env python3
import sys
for line in sys.stdin:
    sys.stdout.buffer.write(b"\\x10\\x00" * (2205 * len(line.split())))
"""


def test_piper_is_spoken_to_as_its_command_line_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against a program with Piper's interface; a real voice is measured in the benchmark."""
    voice = tmp_path / "voice.onnx"
    voice.touch()
    voice.with_name("voice.onnx.json").write_text('{"audio": {"sample_rate": 22050}}')
    program = tmp_path / "piper"
    program.write_text(PIPER_STAND_IN)
    program.chmod(0o755)
    monkeypatch.setattr("agent.tts.piper.program", lambda: (str(program),))

    async def twice() -> list[int]:
        piper = Piper(voice)
        lengths = [sum(len(s) for s in await spoken(piper, text))
                   for text in ("one two three. four five.", "six.")]
        await piper.close()
        return lengths

    assert asyncio.run(twice()) == [pytest.approx(8000, abs=40), pytest.approx(1600, abs=40)]


def test_a_piper_voice_without_its_description_is_named(tmp_path: Path) -> None:
    voice = tmp_path / "voice.onnx"
    with pytest.raises(AgentError, match="no Piper voice at"):
        sample_rate(voice)
    voice.touch()
    with pytest.raises(AgentError, match=r"voice\.onnx\.json"):
        sample_rate(voice)


@given(st.text(alphabet="ab ,.?!;\n", max_size=400))
def test_pieces_lose_nothing(text: str) -> None:
    assert " ".join(pieces(text)) == " ".join(text.split())


def test_long_sentences_are_cut_at_commas() -> None:
    text = "I found the Golden Lotus, the Harbour Grill, the Old Mill, " * 4
    cut = list(pieces(text))
    assert len(cut) > 2
    assert all(len(piece) <= LONGEST_PIECE for piece in cut)


def test_an_initial_does_not_end_a_sentence() -> None:
    assert list(pieces("Call J. Smith now. Or not.")) == ["Call J. Smith now.", "Or not."]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(-300, 300))
def test_the_wave_decoder_does_not_care_how_bytes_are_cut(sizes: list[int], level: int) -> None:
    audio = np.full(200, level, np.int16)
    header = (b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0"
              b"data\xff\xff\xff\x7f")
    data, decoder, out = header + audio.tobytes(), WaveDecoder("test"), []
    for size in [*sizes, len(data)]:
        out.append(decoder.feed(data[:size]))
        data = data[size:]
    assert np.array_equal(np.concatenate(out), audio)


def test_what_is_no_wave_file_is_refused() -> None:
    with pytest.raises(AgentError, match="did not produce WAV"):
        WaveDecoder("broken").feed(b"OggS and more bytes")

"""Audio files of every kind, good and bad."""

from __future__ import annotations

import os
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.files import blocks, read, write_wav
from agent.errors import AgentError

Tone = Callable[..., np.ndarray]


def save(path: Path, audio: np.ndarray, rate: int = 16_000, subtype: str | None = None) -> Path:
    soundfile.write(path, audio, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(("name", "subtype", "worst"), [
    ("a.wav", "PCM_16", 0), ("a.wav", "PCM_24", 1), ("a.wav", "PCM_32", 1), ("a.wav", "FLOAT", 1),
    ("a.wav", "DOUBLE", 1), ("a.wav", "PCM_U8", 256), ("a.wav", "ULAW", 300),
    ("a.flac", "PCM_16", 0), ("a.flac", "PCM_24", 1), ("a.aiff", "PCM_16", 0)])
def test_every_bit_depth_gives_the_same_sound(tmp_path: Path, tone: Tone, name: str,
                                              subtype: str, worst: int) -> None:
    samples = tone(4000)
    out = read(save(tmp_path / name, samples / 32_768, subtype=subtype))
    assert out.dtype == np.int16
    assert len(out) == 4000
    assert np.abs(out.astype(int) - samples).max() <= worst


def test_48_khz_stereo(tmp_path: Path, tone: Tone) -> None:
    left = tone(48_000, hertz=300, rate=48_000)
    stereo = np.stack([left, np.zeros_like(left)], axis=1)
    out = read(save(tmp_path / "a.wav", stereo, 48_000))
    assert len(out) == 16_000
    assert np.abs(out[500:-500]).max() == pytest.approx(4000, rel=0.02)


def test_silence_is_audio_too(tmp_path: Path) -> None:
    assert not read(save(tmp_path / "a.wav", np.zeros(1000, np.int16))).any()


def test_a_minute_is_read_whole(tmp_path: Path, tone: Tone) -> None:
    assert len(read(save(tmp_path / "a.flac", tone(44_100 * 60, rate=44_100), 44_100))) == 960_000


def test_clipped_audio_stays_at_full_scale(tmp_path: Path, tone: Tone) -> None:
    loud = np.clip(tone(16_000, hertz=400).astype(float) * 20, -32_768, 32_767).astype(np.int16)
    assert np.array_equal(read(save(tmp_path / "a.wav", loud)), loud)


def test_clipped_audio_at_another_rate_does_not_wrap_round(tmp_path: Path) -> None:
    square = np.sign(np.sin(np.arange(48_000) * 2 * np.pi * 200 / 48_000))
    out = read(save(tmp_path / "a.wav", square, 48_000)).astype(int)
    assert np.abs(np.diff(out)).max() < 65_536
    assert (np.sign(out[42:78]) == -1).all()


def test_float_audio_beyond_full_scale_is_clipped(tmp_path: Path) -> None:
    out = read(save(tmp_path / "a.wav", np.tile([3.0, -3.0], 500), subtype="FLOAT"))
    assert set(out) == {32_767, -32_768}


def test_a_dc_shift_is_removed(tmp_path: Path, tone: Tone) -> None:
    out = read(save(tmp_path / "a.wav", (tone(32_000) + 9000).astype(np.int16)))
    assert abs(out[8000:].mean()) < 70


@pytest.mark.parametrize(("content", "says"), [
    (b"", "empty"),
    (b"RIFF", "cannot be read as audio"),
    (b"RIFF\x24\0\0\0WAVE", "cannot be read as audio"),
    (b"fLaC\0\0\0\x22", "cannot be read as audio"),
    (b"hello, this is no audio at all\n" * 50, "cannot be read as audio"),
    (bytes(1000), "cannot be read as audio"),
])
def test_what_is_no_audio_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "bad.wav"
    path.write_bytes(content)
    with pytest.raises(AgentError, match=says) as caught:
        read(path)
    assert "bad.wav" in caught.value.what
    assert caught.value.mend


def test_a_file_without_samples_is_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"none\.wav holds no audio"):
        read(save(tmp_path / "none.wav", np.zeros(0, np.int16)))


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_file_that_is_cut_off_is_named(tmp_path: Path, tone: Tone, name: str,
                                         share: float) -> None:
    whole = save(tmp_path / name, tone(40_000)).read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(whole[:int(len(whole) * share)])
    with pytest.raises(AgentError, match="cut") as caught:
        read(path)
    assert caught.value.mend


@pytest.mark.parametrize("length", [0x7FFFF000, 0x80000000, 0xFFFFFFFF])
def test_a_wav_written_to_a_pipe_announces_no_length_and_is_read(tmp_path: Path, tone: Tone,
                                                                 length: int) -> None:
    path = save(tmp_path / "a.wav", tone(4000))
    data = bytearray(path.read_bytes())
    data[40:44] = length.to_bytes(4, "little")
    path.write_bytes(data)
    assert np.array_equal(read(path), tone(4000))


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(AgentError, match=r"gone\.wav: No such file"):
        read(tmp_path / "gone.wav")
    with pytest.raises(AgentError, match="is a folder"):
        read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, tone: Tone) -> None:
    path = save(tmp_path / "a.wav", tone(100))
    path.chmod(0)
    with pytest.raises(AgentError, match="Permission denied"):
        read(path)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
        tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    suffix = data.draw(st.sampled_from([".wav", ".flac"]))
    path = save(folder / f"a{suffix}", (np.arange(3000) * 37 % 20_000).astype(np.int16))
    content = bytearray(path.read_bytes())
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1),
                                                     st.integers(0, 255)), max_size=6)):
        content[place] = value
    path.write_bytes(content[:data.draw(st.integers(0, len(content)))])
    try:
        assert read(path).dtype == np.int16
    except AgentError as error:
        assert str(path) in error.what
    path.unlink()


def test_a_long_file_needs_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    with soundfile.SoundFile(path, "w", 8000, 2, "PCM_U8") as file:
        quiet = np.zeros((8000 * 60, 2))
        for _ in range(5):
            file.write(quiet)
    tracemalloc.start()
    total = sum(len(block) for block in blocks(path))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 16_000 * 60 * 5
    assert peak < 2_000_000


def test_what_is_written_is_read_again_and_is_private(tmp_path: Path, tone: Tone) -> None:
    path = tmp_path / "out.wav"
    write_wav(path, tone(5000))
    assert np.array_equal(read(path), tone(5000))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path,
                                                                   tone: Tone) -> None:
    with pytest.raises(AgentError, match="cannot write"):
        write_wav(tmp_path / "no" / "out.wav", tone(10))
    (tmp_path / "out.wav").mkdir()
    with pytest.raises(AgentError, match="cannot write"):
        write_wav(tmp_path / "out.wav", tone(10))
    assert [p.name for p in tmp_path.iterdir()] == ["out.wav"]

"""Raw PCM on a stream, cut wherever the pipe cuts it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import select
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.stream import StreamMicrophone
from agent.errors import AgentError


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    out, into = os.pipe()
    yield out, into
    for end in (out, into):
        with contextlib.suppress(OSError):
            os.close(end)


async def everything(microphone: StreamMicrophone) -> np.ndarray:
    frames = []
    while (frame := await microphone.read()) is not None:
        assert len(frame) == 320
        frames.append(frame)
    await microphone.close()
    return np.concatenate([np.zeros(0, np.int16), *frames])


def written(into: int, parts: list[bytes]) -> threading.Thread:
    def write() -> None:
        for part in parts:
            os.write(into, part)
        os.close(into)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


@given(length=st.integers(0, 3000), cuts=st.lists(st.integers(0, 6001), max_size=6))
@settings(max_examples=30, deadline=None)
def test_the_samples_come_out_wherever_the_writer_cuts_them(length: int,
                                                            cuts: list[int]) -> None:
    samples = (np.arange(length) * 7 % 2000 - 1000).astype("<i2")
    data = samples.tobytes()
    out, into = os.pipe()
    edges = [0, *sorted(min(c, len(data)) for c in cuts), len(data)]
    parts = [data[a:b] for a, b in itertools.pairwise(edges) if b > a]
    thread = written(into, parts)
    heard = asyncio.run(everything(StreamMicrophone(out)))
    thread.join()
    os.close(out)
    assert len(heard) == -(-length // 320) * 320
    assert np.array_equal(heard[:length], samples)
    assert not heard[length:].any()


def test_a_sample_cut_in_two_at_the_end_is_left_out(pipe: tuple[int, int]) -> None:
    out, into = pipe
    written(into, [np.full(320, 500, "<i2").tobytes() + b"\x01"]).join()
    assert len(asyncio.run(everything(StreamMicrophone(out)))) == 320


def test_stereo_at_48_khz(pipe: tuple[int, int]) -> None:
    out, into = pipe
    sound = np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000) * 8000
    stereo = np.stack([sound, sound * 0], axis=1).astype("<i2").tobytes()
    thread = written(into, [stereo[i:i + 5001] for i in range(0, len(stereo), 5001)])
    heard = asyncio.run(everything(StreamMicrophone(out, rate=48_000, channels=2)))
    thread.join()
    assert 16_000 <= len(heard) < 16_320
    assert np.abs(heard).max() == pytest.approx(4000, rel=0.02)


def test_a_file_redirected_to_the_stream_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.raw").write_bytes(np.arange(640, dtype="<i2").tobytes())
    with (tmp_path / "a.raw").open("rb") as file:
        heard = asyncio.run(everything(StreamMicrophone(file.fileno())))
    assert np.array_equal(heard, np.arange(640))


def test_the_writer_waits_while_the_agent_is_busy_and_nothing_is_lost(
        pipe: tuple[int, int]) -> None:
    out, into = pipe
    seconds = (np.arange(80_000) % 9973).repeat(2).astype("<i2")
    seconds[1::2] *= -1
    thread = written(into, [seconds.tobytes()])

    async def busy() -> np.ndarray:
        microphone = StreamMicrophone(out, queue=0.5)
        await asyncio.sleep(0.3)
        assert thread.is_alive(), "more was read ahead than asked for"
        return await everything(microphone)

    heard = asyncio.run(busy())
    thread.join()
    assert np.array_equal(heard, seconds)


def test_the_clock_counts_what_was_read(pipe: tuple[int, int]) -> None:
    out, into = pipe
    written(into, [bytes(320 * 2 * 5)]).join()

    async def listen() -> None:
        microphone = StreamMicrophone(out)
        for count in range(1, 6):
            await microphone.read()
            assert microphone.now == pytest.approx(count * 0.02)
        assert microphone.overruns == 0

    asyncio.run(listen())


def test_clearing_forgets_what_was_read_ahead(pipe: tuple[int, int]) -> None:
    out, into = pipe
    os.write(into, np.full(1600, 111, "<i2").tobytes())

    async def listen() -> np.ndarray:
        microphone = StreamMicrophone(out)
        while select.select([out], [], [], 0)[0]:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)  # from the pipe into the queue
        microphone.clear()
        os.write(into, np.full(320, 222, "<i2").tobytes())
        os.close(into)
        return await everything(microphone)

    assert set(asyncio.run(listen())) == {222}


def test_a_stream_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    handle = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(AgentError, match="cannot read the audio stream"):
        asyncio.run(everything(StreamMicrophone(handle)))
    os.close(handle)


@pytest.mark.parametrize(("rate", "channels"), [(0, 1), (16_000, 0)])
def test_a_format_that_cannot_be_is_refused(rate: int, channels: int) -> None:
    with pytest.raises(AgentError, match="not supported"):
        StreamMicrophone(0, rate=rate, channels=channels)

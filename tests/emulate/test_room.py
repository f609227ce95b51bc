"""The emulated room: one clock for microphone and loudspeaker, and what leaks between them."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audio import FRAME
from agent.emulate.acoustics import EchoPath, Leak, impulse_response
from agent.emulate.room import Room
from agent.events import SAMPLE_RATE, Samples
from agent.worker import Workload

TONE: Samples = (8000 * np.sin(np.arange(SAMPLE_RATE) * 0.2)).astype(np.int16)


def hear(room: Room, seconds: float) -> Samples:
    async def read() -> Samples:
        frames = [await room.read() for _ in range(round(seconds * SAMPLE_RATE / FRAME))]
        return np.concatenate([frame for frame in frames if frame is not None])

    return asyncio.run(read())


def test_a_clip_is_heard_as_it_is_from_the_next_frame_on() -> None:
    room = Room(workload=Workload())
    room.say(TONE)
    assert np.array_equal(hear(room, 1.0), TONE)
    assert not room.talking
    assert room.now == pytest.approx(1.0)


def test_what_is_played_is_heard_later_and_softer() -> None:
    room = Room(leak=Leak(-20.0, 0.1, 0.0), workload=Workload(), output_delay=0.04)
    room.speaker.play(TONE)
    heard = hear(room, 1.5)
    first = int(np.argmax(np.abs(heard) > 50))
    assert first / SAMPLE_RATE == pytest.approx(0.14, abs=0.005)
    assert np.abs(heard).max() == pytest.approx(800, rel=0.05)


def test_pending_counts_down_to_the_end_of_the_sound() -> None:
    room = Room(workload=Workload(), output_delay=0.04)
    room.speaker.play(TONE[:FRAME * 10])
    assert room.speaker.pending == pytest.approx(0.24)
    hear(room, 0.2)
    assert room.speaker.pending == pytest.approx(0.04)
    hear(room, 0.04)
    assert room.speaker.pending == 0
    assert room.speaker.played.last == pytest.approx(0.24)


def test_stopping_silences_the_loudspeaker_at_once() -> None:
    room = Room(leak=Leak(0.0, 0.0, 0.0), workload=Workload(), output_delay=0.0)
    room.speaker.play(TONE)
    hear(room, 0.2)
    assert room.speaker.stop() == pytest.approx(0.8, abs=0.01)
    assert not hear(room, 0.3)[FRAME:].any()


def test_the_clock_stands_still_while_the_agent_works() -> None:
    workload = Workload()
    room = Room(workload=workload)

    async def read_while_working() -> float:
        reading = asyncio.create_task(room.read())
        with workload.working():
            await asyncio.sleep(0.05)
            stood = room.now
        await reading
        return stood

    assert asyncio.run(read_while_working()) == 0.0
    assert room.now > 0


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_an_echo_does_not_depend_on_how_the_sound_is_cut(sizes: list[int]) -> None:
    sound = TONE[: sum(sizes)]
    leak = Leak(-10.0, 0.01, 0.05)
    whole = EchoPath(leak).next(sound)
    path, parts, at = EchoPath(leak), [], 0
    for size in sizes:
        parts.append(path.next(sound[at : at + size]))
        at += size
    assert np.allclose(np.concatenate(parts), whole, atol=0.5)


def test_reverberation_falls_by_60_db_in_its_time() -> None:
    response = impulse_response(Leak(0.0, 0.0, 0.5))
    power = np.square(response[1:])
    early, late = power[:800].mean(), power[-800:].mean()
    assert 10 * np.log10(early / late) == pytest.approx(57, abs=4)

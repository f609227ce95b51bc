"""The ring behaves as an endless recording of which only the last part is kept."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.audio.framing import Framer
from agent.audio.ring import Ring

RATE = 16_000


class Recording:
    """What a ring stands for: everything, kept for ever, with the part that counts as held."""

    def __init__(self, size: int) -> None:
        self.size, self.all, self.first = size, np.zeros(0, np.int16), 0

    def add(self, samples: np.ndarray) -> None:
        self.all = np.concatenate([self.all, samples])
        self.first = max(self.first, len(self.all) - self.size)

    def between(self, start: int, end: int) -> np.ndarray:
        out = np.zeros(max(0, end - start), np.int16)
        for place in range(max(start, self.first), min(end, len(self.all))):
            out[place - start] = self.all[place]
        return out


ACTIONS = st.lists(st.one_of(
    st.tuples(st.just("add"), st.integers(0, 90)),
    st.tuples(st.just("skip"), st.integers(0, 90)),
    st.tuples(st.just("cut"), st.integers(0, 40)),
    st.tuples(st.just("wipe"), st.just(0))), max_size=25)


@given(ACTIONS, st.integers(-20, 500), st.integers(-20, 500))
@settings(max_examples=150, deadline=None)
def test_it_holds_the_last_samples_at_their_places(actions: list[tuple[str, int]], start: int,
                                                   end: int) -> None:
    ring, model, value = Ring(50 / RATE), Recording(50), 1
    for action, count in actions:
        if action == "add":
            samples = np.arange(value, value + count, dtype=np.int16)
            value += count
            ring.add(samples)
            model.add(samples)
        elif action == "skip":
            ring.skip_to((len(model.all) + count) / RATE)
            model.add(np.zeros(count, np.int16))
        elif action == "cut":
            kept = max(0, len(model.all) - count)
            ring.truncate(kept / RATE)
            model.all = model.all[:kept]
            model.first = min(model.first, kept)
        else:
            ring.wipe()
            model.first = len(model.all)
    assert np.array_equal(ring.between(start / RATE, end / RATE), model.between(start, end))
    assert round(ring.end * RATE) == len(model.all)
    assert len(ring) <= 50


def test_since_goes_back_as_far_as_it_can() -> None:
    ring = Ring(1.0, start=10.0)
    ring.add(np.arange(8000, dtype=np.int16))
    assert (ring.start, ring.end) == (10.0, 10.5)
    assert list(ring.since(10.4999)[:2]) == [7998, 7999]
    assert len(ring.since(0.0)) == 8000
    assert len(ring.since(11.0)) == 0


def test_wiping_overwrites_what_was_held() -> None:
    ring = Ring(0.01)
    ring.add(np.full(160, 77, np.int16))
    ring.wipe()
    assert not ring._buffer.any()


def test_a_clock_that_goes_back_begins_anew() -> None:
    ring = Ring(1.0)
    ring.add(np.ones(100, np.int16))
    ring.skip_to(50 / RATE)
    assert len(ring) == 0
    assert ring.end == 50 / RATE


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_frames_are_the_stream_in_pieces_of_320(sizes: list[int]) -> None:
    framer, frames, total = Framer(), [], 0
    for size in sizes:
        framer.add(np.arange(total, total + size, dtype=np.int64).astype(np.int16))
        total += size
        while (frame := framer.frame()) is not None:
            frames.append(frame)
    rest = framer.rest()
    frames += [] if rest is None else [rest]
    assert all(len(frame) == 320 for frame in frames)
    joined = np.concatenate([np.zeros(0, np.int16), *frames])
    assert np.array_equal(joined[:total], np.arange(total).astype(np.int16))
    assert not joined[total:].any()
    assert len(joined) - total < 320


def test_clearing_frames_says_how_many_samples_went() -> None:
    framer = Framer()
    framer.add(np.ones(100, np.int16))
    assert framer.clear() == 100
    assert framer.rest() is None


@pytest.mark.parametrize("length", [320, 640])
def test_the_rest_of_whole_frames_is_a_frame_and_not_silence(length: int) -> None:
    framer = Framer()
    framer.add(np.ones(length, np.int16))
    for _ in range(length // 320):
        assert framer.frame() is not None
    assert framer.rest() is None

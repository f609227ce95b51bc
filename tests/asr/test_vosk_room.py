from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from agent.asr.vosk.room import Room

SPEECH = (8_000 * np.sin(np.arange(6_000) / 9)).astype(np.int16)


@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=8))
def test_the_size_of_the_pieces_changes_nothing(sizes: list[int]) -> None:
    pieces = np.split(SPEECH, np.cumsum(sizes)[np.cumsum(sizes) < len(SPEECH)])
    room, other = Room(), Room()
    heard = np.concatenate([room.hear(piece) for piece in pieces])
    assert np.abs(heard.astype(int) - other.hear(SPEECH)).max() <= 1


def test_it_rings_on_after_the_speech() -> None:
    room = Room()
    room.hear(SPEECH)
    after = room.end().astype(float)
    assert np.abs(after[:400]).mean() > 10 * np.abs(after[4_000:]).mean()


def test_silence_becomes_faint_noise_and_no_more() -> None:
    quiet = Room().begin()
    assert quiet.any()
    assert np.abs(quiet).max() <= 6


def test_it_keeps_about_the_level_and_never_overflows() -> None:
    heard = Room().hear(SPEECH).astype(float)
    assert 0.5 < np.std(heard) / np.std(SPEECH) < 2
    loud = Room().hear(np.full(4_000, 32_767, np.int16))
    assert loud.dtype == np.int16
    assert loud.max() <= 32_767


def test_nothing_stays_nothing() -> None:
    assert len(Room().hear(np.zeros(0, np.int16))) == 0

"""Quiet may wait to be handed on; what may be speech does not."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest

from agent.audio.attention import LINGER, Attention
from agent.audio.capture import Block, CaptureQueue
from agent.events import Samples

BLOCK = 0.08
RANDOM = np.random.default_rng(5)


def noise(level: float, seconds: float = BLOCK) -> Samples:
    return (RANDOM.standard_normal(round(seconds * 16_000)) * level).astype(np.int16)


def settled(level: float) -> Attention:
    attention = Attention(BLOCK)
    for _ in range(round(30 / BLOCK)):
        attention.wanted(noise(level))
    return attention


@pytest.mark.parametrize("level", [0.0, 1.0, 10.0, 300.0])
def test_steady_sound_can_wait_whatever_its_level(level: float) -> None:
    attention = settled(level)
    assert not any(attention.wanted(noise(level)) for _ in range(50))


@pytest.mark.parametrize("level", [0.0, 10.0, 300.0])
def test_the_first_louder_block_cannot_wait(level: float) -> None:
    attention = settled(level)
    assert attention.wanted(noise(max(40.0, 3 * level)))


def test_after_sound_everything_matters_for_a_while() -> None:
    attention = settled(10.0)
    attention.wanted(noise(500.0))
    wanted = [attention.wanted(noise(10.0)) for _ in range(round(2 * LINGER / BLOCK))]
    assert sum(wanted) * BLOCK == pytest.approx(LINGER, abs=2 * BLOCK)


def test_a_constant_offset_is_no_sound() -> None:
    attention = settled(1.0)
    assert not attention.wanted(noise(1.0) + np.int16(4000))


def test_noise_that_stays_becomes_the_quiet() -> None:
    attention = settled(10.0)
    wanted = [attention.wanted(noise(100.0)) for _ in range(round(60 / BLOCK))]
    assert wanted[0]
    assert not any(wanted[-50:])


def test_the_reader_is_woken_for_what_matters_and_when_enough_has_gathered() -> None:
    async def main() -> list[int]:
        queue, taken = CaptureQueue(10_000, patience=3), []

        async def read() -> None:
            while (block := await queue.get()) is not None:
                taken.append(block.start)

        reading = asyncio.create_task(read())
        await asyncio.sleep(0.02)  # it waits
        seen = []
        for number, urgent in enumerate([False, False, False, False, True, False]):
            queue.put(Block(bytearray(2), number), urgent)
            await asyncio.sleep(0.02)
            seen.append(len(taken))
        queue.end()
        await reading
        assert taken == [0, 1, 2, 3, 4, 5], "in order, and none is lost at the end"
        return seen

    assert asyncio.run(main()) == [0, 0, 3, 3, 5, 5]

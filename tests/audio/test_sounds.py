"""The agent's own sounds are soft, short and free of clicks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from agent.audio.settings import Settings
from agent.audio.sounds import reopen_sound, ring_sound, wake_sound
from agent.events import Samples

Sound = Callable[[float], Samples]


@pytest.mark.parametrize(("sound", "over"), [(wake_sound, 0), (reopen_sound, 0), (ring_sound, 6)])
@pytest.mark.parametrize("level", [-40.0, Settings().sound_level])
def test_the_level_is_the_one_asked_for(sound: Sound, over: float, level: float) -> None:
    peak = np.abs(sound(level).astype(int)).max() / 32_768
    assert 20 * np.log10(peak) == pytest.approx(level + over, abs=0.2)


@pytest.mark.parametrize("sound", [wake_sound, reopen_sound, ring_sound])
def test_it_begins_and_ends_without_a_click(sound: Sound) -> None:
    samples = sound(-20.0).astype(int)
    peak = np.abs(samples).max()
    assert abs(samples[0]) < peak * 0.02
    assert np.abs(samples[-40:]).max() < peak * 0.05
    assert abs(samples.mean()) < peak * 0.01


@pytest.mark.parametrize(("sound", "longest"), [(wake_sound, 0.3), (reopen_sound, 0.15)])
def test_it_does_not_hold_the_conversation_up(sound: Sound, longest: float) -> None:
    assert len(sound(-24.0)) / 16_000 <= longest

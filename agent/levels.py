"""How loud it is, for the lights: what is heard while listening, what is played while speaking."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

import numpy as np

from agent.audio import Speaker
from agent.conversation.ears import Ears
from agent.events import AgentState, Event, EventBus, Samples, StateChanged

EVERY = 0.1
"""Seconds between two levels, and the audio that each is of."""

QUIET, LOUD = -60.0, -15.0
"""Decibels of full scale (RMS) shown as 0 and as 1: a quiet room, speech close by."""


class Meter:
    """Shows a level ten times a second while the agent listens or speaks, and else sleeps.

    It reads what others keep anyway, beside the audio path and not in it.

    Args:
        ears: Has what was heard lately.
        speaker: Has what was played lately.
        bus: Tells what the agent is doing.
        show: Takes the level, 0 to 1.
    """

    def __init__(self, ears: Ears, speaker: Speaker, bus: EventBus,
                 show: Callable[[float], None]) -> None:
        self._ears, self._speaker, self._show = ears, speaker, show
        self._state = AgentState.IDLE
        self._wanted = asyncio.Event()
        bus.subscribe(self._on_event)

    async def run(self) -> None:
        """Go on until cancelled."""
        while True:
            await self._wanted.wait()
            self._show(level(self._lately()))
            await asyncio.sleep(EVERY)

    def _lately(self) -> Samples:
        now = self._ears.now
        if self._state is AgentState.SPEAKING:
            return self._speaker.played.between(now - EVERY, now)
        return self._ears.recent.between(now - EVERY, now)

    def _on_event(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self._state = event.state
            if event.state in (AgentState.LISTENING, AgentState.SPEAKING):
                self._wanted.set()
            else:
                self._wanted.clear()


def level(samples: Samples) -> float:
    """How loud ``int16[samples]`` are, 0 to 1, even in decibels."""
    if not len(samples):
        return 0.0
    power = float(np.square(samples.astype(np.float32)).mean()) / 32768**2
    decibels = 10 * math.log10(max(power, 1e-12))
    return min(1.0, max(0.0, (decibels - QUIET) / (LOUD - QUIET)))

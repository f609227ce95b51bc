"""Holding a scene: builds the agent in its room, runs it to the end, judges the outcome."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from agent.app import Devices, build
from agent.audio.files import read
from agent.config import Config
from agent.emulate.director import Director, judge
from agent.emulate.room import Room
from agent.emulate.scene import Scene
from agent.events import Event, EventBus, Samples, Understood
from agent.worker import Workload


@dataclass(frozen=True)
class Outcome:
    """What came of a scene."""

    events: tuple[Event, ...]
    problems: tuple[str, ...]
    """What was not as expected; empty when all was."""
    heard: Samples = field(repr=False)
    """The microphone's side, ``int16[samples]``; empty unless it was kept."""
    played: Samples = field(repr=False)
    """The loudspeaker's side."""

    @property
    def understood(self) -> str:
        """Summary of the last thing that was understood; ``nothing`` when nothing was."""
        summaries = [e.summary for e in self.events if isinstance(e, Understood)]
        return summaries[-1] if summaries else "nothing"


async def hold(scene: Scene, *, fast: bool, keep_audio: bool = False, board: str = "",
               folder: Path | None = None, watch: Sequence[Callable[[Event], None]] = (),
               announce: Callable[[str], None] = lambda line: None) -> Outcome:
    """Hold the scene's conversation.

    Args:
        scene: What is said, and what is expected.
        fast: As fast as the machine can, instead of in real time; the outcome is the same.
        keep_audio: Keep what was heard and played.
        board: Serial port of a board to use, whatever the scene's settings say.
        folder: Where the store is kept; None: in a folder that is deleted at the end.
        watch: Shown every event.
        announce: Told in a line which engines run.

    Raises:
        AgentError: An engine, a model or a recording is missing.
    """
    bus, workload = EventBus(), Workload()
    happened: list[Event] = []
    bus.subscribe(happened.append)
    for observer in watch:
        bus.subscribe(observer)
    room = _furnish(scene, workload if fast else None, keep_audio)
    with tempfile.TemporaryDirectory(prefix="voice-agent-") as passing:
        agent = await build(_settings(scene, folder or Path(passing), fast, board),
                            Devices(room, room.speaker), bus, workload, announce)
        director = Director(room, scene.step, bus)
        await agent.run()
    problems = judge(scene.expect, happened)
    if director.failure:
        problems.insert(0, director.failure)
    heard, played = room.recording()
    return Outcome(tuple(happened), tuple(problems), heard, played)


def _settings(scene: Scene, folder: Path, fast: bool, board: str) -> Config:
    """The scene's settings, with a store of its own; where time stands still, none is short."""
    config = replace(scene.settings, store=replace(scene.settings.store, directory=folder))
    if board:
        config = replace(config, bridge=replace(config.bridge, kind="serial", port=board))
    if not fast:
        return config
    return replace(config, bias=replace(config.bias, budget_ms=0),
                   context=replace(config.context, hurry=False))


def _furnish(scene: Scene, workload: Workload | None, keep: bool) -> Room:
    noise = None
    if scene.room.noise is not None:
        gain = 10 ** (scene.room.noise_gain / 20)
        louder = np.clip(read(scene.room.noise) * gain, -32768, 32767)
        noise = louder.astype(np.int16)
    return Room(noise=noise, leak=scene.room.leak, workload=workload,
                block=scene.settings.audio.input_block, keep=keep)

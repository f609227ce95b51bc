"""The whole agent, in an emulated room, with a board at the end of a line."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from simulated_pico import MakePico, SimulatedPico

from agent.emulate.runner import Outcome, hold
from agent.emulate.scene import Scene, Step, read_scene
from agent.events import (
    AgentState,
    DialogueClosed,
    Event,
    Fault,
    MuteChanged,
    PlaceCall,
    StateChanged,
)
from firmware_bridge.emulated import EmulatedBoard
from firmware_bridge.firmware.voiceboard import wire

ROOT = Path(__file__).resolve().parents[2]
SCENES = ROOT / "scenes"
AMBER_HALF = "481c00" * 6 + "000000" * 6
ALL_RED = "480000" * 12
POINTER = "004848"
"""Of a ring that shows listening: the only LED that is not blue."""


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


@pytest.fixture
def board() -> Iterator[EmulatedBoard]:
    with EmulatedBoard() as made:
        yield made


def is_listening(ring: str) -> bool:
    return ring.count(POINTER) == 1


def first(pico: SimulatedPico, wanted: Callable[[str], bool], after: float,
          within: float) -> float:
    """When the ring first showed what is wanted."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        for at, ring in pico.trace.leds():
            if at >= after and wanted(ring):
                return at
        time.sleep(0.01)
    raise AssertionError(f"last: {pico.trace.lines[-3:]}")


def listening_agent(folder: Path, port: str) -> subprocess.Popen[bytes]:
    """``voice-agent emulate`` in real time, which hears a wake word and then nothing."""
    scene = folder / "scene.toml"
    scene.write_text(f"""
title = "Left alone while listening"
[settings.bridge]
kind = "serial"
port = "{port}"
[settings.endpoint]
timeout = 30.0
[[step]]
pause = 0.5
[[step]]
play = "{SCENES / 'recordings' / 'wake.flac'}"
[[step]]
pause = 30
""")
    return subprocess.Popen([sys.executable, "-m", "agent.cli", "emulate", str(scene)], cwd=ROOT,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_killed_while_listening_the_pico_leaves_that_display_within_2_5_seconds(
        make_pico: MakePico, tmp_path: Path) -> None:
    pico = make_pico()
    agent = listening_agent(tmp_path, pico.port)
    try:
        first(pico, is_listening, 0.0, within=60)
        time.sleep(0.4)
        killed = time.monotonic()
        os.kill(agent.pid, signal.SIGKILL)
    finally:
        agent.kill()
        agent.wait()
    lost = first(pico, lambda ring: ring == AMBER_HALF, killed, within=4)
    assert lost - killed <= 2.5
    assert not any(is_listening(ring) for at, ring in pico.trace.leds() if at > lost)


def test_killed_while_listening_the_desktop_board_leaves_that_display_within_2_5_seconds(
        board: EmulatedBoard, tmp_path: Path) -> None:
    agent = listening_agent(tmp_path, board.port)
    try:
        end = time.monotonic() + 60
        while board.display != wire.LISTENING:
            assert time.monotonic() < end, board.shows
            time.sleep(0.01)
        time.sleep(0.4)
        os.kill(agent.pid, signal.SIGKILL)
        killed = time.monotonic()
    finally:
        agent.kill()
        agent.wait()
    while board.display == wire.LISTENING:
        assert time.monotonic() - killed <= 2.5
        time.sleep(0.01)
    assert board.display == wire.HOST_LOST


def conversation(scene: Scene, port: str, watch: Callable[[Event], None]) -> Outcome:
    """Hold it in real time, with a board."""
    return asyncio.run(hold(scene, fast=False, board=port, watch=[watch]))


def test_unplugged_mid_turn_the_turn_finishes_and_the_link_comes_back(
        board: EmulatedBoard) -> None:
    shown: list[int] = []
    unplugged = False

    def watch(event: Event) -> None:
        nonlocal unplugged
        if isinstance(event, StateChanged) and event.state is AgentState.THINKING:
            if not unplugged:
                asyncio.get_running_loop().call_soon(board.unplug)
            unplugged = True
        elif isinstance(event, StateChanged) and event.state is AgentState.IDLE and unplugged:
            asyncio.get_running_loop().call_later(0.3, board.plug)
            asyncio.get_running_loop().call_later(2.0, lambda: shown.append(board.display))

    meg = read_scene(SCENES / "meg.toml")
    scene = replace(meg, step=(*meg.step, Step(pause=2.6)))
    outcome = conversation(scene, board.port, watch)
    assert outcome.problems == ()
    assert any(getattr(e, "directive", None).__class__ is PlaceCall for e in outcome.events)
    faults = [e for e in outcome.events if isinstance(e, Fault)]
    assert [fault.part for fault in faults] == ["firmware_bridge"], "told once"
    assert "unplugged" in faults[0].message
    assert shown == [wire.IDLE], "joined again, and up to date"


def test_the_lights_follow_a_turn_and_how_loud_it_is(board: EmulatedBoard) -> None:
    seen: dict[int, set[tuple[tuple[int, int, int], ...]]] = {}

    async def sample() -> Outcome:
        async def look() -> None:
            while True:
                seen.setdefault(board.display, set()).add(tuple(board.pixels))
                await asyncio.sleep(0.02)

        looking = asyncio.create_task(look())
        try:
            return await hold(read_scene(SCENES / "meg.toml"), fast=False, board=board.port)
        finally:
            looking.cancel()

    outcome = asyncio.run(sample())
    assert outcome.problems == ()
    assert {wire.LISTENING, wire.SPEAKING, wire.FOLLOW_UP, wire.IDLE} <= seen.keys()
    blues = {min(blue for red, green, blue in ring) for ring in seen[wire.LISTENING]}
    greens = {max(green for red, green, blue in ring) for ring in seen[wire.SPEAKING]}
    assert len(blues) > 3, "as loud as the speech heard"
    assert len(greens) > 3, "as loud as the speech spoken"


def test_the_switch_of_a_pico_closes_a_turn_and_nothing_undoes_it(make_pico: MakePico) -> None:
    pico = make_pico()

    def watch(event: Event) -> None:
        if isinstance(event, StateChanged) and event.state is AgentState.FOLLOW_UP:
            asyncio.get_running_loop().call_later(0.3, pico.mute, True)

    meg = read_scene(SCENES / "meg.toml")
    scene = replace(meg, expect=replace(meg.expect, understood=None, directives=()),
                    step=(*meg.step[:-1], Step(pause=1.5)))
    outcome = conversation(scene, pico.port, watch)
    muted = next(i for i, e in enumerate(outcome.events) if isinstance(e, MuteChanged))
    after = outcome.events[muted + 1:]
    assert outcome.events[muted] == MuteChanged(outcome.events[muted].at, True, hardware=True)
    assert {e.state for e in after if isinstance(e, StateChanged)} == {AgentState.MUTED}
    assert [type(e) for e in after if not isinstance(e, StateChanged)] == [DialogueClosed]
    red = first(pico, lambda ring: ring == ALL_RED, 0.0, within=1)
    assert {ring for at, ring in pico.trace.leds() if at >= red} == {ALL_RED}

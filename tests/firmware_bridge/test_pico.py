"""The Pico's firmware files, under real MicroPython with simulated pins, and a real host."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from simulated_pico import MakePico, SimulatedPico

from agent.events import (
    AgentState,
    ButtonKind,
    ButtonPressed,
    Event,
    EventBus,
    Fault,
    MuteChanged,
    StateChanged,
)
from firmware_bridge import Bridge, open_bridge
from firmware_bridge.firmware.voiceboard import wire
from firmware_bridge.firmware.voiceboard.lights import frame
from firmware_bridge.messages import SetState, State
from firmware_bridge.session import Session
from firmware_bridge.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
RED = "480000"
AMBER_HALF = "481c00" * 6 + "000000" * 6

AGENT = """
import asyncio, sys, time
from agent.events import AgentState, EventBus, StateChanged
from firmware_bridge import open_bridge
from firmware_bridge.settings import Settings
async def main():
    events = EventBus()
    bridge = open_bridge(Settings(kind="serial", port=sys.argv[1]), events, time.monotonic)
    await bridge.start()
    events.publish(StateChanged(0.0, AgentState.LISTENING))
    await asyncio.sleep(60)
asyncio.run(main())
"""


def listening(ms: int) -> str:
    pixels = frame(wire.LISTENING, wire.NO_LEVEL, wire.NO_DIRECTION, ms, 12)
    return "".join(f"{r:02x}{g:02x}{b:02x}" for r, g, b in pixels)


def with_agent(pico: SimulatedPico, act: Callable[[Bridge, EventBus, list[Event]], object],
               wait: Callable[[list[Event]], bool]) -> list[Event]:
    """Join, do something, wait for something; returns the events published."""
    async def work() -> list[Event]:
        events, heard = EventBus(), []
        events.subscribe(heard.append)
        bridge = open_bridge(Settings(kind="serial", port=pico.port), events, lambda: 0.0)
        await bridge.start()
        end = time.monotonic() + 5
        while not bridge.status.connected:
            assert time.monotonic() < end, "never joined"
            await asyncio.sleep(0.005)
        act(bridge, events, heard)
        while not wait(heard):
            assert time.monotonic() < end, heard
            await asyncio.sleep(0.005)
        await bridge.stop()
        return heard

    return asyncio.run(work())


def test_killing_the_agent_ends_the_listening_display_within_2_5_seconds(
        make_pico: MakePico) -> None:
    pico = make_pico()
    agent = subprocess.Popen([sys.executable, "-c", AGENT, pico.port], cwd=ROOT)
    try:
        pico.wait_for(listening(0), 0.0, seconds=10)
        time.sleep(0.3)
        killed = time.monotonic()
        os.kill(agent.pid, signal.SIGKILL)
    finally:
        agent.kill()
        agent.wait()
    assert pico.wait_for(AMBER_HALF, killed) - killed <= 2.5


def test_button_and_switch_reach_the_agent(make_pico: MakePico) -> None:
    pico = make_pico()

    def act(bridge: Bridge, events: EventBus, heard: list[Event]) -> None:
        pico.button(True)

    heard = with_agent(pico, act, lambda heard: len(heard) >= 2)
    assert heard == [ButtonPressed(0.0, ButtonKind.PRESS), ButtonPressed(0.0, ButtonKind.LONG)]
    pico.button(False)

    def mute(bridge: Bridge, events: EventBus, heard: list[Event]) -> None:
        pico.mute(True)
        events.publish(StateChanged(0.0, AgentState.LISTENING))

    start = time.monotonic()
    heard = with_agent(pico, mute, lambda heard: any(isinstance(e, Fault) for e in heard))
    assert MuteChanged(0.0, True, hardware=True) in heard
    red = pico.wait_for(RED, start)
    assert {shown for at, shown in pico.trace.leds() if at >= red} == {RED * 12}


def test_a_board_that_starts_muted_is_red_from_the_start(make_pico: MakePico) -> None:
    pico = make_pico(muted=True)
    pico.wait_for(RED, 0.0)
    assert {shown for _, shown in pico.trace.leds()} == {RED * 12}


def test_bytes_that_would_stop_a_program_at_the_prompt_do_not(make_pico: MakePico) -> None:
    pico = make_pico()
    host = Session(lambda report: None, lambda: None)
    host.tick(0.0)
    descriptor = os.open(pico.port, os.O_RDWR | os.O_NOCTTY)
    try:
        os.write(descriptor, b"\x03\x03\x04\x01\x02\x05" * 50 + host.take())
        end = time.monotonic() + 3
        while not host.joined:
            assert time.monotonic() < end
            host.receive(os.read(descriptor, 4096), 0.0)
        number = Session.tick(host, 0.0)
        assert number >= 0.0
        # A body and a sequence of 0x03 as well.
        from firmware_bridge.codec import encode
        for seq in (1, 2, 3):
            os.write(descriptor, encode(SetState(State.THINKING, 3, 0x103).frame(seq)))
        end = time.monotonic() + 3
        while len(pico.trace.done()) < 3:
            assert time.monotonic() < end
            time.sleep(0.01)
    finally:
        os.close(descriptor)
    assert pico.process.poll() is None


def test_an_update_of_the_agent_meets_the_same_board_again(make_pico: MakePico) -> None:
    pico = make_pico()
    for _ in range(3):
        heard = with_agent(
            pico, lambda bridge, events, heard: events.publish(
                StateChanged(0.0, AgentState.THINKING)),
            lambda heard: pico.trace.done()[-1:] == [(0x10, SetState(
                State.THINKING).frame(0).body, 0)])
        assert [e for e in heard if isinstance(e, Fault)] == []
        assert pico.trace.done()[-1][0] == 0x11  # goodbye


def test_a_restart_by_the_watchdog_is_reported(make_pico: MakePico) -> None:
    pico = make_pico(reset_cause=3)
    heard = with_agent(pico, lambda *_: None, bool)
    assert heard == [Fault(0.0, "firmware_bridge", "the board had to restart itself")]


def test_a_button_held_at_the_start_gives_the_prompt(make_pico: MakePico) -> None:
    pico = make_pico(button=True)
    assert pico.process.wait(3) == 0
    assert pico.trace.leds() == []


def test_the_firmware_feeds_its_watchdog_and_pulls_up_its_inputs(make_pico: MakePico) -> None:
    pico = make_pico()
    pico.wait_for("0a0400" + "000000" * 11, 0.0)
    time.sleep(1.5)
    assert [line for _, line in pico.trace.lines if not line.startswith("leds ")] == []

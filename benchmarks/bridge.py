"""How long from the button to the agent, and from the agent's state to the LEDs?

The Pico's own firmware files run under MicroPython's Unix port behind a pseudo-terminal, with a
simulated pin and LED ring; the host side is the agent's ``BoardBridge`` on an asyncio loop, with
the event bus, and a listener that answers a press as the agent does, by going to listening.
Recognition runs alongside, without a pause: Moonshine in a thread of the same process (so that
it holds the interpreter's lock and a core as the agent's own does), or in another process.

Each sample is one real press: the pin goes low, ``ButtonPressed`` and ``StateChanged`` are
published, and the LED ring is written. Times are taken at both ends with one clock.

    .venv/bin/python benchmarks/bridge.py [--presses 400] [--load thread] [--json out.json]

On a machine that is busy with other things, ``--alone`` (as root) keeps those out of the figures:
everything measured, recognition included, then runs at the same real-time priority.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import sys
import threading
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "firmware_bridge")]

from simulated_pico import SimulatedPico  # noqa: E402

from agent.events import (  # noqa: E402
    AgentState,
    ButtonKind,
    ButtonPressed,
    Event,
    EventBus,
    StateChanged,
)
from firmware_bridge import open_bridge  # noqa: E402
from firmware_bridge.settings import Settings  # noqa: E402

LIMIT_MS = 30.0
LIMITED = ("button → listening", "listening → LEDs", "thinking → LEDs")
LISTENING, THINKING = "004848", "280048"
LED_WAIT_SECONDS = 1.0


class Load:
    """Recognition without a pause, until stopped."""

    def __init__(self, kind: str) -> None:
        self._stop = multiprocessing.Event()
        self.decoded = multiprocessing.Value("i", 0)
        runner = {"thread": threading.Thread, "process": multiprocessing.Process}.get(kind)
        self._runner = runner(target=recognise, args=(self._stop, self.decoded)) if runner else None

    def start(self) -> None:
        """Begin, and wait until the model is loaded."""
        if self._runner:
            self._runner.start()
            while self.decoded.value == 0 and self._runner.is_alive():
                time.sleep(0.05)
            if self.decoded.value == 0:
                raise SystemExit("recognition could not be started: is moonshine-tiny-en there?")

    def stop(self) -> None:
        """End it."""
        self._stop.set()
        if self._runner:
            self._runner.join()


def recognise(stop, decoded) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    """Decode the same clip again and again, one thread."""
    from agent.asr.moonshine.engine import MoonshineRecogniser

    recogniser = MoonshineRecogniser(ROOT / "models" / "files" / "moonshine-tiny-en")
    samples = clip()
    while not stop.is_set():
        recogniser.decode(samples)
        decoded.value += 1


def clip() -> np.ndarray:
    """Speech of the development data where it is, else noise of the same length."""
    data = Path(os.environ.get("VOICE_AGENT_DATA", ROOT.parent / "shared" / "data"))
    for path in sorted((data / "menu-orders").rglob("*.flac"))[:1]:
        import soundfile

        samples, _ = soundfile.read(path, dtype="int16")
        return samples
    return np.random.default_rng(1).integers(-3000, 3000, 3 * 16_000).astype(np.int16)


class Watch:
    """When each event was published."""

    def __init__(self, events: EventBus) -> None:
        self.pressed = self.listening = 0.0
        self._events = events
        events.subscribe(self._take)

    def _take(self, event: Event) -> None:
        if isinstance(event, ButtonPressed) and event.kind is ButtonKind.PRESS:
            self.pressed = time.monotonic()
            self._events.publish(StateChanged(0.0, AgentState.LISTENING))
        elif isinstance(event, StateChanged) and event.state is AgentState.LISTENING:
            self.listening = time.monotonic()


async def led(pico: SimulatedPico, colour: str, after: float) -> float:
    """When the ring first showed a colour after that moment."""
    end = time.monotonic() + LED_WAIT_SECONDS
    while time.monotonic() < end:
        for at, shown in reversed(pico.trace.leds()):
            if at < after:
                break
            if colour in (shown[i:i + 6] for i in range(0, 72, 6)):
                return at
        await asyncio.sleep(0.005)
    raise SystemExit(f"the LEDs did not show {colour} within {LED_WAIT_SECONDS} s")


async def measure(presses: int) -> dict[str, list[float]]:
    """Milliseconds of each way, for each press."""
    events = EventBus()
    watch = Watch(events)
    ways: dict[str, list[float]] = {"button → listening": [], "listening → LEDs": [],
                                    "button → LEDs": [], "thinking → LEDs": []}
    rng = random.Random(1)
    with SimulatedPico() as pico:
        bridge = open_bridge(Settings(kind="serial", port=pico.port), events, time.monotonic)
        await bridge.start()
        while not bridge.status.connected:
            await asyncio.sleep(0.01)
        for _ in range(presses):
            pico.trace.lines.clear()
            watch.pressed = 0.0
            # Half a second apart, so that no two presses make a double one.
            await asyncio.sleep(0.45 + rng.random() * 0.05)
            pressed = time.monotonic()
            pico.button(True)
            await asyncio.sleep(0.06)
            pico.button(False)
            shown = await led(pico, LISTENING, pressed)
            ways["button → listening"].append(1000 * (watch.listening - pressed))
            ways["listening → LEDs"].append(1000 * (shown - watch.listening))
            ways["button → LEDs"].append(1000 * (shown - pressed))
            changed = time.monotonic()
            events.publish(StateChanged(0.0, AgentState.THINKING))
            ways["thinking → LEDs"].append(1000 * (await led(pico, THINKING, changed) - changed))
        await bridge.stop()
    return ways


def summary(ways: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Percentiles of each way, in milliseconds."""
    return {name: {"p50": float(np.percentile(ms, 50)), "p95": float(np.percentile(ms, 95)),
                   "p99": float(np.percentile(ms, 99)), "max": max(ms), "n": len(ms)}
            for name, ms in ways.items()}


def main() -> int:
    """Measure with each load; exit status 1 where a p99 is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=400)
    parser.add_argument("--load", choices=["none", "thread", "process", "all"], default="all")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.alone:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    results = {}
    print(f"{'recognition':12} {'way':20} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}   ms")
    for kind in ["none", "thread", "process"] if args.load == "all" else [args.load]:
        load = Load(kind)
        load.start()
        start, before = time.monotonic(), load.decoded.value
        try:
            results[kind] = summary(asyncio.run(measure(args.presses)))
        finally:
            load.stop()
        rate = (load.decoded.value - before) / (time.monotonic() - start)
        for way, figures in results[kind].items():
            print(f"{kind:12} {way:20} {figures['p50']:7.1f} {figures['p95']:7.1f} "
                  f"{figures['p99']:7.1f} {figures['max']:7.1f}")
        print(f"{'':12} ({rate:.1f} clips recognised a second alongside)")
    if args.json:
        args.json.write_text(json.dumps({"limit_ms": LIMIT_MS, "loadavg": os.getloadavg(),
                                         "results": results}, indent=1, ensure_ascii=False))
    worst = max(r[way]["p99"] for r in results.values() for way in LIMITED)
    print(f"worst p99 {worst:.1f} ms, limit {LIMIT_MS:.0f} ms")
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())

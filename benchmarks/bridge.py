"""How long from the button to the agent, and from the agent's state to the LEDs?

The Pico's own firmware files run under MicroPython's Unix port behind a pseudo-terminal, with a
simulated pin and LED ring; the host side is the agent's ``BoardBridge`` on an asyncio loop, with
the event bus, and a listener that answers a press as the agent does, by going to listening.
Recognition runs alongside, without a pause: Moonshine in a thread of the same process (so that
it holds the interpreter's lock and a core as the agent's own does), or in another process.

With ``--load agent`` it is the whole agent instead: the application in an emulated room, in real
time, in which somebody goes on saying what the scenes' recordings say, wake word and confirmation
included; it is pressed at any time, while it listens, recognises or speaks. There "state → LEDs"
is each change to thinking and speaking that follows from what was said. ``agent+thread`` is that
with another recognition going on without a pause in the same process.

Each sample is one real press: the pin goes low, ``ButtonPressed`` and ``StateChanged`` are
published, and the LED ring is written. Times are taken at both ends with one clock.

    .venv/bin/python benchmarks/bridge.py [--presses 400] [--load agent] [--json out.json]

On a machine that is busy with other things, ``--alone`` (as root) keeps those out of the figures:
everything measured, recognition included, then runs at the highest ordinary priority. (Not at a
real-time one: at that, what wakes up waits for what computes, as it does not on a device.)
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import dataclasses
import json
import multiprocessing
import os
import random
import sys
import tempfile
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
LOADS = ("none", "thread", "process", "agent", "agent+thread")
LIMITED = ("button → listening", "listening → LEDs", "thinking → LEDs", "speaking → LEDs")
LISTENING, THINKING = "004848", "280048"
SHOWN = {AgentState.LISTENING: lambda ring: ring.count("004848") == 1,
         AgentState.THINKING: lambda ring: ring.count("280048") == 2,
         AgentState.SPEAKING: lambda ring: ring[2:4] != "00" and ring == f"00{ring[2:4]}00" * 12}
LED_WAIT_SECONDS = 1.0
LASTING = 0.06
"""Seconds that a state must last to count: the ring need not show one that is over already."""


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


@dataclasses.dataclass
class Pressed:
    """One press of the button of the whole agent."""

    at: float
    during: AgentState
    decoding: bool
    """Whether a decode was under way."""
    states: list[tuple[float, AgentState]] = dataclasses.field(default_factory=list)
    rings: list[tuple[float, str]] = dataclasses.field(default_factory=list)

    def listening(self) -> float:
        """When the agent listened."""
        return next(at for at, state in self.states if state is AgentState.LISTENING)

    def shown(self, state: AgentState) -> float | None:
        """Milliseconds from a state to its light; None where it did not come or did not last."""
        ends = [at for at, _ in self.states[1:]] + [self.at + 9.0]
        for (at, entered), left in zip(self.states, ends, strict=True):
            if entered is state and left - at > LASTING:
                end = next((t for t, ring in self.rings if t >= at and SHOWN[state](ring)), None)
                return None if end is None else 1000 * (end - at)
        return None


class WholeAgent:
    """The application in an emulated room, in real time, with a Pico's firmware."""

    def __init__(self, pico: SimulatedPico, folder: Path) -> None:
        from agent.audio.files import read
        from agent.config import Config
        from agent.emulate.room import Room
        from agent.store.settings import Settings as StoreSettings

        self.pico, self.bus, self.rng = pico, EventBus(), random.Random(1)
        self.state, self.current = AgentState.IDLE, None
        self.decoding = 0
        self.config = Config(bridge=Settings(kind="serial", port=pico.port),
                             store=StoreSettings(directory=folder))
        self.room = Room(block=self.config.audio.input_block)
        recordings = ROOT / "scenes" / "recordings"
        self.clips = [read(path) for path in sorted(recordings.glob("*.flac"))
                      if path.stem not in ("kitchen", "television")
                      and "timer" not in path.stem]  # whose ringing a press would only stop
        self.bus.subscribe(self._follow)
        self.room.direct = self._talk

    async def press(self, presses: int) -> list[Pressed]:
        """Press at random moments, while somebody talks."""
        from agent.app import Devices, build
        from agent.worker import Workload

        self._count_decodes()
        agent = await build(self.config, Devices(self.room, self.room.speaker), self.bus,
                            Workload(), lambda line: None)
        running, done = asyncio.create_task(agent.run()), []
        await asyncio.sleep(3)
        for _ in range(presses):
            self.pico.trace.lines.clear()
            press = self.current = Pressed(time.monotonic(), self.state, self.decoding > 0)
            self.pico.button(True)
            await asyncio.sleep(0.06)
            self.pico.button(False)
            await asyncio.sleep(0.5 + self.rng.random() * 4)
            press.rings = self.pico.trace.leds()
            done.append(press)
        self.room.end()
        await running
        return done

    def _count_decodes(self) -> None:
        from agent.asr.moonshine.engine import MoonshineRecogniser

        decode = MoonshineRecogniser.decode

        def counted(*args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: ANN002, ANN003, ANN202
            self.decoding += 1
            try:
                return decode(*args, **kwargs)
            finally:
                self.decoding -= 1

        MoonshineRecogniser.decode = counted  # type: ignore[method-assign]

    def _talk(self) -> None:
        if not self.room.talking and self.rng.random() < 0.01:
            self.room.say(self.rng.choice(self.clips))

    def _follow(self, event: Event) -> None:
        if isinstance(event, StateChanged):
            self.state = event.state
            if self.current is not None:
                self.current.states.append((time.monotonic(), event.state))


def measure_agent(presses: int) -> dict[str, list[float]]:
    """Milliseconds of each way, for each press of the whole agent."""
    with SimulatedPico() as pico, tempfile.TemporaryDirectory() as folder:
        done = asyncio.run(WholeAgent(pico, Path(folder)).press(presses))
    during = collections.Counter(str(press.during) for press in done)
    print(f"{'':12} (pressed while {', '.join(f'{k}: {n}' for k, n in during.most_common())}; "
          f"during a decode: {sum(press.decoding for press in done)})")
    ways = {"button → listening": [1000 * (p.listening() - p.at) for p in done]}
    for state in SHOWN:
        # A ring that showed the state before the press as well tells nothing of when it came.
        ways[f"{state} → LEDs"] = [ms for p in done if p.during is not state
                                   and (ms := p.shown(state)) is not None]
    return {way: ms for way, ms in ways.items() if ms}


def summary(ways: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Percentiles of each way, in milliseconds."""
    return {name: {"p50": float(np.percentile(ms, 50)), "p95": float(np.percentile(ms, 95)),
                   "p99": float(np.percentile(ms, 99)), "max": max(ms), "n": len(ms)}
            for name, ms in ways.items()}


def main() -> int:
    """Measure with each load; exit status 1 where a p99 is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--presses", type=int, default=400)
    parser.add_argument("--load", choices=[*LOADS, "all"], default="all")
    parser.add_argument("--alone", action="store_true")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    if args.alone:
        os.setpriority(os.PRIO_PROCESS, 0, -20)
    results = {}
    print(f"{'recognition':12} {'way':20} {'p50':>7} {'p95':>7} {'p99':>7} {'max':>7}   ms")
    for kind in LOADS if args.load == "all" else [args.load]:
        load = Load("thread" if kind == "agent+thread" else kind)
        load.start()
        start, before = time.monotonic(), load.decoded.value
        try:
            results[kind] = summary(measure_agent(args.presses) if "agent" in kind
                                    else asyncio.run(measure(args.presses)))
        finally:
            load.stop()
        rate = (load.decoded.value - before) / (time.monotonic() - start)
        for way, figures in results[kind].items():
            print(f"{kind:12} {way:20} {figures['p50']:7.1f} {figures['p95']:7.1f} "
                  f"{figures['p99']:7.1f} {figures['max']:7.1f}")
        if kind != "agent":
            print(f"{'':12} ({rate:.1f} clips recognised a second alongside)")
    if args.json:
        args.json.write_text(json.dumps({"limit_ms": LIMIT_MS, "loadavg": os.getloadavg(),
                                         "results": results}, indent=1, ensure_ascii=False))
    worst = max(r[way]["p99"] for r in results.values() for way in LIMITED if way in r)
    print(f"worst p99 {worst:.1f} ms, limit {LIMIT_MS:.0f} ms")
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    raise SystemExit(main())

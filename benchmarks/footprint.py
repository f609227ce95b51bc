"""How much memory the whole agent takes, and how much of a core while it waits for its word.

    .venv/bin/python benchmarks/footprint.py [--seconds 60] [--json FILE]

Each figure comes from a process of its own, without Piper:

- at rest: resident memory (VmRSS) once the agent listens, in an emulated room in real time;
- peak: the highest resident memory (VmHWM) while it holds each shipped scene, and the highest sum
  with the speech synthesiser that it started;
- idle: processor time by the wall clock while it listens for the wake word in real time, in a
  silent room, in a kitchen, and as `voice-agent run` on a sound server (where PulseAudio and
  ALSA's plugin for it are installed). The emulated room's own share is measured alone.

What waking up costs differs more between machines than what is done when awake: caches are cold,
and a virtual machine is charged for what its host does meanwhile. So there are controls: a small
fixed job every 80 ms, by rights (its time in a row) and as charged; the same room with nobody in
it; a microphone stream with an empty callback; and the agent fed without waiting. The machine's
load is noted.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.emulate.room import Room

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SETTLE = 3.0
"""Seconds after the start that belong to starting."""


@dataclass
class Figure:
    """One line of the table."""

    name: str
    value: float
    unit: str
    goal: float | None = None
    load: float = 0.0
    """Mean number of runnable processes of the machine in the last minute, this one included."""

    @property
    def verdict(self) -> str:
        """Whether the goal is met."""
        return "" if self.goal is None else ("ok" if self.value <= self.goal else "MISSED")


def memory(pid: int | str = "self") -> dict[str, float]:
    """Resident memory now and at its highest, megabytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    table = dict(line.split(":", 1) for line in lines if line.startswith(("VmRSS", "VmHWM")))
    return {key: int(value.split()[0]) / 1000 for key, value in table.items()}


def children_memory() -> float:
    """Resident memory of the processes that this one started, megabytes."""
    total, own = 0.0, Path("/proc/self/exe").readlink()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # threads and children come and go
            for child in (task / "children").read_text().split():
                # Between fork and exec a child shows this process's own pages.
                if Path(f"/proc/{child}/exe").readlink() != own:
                    total += memory(child).get("VmRSS", 0.0)
    return total


async def agent_alone(noise: str, ready: asyncio.Event) -> None:
    """An agent in an emulated room in real time, for as long as nobody cancels it."""
    from dataclasses import replace

    from agent.app import Devices, build
    from agent.audio.files import read
    from agent.config import Config
    from agent.emulate.room import Room
    from agent.events import EventBus
    from agent.worker import Workload

    config = Config()
    sound = read(ROOT / noise) if noise else None
    room = Room(noise=sound, block=config.audio.input_block)
    with tempfile.TemporaryDirectory() as folder:
        config = replace(config, store=replace(config.store, directory=Path(folder)))
        agent = await build(config, Devices(room, room.speaker), EventBus(), Workload(),
                            lambda line: None)
        ready.set()
        await agent.run()


async def begun_fast() -> tuple[Room, asyncio.Task[None]]:
    """An agent that listens in a silent room as fast as it can, without a store."""
    from dataclasses import replace

    from agent.app import Devices, build
    from agent.config import Config
    from agent.emulate.room import Room
    from agent.events import EventBus
    from agent.worker import Workload

    config, workload = Config(), Workload()
    config = replace(config, store=replace(config.store, enabled=False))
    room = Room(workload=workload)
    agent = await build(config, Devices(room, room.speaker), EventBus(), workload,
                        lambda line: None)
    return room, asyncio.create_task(agent.run())


async def room_alone(noise: str, ready: asyncio.Event) -> None:
    """The same room, with nobody in it."""
    from agent.audio.files import read
    from agent.config import Config
    from agent.emulate.room import Room

    room = Room(noise=read(ROOT / noise) if noise else None, block=Config().audio.input_block)
    ready.set()
    while await room.read() is not None:
        pass


def measure_idle(kind: str, noise: str, seconds: float) -> None:
    """In a child: print the share of a core, and the memory at rest."""

    async def main() -> tuple[float, dict[str, float]]:
        ready = asyncio.Event()
        task = asyncio.create_task(agent_alone(noise, ready) if kind == "idle"
                                   else room_alone(noise, ready))
        await ready.wait()
        await asyncio.sleep(SETTLE)
        begun, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        share = (time.process_time() - begun) / (time.perf_counter() - wall)
        found = memory()
        task.cancel()
        await asyncio.wait([task])
        return share, found

    share, found = asyncio.run(main())
    print(json.dumps({"percent": 100 * share, **found}))


def measure_control(seconds: float) -> None:
    """In a child: a small fixed job every 80 ms; print its share by rights, and as charged."""

    def job() -> int:
        return sum(number & 7 for number in range(10_000))

    begun = time.process_time()
    for _ in range(500):
        job()
    each = (time.process_time() - begun) / 500
    begun, wall = time.process_time(), time.perf_counter()
    rounds = 0
    while time.perf_counter() - wall < seconds:
        time.sleep(0.08)
        job()
        rounds += 1
    print(json.dumps({"by_rights": 100 * rounds * each / seconds,
                      "percent": 100 * (time.process_time() - begun) / seconds}))


def measure_warm(seconds: float) -> None:
    """In a child: print the processor time a second of quiet audio that is not waited for."""

    async def main() -> float:
        room, task = await begun_fast()
        await asyncio.sleep(SETTLE)
        frames, begun = room.now, time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - begun) / (room.now - frames)
        task.cancel()
        await asyncio.wait([task])
        return share

    print(json.dumps({"percent": 100 * asyncio.run(main())}))


def measure_scene(scene: str) -> None:
    """In a child: hold a scene, and print the highest memory."""
    from agent.emulate.runner import hold
    from agent.emulate.scene import read_scene

    highest = {"sum": 0.0}
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            highest["sum"] = max(highest["sum"], memory()["VmRSS"] + children_memory())

    threading.Thread(target=watch, daemon=True).start()
    outcome = asyncio.run(hold(read_scene(ROOT / "scenes" / scene), fast=True))
    done.set()
    print(json.dumps({"failed": list(outcome.problems), "sum": highest["sum"], **memory()}))


def in_child(*arguments: str) -> dict[str, float]:
    """Run one measurement in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--child", *arguments], check=True,
                          stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


EMPTY_STREAM = """
import sounddevice, sys, time
with sounddevice.RawInputStream(samplerate=16000, channels=1, dtype="int16", device="mic",
                                blocksize=1280, latency=0.1, callback=lambda *audio: None):
    print("Ctrl-C ends", file=sys.stderr, flush=True)
    time.sleep(3600)
"""
"""Opens the microphone as the agent does, and does nothing with what comes."""


def on_sound_server(seconds: float, *program: str) -> dict[str, float] | None:
    """Share of a core of a program that hears silence; None where that cannot be had.

    Args:
        seconds: How long it is measured.
        program: Arguments of Python; none for `voice-agent run`.
    """
    from tests.commands.sound_server import Sounds, missing

    if problem := missing():
        print(f"not measured on a sound server: {problem}", file=sys.stderr)
        return None
    with tempfile.TemporaryDirectory(prefix="va-") as folder, \
            Sounds(Path(folder)).running() as sounds:
        config = Path(folder) / "config.toml"
        config.write_text('[audio]\ninput = "mic"\noutput = "loudspeaker"\n'
                          f'[store]\ndirectory = "{folder}/state"\n')
        command = program or ("-m", "agent.cli", "run", "--config", str(config))
        with subprocess.Popen([sys.executable, *command], cwd=ROOT, env=sounds.environment,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                              text=True) as agent:
            assert agent.stderr is not None
            while "Ctrl-C ends" not in (line := agent.stderr.readline()):
                assert line, "the agent ended"
            time.sleep(SETTLE)
            before, wall = processor_seconds(agent.pid), time.perf_counter()
            time.sleep(seconds)
            share = (processor_seconds(agent.pid) - before) / (time.perf_counter() - wall)
            found = memory(agent.pid)
            agent.terminate()
    return {"percent": 100 * share, **found}


def processor_seconds(pid: int) -> float:
    """Processor time that a process has taken, all threads, seconds (to the nanosecond)."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def measure(seconds: float) -> list[Figure]:
    """Every figure."""
    figures: list[Figure] = []

    def add(name: str, value: float, unit: str, goal: float | None = None) -> None:
        figures.append(Figure(name, value, unit, goal, os.getloadavg()[0]))
        print(f"{name}: {value:.2f} {unit}", file=sys.stderr)

    control = in_child("control", "", "20")
    add("control: a small job every 80 ms, by rights", control["by_rights"], "% of a core")
    add("control: the same, as charged", control["percent"], "% of a core")
    add("agent and room, not waiting for audio", in_child("warm", "", "5")["percent"],
        "% of a core")
    kitchen = "scenes/recordings/kitchen.flac"
    for title, noise in (("silence", ""), ("kitchen noise", kitchen)):
        alone = in_child("room", noise, str(min(seconds, 20.0)))
        idle = in_child("idle", noise, str(seconds))
        if not noise:
            add("resident at rest", idle["VmRSS"], "MB", 250)
        add(f"the room alone, {title}", alone["percent"], "% of a core")
        add(f"idle in the room, {title}", idle["percent"], "% of a core")
        add(f"idle without the room's share, {title}", idle["percent"] - alone["percent"],
            "% of a core", 1.0)
    empty = on_sound_server(min(seconds, 20.0), "-c", EMPTY_STREAM)
    if empty is not None:
        add("a microphone stream with an empty callback", empty["percent"], "% of a core")
    if (run := on_sound_server(seconds)) is not None:
        add("idle, voice-agent run on a sound server", run["percent"], "% of a core", 1.0)
        add("resident at rest, voice-agent run", run["VmRSS"], "MB", 250)
    scenes = {path.name: in_child("scene", path.name)
              for path in sorted((ROOT / "scenes").glob("*.toml"))}
    for name, found in scenes.items():
        if found["failed"]:
            print(f"{name} did not come out as expected: {found['failed']}", file=sys.stderr)
    worst = max(scenes, key=lambda name: scenes[name]["VmHWM"])
    add("peak in the conversation of meg.toml", scenes["meg.toml"]["VmHWM"], "MB", 320)
    add(f"highest peak of any scene ({worst})", scenes[worst]["VmHWM"], "MB", 320)
    add("the same, its synthesiser included", max(f["sum"] for f in scenes.values()), "MB", 320)
    return figures


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="of listening, each")
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    args = parser.parse_args()
    match args.child:
        case ["scene", name]:
            return measure_scene(name)
        case ["control", _, seconds]:
            return measure_control(float(seconds))
        case ["warm", _, seconds]:
            return measure_warm(float(seconds))
        case [kind, noise, seconds]:
            return measure_idle(kind, noise, float(seconds))
    figures = measure(args.seconds)
    print(f"{'':48} {'value':>9} {'goal':>6} {'load':>5}")
    for f in figures:
        goal = "" if f.goal is None else f"{f.goal:g}"
        print(f"{f.name:48} {f.value:9.2f} {goal:>6} {f.load:5.1f} {f.unit} {f.verdict}")
    if args.json is not None:
        args.json.write_text(json.dumps([asdict(f) for f in figures], indent=1) + "\n")
    return None


if __name__ == "__main__":
    main()

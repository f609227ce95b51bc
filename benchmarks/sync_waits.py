"""Does the cloud make anybody wait? End of speech to text, with sync off, on, and in trouble.

    .venv/bin/python benchmarks/sync_waits.py [--rounds 10] [--json FILE] [SCENE.toml ...]

Holds scenes in real time with the agent itself, round by round in five ways, in a new order each
round, so that a busy machine troubles all of them alike:

- off: no sync;
- on: with a table service on this machine that answers;
- down: nothing listens where the service should be;
- slow: every answer takes 30 s;
- refusing: every answer is 403.

What counts is the wall time from the end of an utterance to the recogniser's decision, and from
the wake word to the open microphone, on the room's clock. Differences from "off" are taken pair by
pair, with a 95 % interval of their median and of their 99th percentile's (bootstrap over rounds).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402

from agent.emulate.runner import hold  # noqa: E402
from agent.emulate.scene import read_scene  # noqa: E402
from agent.events import Event, MicrophoneOpened, Recognised, WakeHeard  # noqa: E402
from agent.sync.household.file import HouseholdFile  # noqa: E402
from agent.sync.household.membership import create  # noqa: E402
from agent.sync.household.ratchet import hour_of  # noqa: E402
from agent.sync.settings import Settings  # noqa: E402

WAYS = ("off", "on", "down", "slow", "refusing")
SCENES = ("meg",)
SLOW = 30.0


class Troubled(BaseHTTPRequestHandler):
    """Answers late, or with a refusal."""

    protocol_version = "HTTP/1.1"
    slow = False

    def do_POST(self) -> None:
        """Whatever is asked."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.slow:
            time.sleep(SLOW)
        body = b'{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}'
        with suppress(OSError):  # nobody waited for it
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing is logged."""


def serve(way: str) -> None:
    """In a child: a service in trouble; prints its port."""
    Troubled.slow = way == "slow"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Troubled)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


@contextmanager
def services() -> Iterator[dict[str, str]]:
    """The address of each way's service."""
    commands = {"on": [sys.executable, "-m", "tests.sync.table_server", "--port", "0"],
                **{way: [sys.executable, __file__, "--serve", way]
                   for way in ("slow", "refusing")}}
    children = {way: subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
                for way, command in commands.items()}
    try:
        found = {"down": "http://127.0.0.1:9"}
        for way, child in children.items():
            assert child.stdout is not None
            port = re.findall(r"\d{4,5}", child.stdout.readline())[-1]
            found[way] = f"http://127.0.0.1:{port}"
        yield found
    finally:
        for child in children.values():
            child.terminate()
            child.wait()


def make_tables(settings: Settings) -> None:
    """The two tables of the template."""
    from agent.sync.cloud.setup import set_up
    for _ in set_up(settings):
        pass


def held(path: Path, settings: Settings | None, folder: Path) -> dict[str, list[float]]:
    """Waits of one scene, seconds."""
    scene = read_scene(path)
    if settings is not None:
        scene = replace(scene, settings=replace(scene.settings, sync=settings))
    events: list[Event] = []
    outcome = asyncio.run(hold(scene, fast=False, folder=folder, watch=[events.append]))
    for problem in outcome.problems:
        print(f"{path.stem}: {problem}", file=sys.stderr)
    woken = [e.at for e in events if isinstance(e, WakeHeard)]
    opened = [e.at for e in events if isinstance(e, MicrophoneOpened) and not e.follow_up]
    return {"speech to text": [e.seconds for e in events if isinstance(e, Recognised)],
            "wake to open": [b - a for a, b in zip(woken, opened, strict=False)]}


def main() -> None:
    """Measure, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scene", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", metavar="FILE", type=Path)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(args.serve)
    scenes = args.scene or [ROOT / "scenes" / f"{name}.toml" for name in SCENES]
    waits = measure(scenes, args.rounds)
    rows = [row(what, way, waits[what]) for what in waits for way in WAYS]
    print(f"{'milliseconds':16} {'cloud':9} {'n':>4} {'p50':>7} {'p99':>7}   "
          "difference from off, median")
    for r in rows:
        print(f"{r['what']:16} {r['way']:9} {r['count']:4} {r['p50']:7.1f} {r['p99']:7.1f}   "
              + (f"{r['difference']:+.1f} ({r['low']:+.1f} to {r['high']:+.1f})"
                 if "difference" in r else ""))
    if args.json is not None:
        args.json.write_text(json.dumps({"load": os.getloadavg()[0], "rows": rows}, indent=1)
                             + "\n")
    return None


def measure(scenes: list[Path], rounds: int) -> dict[str, dict[str, list[list[float]]]]:
    """Waits by what is waited for and by way; one list a round."""
    found: dict[str, dict[str, list[list[float]]]] = defaultdict(lambda: defaultdict(list))
    with services() as endpoints, tempfile.TemporaryDirectory(prefix="va-") as top:
        credentials = Path(top) / "credentials"
        credentials.write_text("[default]\naws_access_key_id = AKIDTEST\n"
                               "aws_secret_access_key = secret\n")
        credentials.chmod(0o600)
        settings = {way: Settings(enabled=True, region="local", endpoint=endpoint,
                                  credentials=credentials)
                    for way, endpoint in endpoints.items()}
        make_tables(settings["on"])
        for number in range(rounds):
            for way in random.Random(number).sample(WAYS, len(WAYS)):
                together: dict[str, list[float]] = defaultdict(list)
                for path in scenes:
                    folder = Path(tempfile.mkdtemp(dir=top))
                    HouseholdFile(folder).create(
                        create("Home", "here", hour_of(time.time_ns() // 1_000_000)))
                    for what, values in held(path, settings.get(way), folder).items():
                        together[what] += values
                for what, values in together.items():
                    found[what][way].append(values)
    return found


def row(what: str, way: str, waits: dict[str, list[list[float]]]) -> dict[str, object]:
    """Figures of one way, milliseconds."""
    values = 1000 * np.concatenate([np.array(v) for v in waits[way]])
    result: dict[str, object] = {"what": what, "way": way, "count": len(values),
                                 "p50": float(np.median(values)),
                                 "p99": float(np.quantile(values, 0.99))}
    if way != "off":
        pairs = [np.array(b[:n]) - np.array(a[:n])
                 for a, b in zip(waits["off"], waits[way], strict=True)
                 if (n := min(len(a), len(b)))]
        chance = np.random.default_rng(0)
        medians = [np.median(np.concatenate([pairs[i] for i in
                                             chance.integers(len(pairs), size=len(pairs))]))
                   for _ in range(2000)]
        low, high = np.quantile(medians, (0.025, 0.975))
        result |= {"difference": 1000 * float(np.median(np.concatenate(pairs))),
                   "low": 1000 * float(low), "high": 1000 * float(high)}
    return result


if __name__ == "__main__":
    main()

"""Microphone and loudspeaker on the real PortAudio, over a sound server of the tests' own.

The server's sink is a room: what is played into it is heard by the device ``mic``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commands.sound_server import Sounds, missing

REPOSITORY = Path(__file__).parents[2]
ROUND_TRIP = Path(__file__).with_name("portaudio_round_trip.py")
ATTEMPTS = 4
HELD_UP = 0.03
"""Seconds by which a process may come late before its timing says nothing: the machine is busy
with other things, and starves the sound server too."""


@pytest.fixture(scope="module")
def sounds() -> Iterator[Sounds]:
    if problem := missing():
        pytest.skip(problem)
    with tempfile.TemporaryDirectory(prefix="va-") as folder, \
            Sounds(Path(folder)).running() as running:
        alsa = Path(running.environment["ALSA_CONFIG_PATH"])
        server = re.search(r'pcm\.mic .*?server "(.+?)"', alsa.read_text())
        assert server is not None
        with alsa.open("a") as file:
            file.write(f'pcm.room {{ type pulse server "{server[1]}" device "sink" '
                       'hint { show on description "room" } }\n')
        running.environment["PULSE_SERVER"] = server[1]
        yield running


@pytest.fixture
def awake(sounds: Sounds) -> Iterator[None]:
    """Silence played all the time: a null sink that nobody uses sleeps two seconds at a time."""
    command = ["pacat", "-d", "sink", "--latency-msec=20", "--raw", "/dev/zero"]
    with subprocess.Popen(command, env=sounds.environment, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as pacat:
        yield
        pacat.terminate()


def round_trip(sounds: Sounds, latency: float) -> dict[str, Any]:
    done = subprocess.run([sys.executable, ROUND_TRIP, str(latency)], env=sounds.environment,
                          cwd=REPOSITORY, capture_output=True, text=True, timeout=30, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def problems(heard: dict[str, Any]) -> list[str]:
    """What is not as it should be; figures in seconds."""
    if "silent" in heard:
        return [f"nothing was heard: {heard}"]
    right = {
        "the caller had to wait": heard["call"] < 0.05,
        "the reply began late": heard["started"] < 0.3,
        "the reply was not a second long": abs(heard["length"] - 1.0) < 0.05,
        "pending was over before the sound": heard["drained_after_sound"] > -0.03,
        "pending was over long after the sound": heard["drained_after_sound"] < 0.15,
        "stopping took more than 100 ms": heard["stopped_within"] < 0.1,
        "the reference is not what sounded": heard["reference_clarity"] > 12,
        "the reference is misplaced": abs(heard["reference_error"]) < 0.03,
        "the clock counts wrongly": heard["clock_error"] < 0.001 or heard["overruns"] > 0,
        "the loudspeaker failed": not heard["fault"],
    }
    return [f"{what}: {heard}" for what, well in right.items() if not well]


@pytest.mark.usefixtures("awake")
@pytest.mark.parametrize("latency", [0.06, 0.2])
def test_what_is_played_is_heard_on_time_and_stops_on_time(sounds: Sounds,
                                                           latency: float) -> None:
    wrong: list[str] = []
    for _ in range(ATTEMPTS):
        heard = round_trip(sounds, latency)
        found = problems(heard)
        if not found:
            return
        if heard["held_up"] <= HELD_UP and not heard.get("underruns"):
            wrong += found
    if not wrong:
        pytest.skip("this machine is too busy for a test in real time")
    pytest.fail("\n".join(wrong))


def test_the_devices_are_listed(sounds: Sounds) -> None:
    done = subprocess.run([sys.executable, "-m", "agent.cli", "devices", "--json"],
                          env=sounds.environment, cwd=REPOSITORY, capture_output=True, text=True,
                          timeout=30, check=False)
    found = json.loads(done.stdout)
    microphone = next(d for d in found["inputs"] if d["name"] == "mic")
    assert 16_000 in microphone["rates"]
    assert any(d["name"] == "loudspeaker" for d in found["outputs"])
    assert done.stderr == "", "PortAudio's own messages got through"


@pytest.mark.usefixtures("awake")
def test_a_microphone_that_is_taken_away_says_so(sounds: Sounds) -> None:
    with subprocess.Popen([sys.executable, ROUND_TRIP, "unplug"], env=sounds.environment,
                          cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None
        assert listener.stdout.readline().strip() == "listening"
        sounds.unplug()
        try:
            out, _ = listener.communicate(timeout=20)
        finally:
            listener.kill()
            sounds.plug_in()
    error = json.loads(out)
    assert "(mic)" in error["what"]
    assert "plug it in again" in error["mend"]

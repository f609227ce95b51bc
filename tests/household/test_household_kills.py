"""A device whose process is killed while its keys step loses none of them."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.sync.household.file import HouseholdFile
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.membership import create
from agent.sync.household.ratchet import EPOCH_MS

HOUR = 500_000
LIFE = Life(3 * EPOCH_MS, 24 * EPOCH_MS)
STEPPER = """
import sys
from pathlib import Path
from agent.sync.household.file import HouseholdFile
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.ratchet import EPOCH_MS
folder, memory = map(Path, sys.argv[1:])
keyring = HouseholdKeyring(HouseholdFile(folder, {}), KeptKeys(memory, "boot"),
                           Life(3 * EPOCH_MS, 24 * EPOCH_MS))
hour = keyring.membership.household.chain.hour
while True:
    hour += 1
    print(keyring.epoch(hour * EPOCH_MS), flush=True)
"""


def stepped(folder: Path, memory: Path, seconds: float) -> int:
    """Let a process step for a while and kill it; the last hour that it said."""
    process = subprocess.Popen([sys.executable, "-c", STEPPER, str(folder), str(memory)],
                               stdout=subprocess.PIPE, text=True,
                               cwd=Path(__file__).resolve().parents[2])
    assert process.stdout
    said = [int(process.stdout.readline())]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    return said[-1]


@pytest.mark.parametrize("kills", [3, pytest.param(60, marks=pytest.mark.long)])
def test_kills_while_the_chain_steps(tmp_path, kills):
    folder, memory, other = (tmp_path / name for name in ("state", "memory", "other"))
    memory.mkdir(mode=0o700)
    membership = create("Elm Street", "Kitchen", HOUR)
    for place in (folder, other):
        HouseholdFile(place, {}).create(membership)
    sound = HouseholdKeyring(HouseholdFile(other, {}), KeptKeys(None, ""), LIFE)
    rng = random.Random(7)
    for _ in range(kills):
        said = stepped(folder, memory, rng.uniform(0, 0.06))
        again = HouseholdKeyring(HouseholdFile(folder, {}), KeptKeys(memory, "boot"), LIFE)
        hour = again.membership.household.chain.hour
        assert hour in (said, said + 1)
        assert again.epoch(hour * EPOCH_MS) == sound.epoch(hour * EPOCH_MS) == hour
        for back in range(24):
            if hour - back >= HOUR:
                assert again.key(hour - back, "row") == sound.key(hour - back, "row")
        for back in range(3):
            assert again.key(hour - back, "text") == sound.key(hour - back, "text")

"""A line that flips, drops, doubles and splits bytes, and what both ends make of it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from firmware_bridge.messages import Command, Result, SetState, State
from firmware_bridge.session import Done, Joined, Report


@dataclass
class Noise:
    """Damages what goes through it; each rate is a probability a byte."""

    rng: random.Random
    flip: float = 0.0
    drop: float = 0.0
    double: float = 0.0
    damaged: int = 0

    def through(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            chance = self.rng.random()
            if chance < self.flip:
                out.append(byte ^ 1 << self.rng.randrange(8))
            elif chance < self.flip + self.double:
                out += bytes((byte, byte))
            elif chance >= self.flip + self.double + self.drop:
                out.append(byte)
                continue
            self.damaged += 1
        return bytes(out)

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Damaged, and split anywhere."""
        data = self.through(data)
        while data:
            size = self.rng.randrange(1, 24)
            yield data[:size]
            data = data[size:]


@dataclass
class Teller:
    """A host that commands a state, then the next one, all of them different."""

    sent: list[SetState] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    """Indices into ``sent``."""
    joined: int = 0
    limit: int = 1 << 60

    def next_command(self) -> Command | None:
        number = len(self.sent)
        if number >= self.limit:
            return None
        self.sent.append(SetState(State(number % 9), number // 9 % 101, number // 909 % 360))
        return self.sent[-1]

    def take(self, report: Report) -> None:
        if isinstance(report, Joined):
            self.joined += 1
        elif isinstance(report, Done):
            assert report.result is Result.DONE
            assert report.command is self.sent[-1]
            self.acknowledged.append(len(self.sent) - 1)

    def check(self, executed: Iterable[tuple[int, bytes, int]]) -> None:
        """Nothing was carried out wrongly, twice or out of order; nothing acknowledged is lost."""
        bodies = [c.frame(0).body for c in self.sent]
        done = []
        position = 0
        for kind, body, result in executed:
            assert (kind, result) == (0x10, 0)
            position = bodies.index(body, position) + 1  # raises for what was never sent
            done.append(position - 1)
        assert set(self.acknowledged) <= set(done)

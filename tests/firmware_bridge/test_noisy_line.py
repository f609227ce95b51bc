"""Host and firmware over a line that damages what goes through it."""

from __future__ import annotations

import os
import pty
import random
import select
import threading
import time
import tty
from collections.abc import Callable

import pytest
from noisy_line import Noise, Teller
from simulated_pico import MakePico, SimulatedPico

from firmware_bridge.firmware.voiceboard.board import Board
from firmware_bridge.serial_line import SerialLine
from firmware_bridge.session import Session

HUNDRED_MS = 0.1


class Recording(Board):
    """The firmware's board, remembering what it carried out."""

    def __init__(self) -> None:
        super().__init__(12, True, True)
        self.executed: list[tuple[int, bytes, int]] = []

    def execute(self, kind: int, body: bytes, now: int) -> int:
        result = super().execute(kind, body, now)
        self.executed.append((kind, body, result))
        return result


class VirtualLine:
    """Both ends in this process, and a clock that does not wait; a millisecond a step."""

    def __init__(self, rate: float, seed: int = 1) -> None:
        self.noise = Noise(random.Random(seed), rate, rate, rate)
        self.teller = Teller()
        self.board = Recording()
        self.session = Session(self.teller.take, self.teller.next_command, random.Random(seed))
        self.ms = 0
        self.bytes_to_board = 0

    def step(self) -> None:
        self.ms += 1
        now = self.ms / 1000
        self.session.tick(now)
        data = self.session.take()
        back = b""
        for piece in self.noise.pieces(data):
            back += self.board.step(self.ms, piece, False, False)
        back += self.board.step(self.ms, b"", False, False)
        for piece in self.noise.pieces(back):
            self.session.receive(piece, now)

    def run_until(self, commands: int) -> None:
        while len(self.teller.acknowledged) < commands:
            self.step()


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_no_command_is_lost_or_wrong_on_a_bad_line(rate: float) -> None:
    line = VirtualLine(rate)
    line.run_until(5_000)
    line.teller.check(line.board.executed)
    assert line.noise.damaged > 100


@pytest.mark.long
@pytest.mark.parametrize("rate", [0.0005, 0.005])
def test_no_command_of_a_hundred_thousand_is_lost_or_wrong(rate: float) -> None:
    line = VirtualLine(rate, seed=2)
    line.run_until(100_000)
    line.teller.check(line.board.executed)


@pytest.mark.parametrize("noisy_ms", [100, 900, 3_000, 7_777])
@pytest.mark.parametrize("seed", range(5))
def test_a_clean_line_works_again_within_100_ms(noisy_ms: int, seed: int) -> None:
    line = VirtualLine(0.0, seed)
    line.run_until(20)
    line.noise.flip = 0.5
    for _ in range(noisy_ms):
        line.step()
    line.noise.flip = 0.0
    clean, before = line.ms, len(line.teller.acknowledged)
    line.run_until(before + 1)
    assert line.ms - clean <= 100
    line.teller.check(line.board.executed)


def test_button_events_arrive_once_each_on_a_bad_line() -> None:
    line = VirtualLine(0.01, seed=3)
    pressed: list[object] = []
    take = line.session._report
    line.session._report = lambda report: (pressed.append(report) if hasattr(report, "kind")
                                           else take(report))
    while not line.teller.joined:
        line.step()
    line.noise.flip = line.noise.drop = 0.01
    for number in range(200):
        line.board.link.post(0x50, bytes((1 + number % 3,)), line.ms)
        for _ in range(150):
            line.step()
    kinds = [getattr(p, "kind", 0) for p in pressed]
    wanted = [1 + n % 3 for n in range(200)]
    remaining = iter(wanted)
    assert all(kind in remaining for kind in kinds), "an event came twice, or wrong"
    assert len(kinds) >= 195


class NoisyPty:
    """Joins a simulated Pico's line to another pty, through noise."""

    def __init__(self, pico: SimulatedPico, noise: Noise) -> None:
        self._noise = noise
        self._far = os.open(pico.port, os.O_RDWR | os.O_NOCTTY)
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def _carry(self) -> None:
        ends = {self._far: self._master, self._master: self._far}
        while not self._stopped.is_set():
            ready, _, _ = select.select(list(ends), [], [], 0.05)
            for end in ready:
                for piece in self._noise.pieces(os.read(end, 4096)):
                    os.write(ends[end], piece)

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        for descriptor in (self._far, self._master, self._slave):
            os.close(descriptor)


def talk(port: str, teller: Teller, until: Callable[[], bool], seconds: float) -> None:
    """Run the host's session over a real port."""
    line = SerialLine(port)
    session = Session(teller.take, teller.next_command)
    end = time.monotonic() + seconds
    try:
        while not until():
            now = time.monotonic()
            assert now < end, f"only {len(teller.acknowledged)} commands in {seconds} s"
            due = session.tick(now)
            line.write(session.take())
            select.select([line], [], [], max(0.0, min(0.05, due - now)))
            session.receive(line.read(), time.monotonic())
    finally:
        line.close()


def over_a_pty(make_pico: MakePico, frames: int, rate: float,
               seconds: float) -> None:
    pico = make_pico()
    noise = Noise(random.Random(4), rate, rate, rate)
    line = NoisyPty(pico, noise)
    teller = Teller(limit=frames)
    try:
        talk(line.port, teller, lambda: len(teller.acknowledged) >= frames * 99 // 100
             and len(teller.sent) == frames and teller.acknowledged[-1] == frames - 1, seconds)
    finally:
        line.close()
    time.sleep(0.2)
    teller.check(pico.trace.done())
    assert noise.damaged > frames / 100
    assert not pico.trace.has("watchdog")


def test_micropython_over_a_bad_pty(make_pico: MakePico) -> None:
    over_a_pty(make_pico, 1_500, 0.002, 60)


@pytest.mark.long
def test_micropython_takes_a_hundred_thousand_frames_over_a_bad_pty(make_pico: MakePico) -> None:
    over_a_pty(make_pico, 100_000, 0.0005, 3_000)


def test_micropython_is_back_within_100_ms_of_a_clean_line(make_pico: MakePico) -> None:
    pico = make_pico()
    noise = Noise(random.Random(5))
    line = NoisyPty(pico, noise)
    teller = Teller()
    cleaned: list[float] = []
    heard_after: list[float] = []

    def clean_after(seconds: float) -> None:
        noise.flip = 0.5
        time.sleep(seconds)
        cleaned.append(time.monotonic())
        noise.flip = 0.0

    def enough() -> bool:
        if len(cleaned) > len(heard_after) and len(teller.acknowledged) > count[0]:
            heard_after.append(time.monotonic() - cleaned[-1])
        return len(heard_after) == 3

    count = [0]

    def disturb() -> None:
        for seconds in (0.5, 1.7, 3.0):
            while teller.joined == 0 or len(heard_after) < len(cleaned):
                time.sleep(0.001)
            noise.flip = 0.5
            time.sleep(0.1)
            count[0] = len(teller.acknowledged)
            clean_after(seconds)

    thread = threading.Thread(target=disturb, daemon=True)
    thread.start()
    try:
        talk(line.port, teller, enough, 30)
    finally:
        line.close()
    assert max(heard_after) <= HUNDRED_MS
    teller.check(pico.trace.done())

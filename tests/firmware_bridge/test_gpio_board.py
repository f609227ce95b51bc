"""The Raspberry Pi's own pins: gpiozero's mock pins, and an SPI bus that remembers."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from agent.config import Config
from agent.diagnosis import Finding, examine
from agent.events import (
    AgentState,
    ButtonPressed,
    Event,
    EventBus,
    Fault,
    MuteChanged,
    StateChanged,
)
from firmware_bridge import BridgeUnavailableError, gpio_board, gpio_line, open_bridge
from firmware_bridge.board_bridge import BoardBridge
from firmware_bridge.gpio_board import apa102
from firmware_bridge.gpio_line import GpioPins, gpio_opener
from firmware_bridge.settings import Settings

gpiozero = pytest.importorskip("gpiozero", reason="gpiozero is not installed (voice-agent[gpio])")

FAKE_SPIDEV = '''
import os
class SpiDev:
    max_speed_hz = 0
    def open(self, bus, device):
        self._file = open(os.environ["HOME"] + "/spi", "ab", buffering=0)
    def writebytes2(self, data):
        self._file.write(bytes(data).hex().encode() + b"\\n")
    def close(self):
        self._file.close()
'''


class Spi:
    """Remembers what was written."""

    max_speed_hz = 0
    written: list[bytes]

    def open(self, bus: int, device: int) -> None:
        assert (bus, device) == (0, 0)

    def writebytes2(self, data: bytes) -> None:
        assert self.max_speed_hz > 0
        type(self).written.append(bytes(data))

    def close(self) -> None:
        type(self).written.append(b"closed")


class SocketLine:
    """Our end of the board's socket, as ``ChildLine`` has it."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bytes:
        try:
            return self._socket.recv(4096)
        except BlockingIOError:
            return b""

    def write(self, data: bytes) -> None:
        self._socket.send(data)

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def pins(monkeypatch: pytest.MonkeyPatch) -> Iterator[gpiozero.pins.mock.MockFactory]:
    from gpiozero.pins.mock import MockFactory

    module = ModuleType("spidev")
    Spi.written = []
    module.SpiDev = Spi  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spidev", module)
    factory = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    yield factory
    factory.reset()


def lit() -> list[tuple[int, int, int]]:
    """The LEDs as last written: (red, green, blue)."""
    last = [w for w in Spi.written if w != b"closed"][-1]
    return [(last[i + 3], last[i + 2], last[i + 1]) for i in range(4, 4 + 4 * 3, 4)]


def test_the_bytes_for_three_leds_are_as_the_data_sheet_says() -> None:
    assert apa102([(1, 2, 3), (4, 5, 6), (0, 0, 0)]) == bytes.fromhex(
        "00000000" "ff030201" "ff060504" "ff000000" "0000000000")


def test_button_switch_and_lights_work_through_gpiozero_and_spidev(pins: Any) -> None:
    async def work() -> list[Event]:
        events, heard = EventBus(), []
        events.subscribe(heard.append)
        ours, theirs = socket.socketpair()
        thread = threading.Thread(target=gpio_board.serve, args=(
            3, 17, 22, True, theirs.fileno(), theirs.fileno()))
        thread.start()
        bridge = BoardBridge(lambda: SocketLine(ours), events, lambda: 0.0)
        await bridge.start()
        await asyncio.sleep(0.3)
        events.publish(StateChanged(0.0, AgentState.LISTENING))
        await asyncio.sleep(0.1)
        assert (0, 72, 72) in lit()
        pins.pin(17).drive_low()
        await asyncio.sleep(0.1)
        pins.pin(17).drive_high()
        pins.pin(22).drive_low()
        await asyncio.sleep(0.5)  # long enough to reproach the host that it still listens
        assert lit() == [(72, 0, 0)] * 3
        pins.pin(22).drive_high()
        await asyncio.sleep(0.2)
        await bridge.stop()
        thread.join(2)
        assert not thread.is_alive()
        theirs.close()
        return heard

    heard = asyncio.run(work())
    assert [type(e) for e in heard if not isinstance(e, StateChanged)] == [
        ButtonPressed, MuteChanged, Fault, MuteChanged]
    assert lit() == [(0, 0, 0)] * 3  # dark after the goodbye
    assert Spi.written[-1] == b"closed"


def test_doctor_tells_what_the_pins_need(monkeypatch: pytest.MonkeyPatch,
                                         tmp_path: Path) -> None:
    config = Config(bridge=Settings(kind="gpio"))

    def finding() -> Finding:
        return next(f for f in examine(config) if f.subject == "board")

    monkeypatch.setattr("firmware_bridge.gpio_line._NEEDED", ("no_such_module",))
    assert finding().level == "problem"
    assert "apt install python3-gpiozero python3-spidev python3-lgpio" in finding().mend
    monkeypatch.setattr("firmware_bridge.gpio_line._NEEDED", ("json",))
    monkeypatch.setattr("agent.diagnosis.SPI", str(tmp_path / "spidev0.0"))
    assert finding().level == "problem"
    assert "do_spi 0" in finding().mend
    (tmp_path / "spidev0.0").touch()
    assert finding().level == "ok"


def test_an_agent_that_dies_leaves_an_error_on_the_leds(pins: Any) -> None:
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=gpio_board.serve, args=(
        3, 17, -1, False, theirs.fileno(), theirs.fileno()))
    thread.start()

    async def work() -> None:
        events = EventBus()
        bridge = BoardBridge(lambda: SocketLine(ours), events, lambda: 0.0)
        await bridge.start()
        await asyncio.sleep(0.2)
        assert bridge.status.connected
        assert not bridge.status.has_switch
        ours.shutdown(socket.SHUT_RDWR)  # what the kernel does for a killed process
        await asyncio.sleep(0.1)

    asyncio.run(work())
    thread.join(2)
    theirs.close()
    assert (72, 28, 0) in lit()
    assert Spi.written[-1] == b"closed"


def test_the_pins_are_served_by_a_process_of_their_own(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spidev.py").write_text(FAKE_SPIDEV)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setenv("DATABASE_KEY_FOR_TEST", "secret")

    async def work() -> None:
        events = EventBus()
        bridge = BoardBridge(gpio_opener(GpioPins(leds=4), sys.executable), events, lambda: 0.0)
        await bridge.start()
        end = time.monotonic() + 8
        while not bridge.status.connected:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        assert bridge.status.leds == 4
        child = bridge._line._process  # type: ignore[union-attr]
        environment = Path(f"/proc/{child.pid}/environ").read_bytes()
        assert b"DATABASE_KEY_FOR_TEST" not in environment
        child.kill()  # the bridge starts another
        await asyncio.sleep(0.1)
        while not bridge.status.connected:
            assert time.monotonic() < end
            await asyncio.sleep(0.01)
        second = bridge._line._process  # type: ignore[union-attr]
        await bridge.stop()
        assert second.poll() is not None

    asyncio.run(work())
    assert (tmp_path / "spi").read_text().splitlines()[-1] == apa102([(0, 0, 0)] * 4).hex()


def test_a_python_without_the_libraries_is_named_with_what_to_install(
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpio_line.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(gpio_line, "_SYSTEM_PYTHON", os.devnull)
    with pytest.raises(BridgeUnavailableError, match="apt install python3-gpiozero"):
        open_bridge(Settings(kind="gpio"), EventBus(), lambda: 0.0)

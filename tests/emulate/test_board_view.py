"""``voice-agent emulate --board``: the emulated board in a terminal, and in lines without one."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT / "scenes" / "recordings"
COMMAND = [sys.executable, "-m", "agent.cli", "emulate", "--board"]


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


def scene(folder: Path, *steps: str, expect: str) -> Path:
    path = folder / "scene.toml"
    path.write_text('title = "Board"\n' + "".join(f"[[step]]\n{step}\n" for step in steps)
                    + f"[expect]\n{expect}\n")
    return path


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, command: list[str]) -> None:
        self._master, slave = pty.openpty()
        env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "50"}
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env,
                                        cwd=ROOT, start_new_session=True)
        os.close(slave)
        self.shown = ""

    def type(self, keys: str) -> None:
        time.sleep(0.5)  # the scene sees a state only if it lasts for a block of audio
        os.write(self._master, keys.encode())

    def until(self, text: str, within: float = 60.0) -> None:
        """Read until the text was shown, after what was read before."""
        end, read = time.monotonic() + within, ""
        while text not in read:
            assert time.monotonic() < end, f"{text!r} was not shown: {read[-2000:]}"
            if select.select([self._master], [], [], 0.1)[0]:
                try:
                    data = os.read(self._master, 65536)
                except OSError:  # the command has ended
                    raise AssertionError(f"{text!r} was not shown: {read[-2000:]}") from None
                read += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", data.decode(errors="replace"))
        self.shown += read

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


def test_keys_of_the_board_reach_the_agent(tmp_path: Path) -> None:
    path = scene(tmp_path, 'until = "muted"\nwithin = 60', 'until = "idle"\nwithin = 30',
                 'until = "listening"\nwithin = 30', 'until = "idle"\nwithin = 5',
                 expect='events = ["MuteChanged", "MuteChanged", "ButtonPressed", '
                        '"WakeHeard", "ButtonPressed"]')
    terminal = Terminal([*COMMAND, str(path)])
    try:
        terminal.until("mute switch off")
        terminal.until("light       idle")
        assert "○" in terminal.shown
        terminal.type("m")
        terminal.until("on, by the switch")
        terminal.until("mute switch ON")
        terminal.type("m")
        terminal.until("mute        off")
        terminal.type("l")
        terminal.until("light       listening")
        terminal.until("button      long")
        terminal.until("understood: nothing")
        assert terminal.process.wait(10) == 0, terminal.shown[-3000:]
    finally:
        terminal.close()


def test_without_a_terminal_what_the_board_shows_is_told_in_lines(tmp_path: Path) -> None:
    path = scene(tmp_path, "pause = 0.5", f'play = "{RECORDINGS / "call-meg.flac"}"',
                 'until = "follow-up"', "pause = 0.5", expect='directives = ["ExpectSpeech"]')
    done = subprocess.run([*COMMAND, str(path)], cwd=ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^ +board +(.*)$", done.stdout, re.MULTILINE)
    assert told[:1] in (["faint amber: waiting for the agent"], ["dark: idle"])
    for shown in ("blue: listening", "green: speaking", "every second blue: answer now"):
        assert shown in told
    assert "\x1b" not in done.stdout

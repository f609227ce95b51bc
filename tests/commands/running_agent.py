"""``voice-agent run`` as a process whose events are followed in its log."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PATIENCE = 60.0
"""Seconds after which an event that does not come has failed; a busy machine starts slowly."""


class RunningAgent:
    """The process, without a terminal, as a service manager starts it.

    Args:
        config: Its settings file; ``log.level`` must be ``debug``.
        environment: Of the sound server.
        arguments: Further ones of ``voice-agent run``.
        stdin: A pipe, for ``--stdin``.
    """

    def __init__(self, config: Path, environment: dict[str, str], *arguments: str,
                 stdin: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agent.cli", "run", "--config", str(config), *arguments],
            env=environment, stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=False,
            cwd=Path(__file__).parents[2])
        self._lines: list[str] = []
        self._read = 0
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._follow, daemon=True)
        self._reader.start()

    def await_line(self, *texts: str) -> str:
        """Wait for a line with one of the texts after those waited for before."""
        until = time.monotonic() + PATIENCE
        with self._more:
            while True:
                while self._read < len(self._lines):
                    line = self._lines[self._read]
                    self._read += 1
                    if any(text in line for text in texts):
                        return line
                if self._process.poll() is not None or not self._more.wait(0.2):
                    assert self._process.poll() is None, f"it ended: {self.output}"
                    assert time.monotonic() < until, f"no {texts} in {self.output}"

    def write(self, pcm: bytes) -> None:
        """Put audio on its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(pcm)
        self._process.stdin.flush()

    def end_of_input(self) -> int:
        """Close its standard input; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._ended(PATIENCE)

    def stop(self, signal: int) -> tuple[int, float]:
        """Send a signal; the exit code, and the seconds until then."""
        begun = time.monotonic()
        self._process.send_signal(signal)
        return self._ended(10), time.monotonic() - begun

    @property
    def output(self) -> str:
        """All that it wrote to standard error and output."""
        return "\n".join(self._lines)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()

    def _ended(self, seconds: float) -> int:
        code = self._process.wait(seconds)
        self._reader.join(5)
        assert self._process.stdout is not None
        self._lines += self._process.stdout.read().decode().splitlines()
        return code

    def _follow(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._more:
                self._lines.append(line.decode().rstrip())
                self._more.notify_all()


def contains_any(text: str, words: Sequence[str]) -> list[str]:
    """Which of the words are in the text, in any case."""
    return [word for word in words if word.lower() in text.lower()]

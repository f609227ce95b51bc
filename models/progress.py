"""How a long fetch shows that it goes on: bars on a terminal, single lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TextIO, TypeAlias

Advance: TypeAlias = Callable[[int], None]
"""Called with the number of bytes done so far."""


class Progress(Protocol):
    """Where a fetch reports to."""

    def line(self, text: str) -> None:
        """Say one thing."""
        ...

    def bar(self, label: str, total: int) -> AbstractContextManager[Advance, bool | None]:
        """Show a bar of ``total`` bytes while the context lasts."""
        ...


class Silent:
    """Reports nothing."""

    def line(self, text: str) -> None:
        """Drop it."""

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        """Show nothing."""
        yield lambda done: None


class Lines:
    """Plain lines on a stream, one a download: for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr

    def line(self, text: str) -> None:
        """Print it."""
        print(text, file=self._stream, flush=True)

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        """Print the label and the size once."""
        self.line(f"{label} ({megabytes(total)})")
        yield lambda done: None


class Bars(Lines):
    """Moving bars on a terminal, by ``rich``."""

    @contextmanager
    def bar(self, label: str, total: int) -> Iterator[Advance]:
        """Show a bar with the amount, the rate and the time left."""
        from rich import progress
        from rich.console import Console

        columns = (progress.TextColumn("{task.description}"), progress.BarColumn(),
                   progress.DownloadColumn(), progress.TransferSpeedColumn(),
                   progress.TimeRemainingColumn())
        with progress.Progress(*columns, console=Console(file=self._stream)) as shown:
            task = shown.add_task(label, total=total)
            yield lambda done: shown.update(task, completed=done)


def for_terminal() -> Progress:
    """Bars where standard error is a terminal and ``rich`` is installed, else lines."""
    if not sys.stderr.isatty():
        return Lines()
    try:
        import rich.progress  # noqa: F401
    except ImportError:
        return Lines()
    return Bars()


def megabytes(size: int) -> str:
    """A number of bytes for people, in decimal megabytes."""
    return f"{size / 1e6:.1f} MB"

"""Makes this folder's helpers importable, and brings simulated boards or a reason to skip."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

import fetch_micropython
from simulated_pico import SimulatedPico


@pytest.fixture
def make_pico() -> Iterator[Callable[..., SimulatedPico]]:
    """Starts the firmware under real MicroPython; skips where there is none."""
    try:
        fetch_micropython.command()
    except fetch_micropython.UnavailableError as error:
        pytest.skip(str(error))
    with ExitStack() as stack:
        def make(**how: Any) -> SimulatedPico:
            return stack.enter_context(SimulatedPico(**how))

        yield make

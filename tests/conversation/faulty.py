"""The agent in an emulated room, with parts that fail when told to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import agent.app
from agent.emulate.runner import Outcome, hold
from agent.emulate.scene import read_scene

RECORDINGS = Path(__file__).parents[2] / "scenes" / "recordings"
SECRET = "meg bauer"
"""What every failure says, and no fault may repeat."""


class Failing:
    """Fails at the calls of one method of an object, the first so many times.

    Args:
        inner: The object.
        method: Its method; those of what ``start`` returns are meant too.
        times: Calls that fail.
        error: What is raised.
    """

    def __init__(self, inner: Any, method: str, times: list[int],
                 error: type[Exception] = ValueError) -> None:
        self._inner, self._method, self._times, self._error = inner, method, times, error

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if not callable(value):
            return value

        def call(*args: Any, **kwargs: Any) -> Any:
            if name == self._method and self._times[0] > 0:
                self._times[0] -= 1
                raise self._error(SECRET)
            result = value(*args, **kwargs)
            return (Failing(result, self._method, self._times, self._error) if name == "start"
                    else result)

        return call


def with_failing(monkeypatch: pytest.MonkeyPatch, opener: str, method: str, times: int,
                 error: type[Exception] = ValueError) -> None:
    """Have what ``agent.app`` opens with ``opener`` fail at ``method``."""
    real: Callable[..., Any] = getattr(agent.app, opener)
    left = [times]
    monkeypatch.setattr(agent.app, opener,
                        lambda *args, **kwargs: Failing(real(*args, **kwargs), method, left,
                                                        error))


def held(folder: Path, *steps: str) -> Outcome:
    """What comes of a scene with these steps; a recording is named without its ending."""
    lines = ['title = "Test"', "[settings.commands]", 'call = ["true"]']
    for step in steps:
        lines += ["[[step]]", step if "=" in step else f'play = "{RECORDINGS / step}.flac"']
    scene = folder / "scene.toml"
    scene.write_text("\n".join(lines))
    return asyncio.run(hold(read_scene(scene), fast=True))

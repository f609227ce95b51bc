"""The scene file: what is said in a room, when, and what must come of it.

title = "Call Meg"

[room]
noise = "recordings/kitchen.flac"
leak_level = -10.0

[settings.dialogue]
follow_up = 5.0

[[step]]
play = "recordings/call-meg.flac"

[[step]]
until = "follow-up"
within = 10.0

[expect]
understood = ["ask Meg Jones or Meg Bauer", "call Meg Bauer"]
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent import events
from agent.config import Config
from agent.emulate.acoustics import Leak
from agent.errors import AgentError
from agent.events import AgentState
from agent.settings import Source, build, setting


@dataclass(frozen=True)
class RoomSettings:
    """The room of a scene (table ``[room]``)."""

    noise: Path | None = setting(None, "background sound, repeated; relative to the scene's file")
    noise_gain: float = setting(0.0, "dB by which that sound is raised", minimum=-60, maximum=30)
    leak_level: float | None = setting(
        -20.0, "dB of the agent's own voice at its microphone, against what it plays")
    leak_delay: float = setting(0.02, "seconds until it arrives", minimum=0, maximum=1)
    reverberation: float = setting(0.3, "seconds in which it falls by 60 dB", minimum=0, maximum=2)

    @property
    def leak(self) -> Leak | None:
        """How the agent hears itself."""
        if self.leak_level is None:
            return None
        return Leak(self.leak_level, self.leak_delay, self.reverberation)


@dataclass(frozen=True)
class Step:
    """One thing that happens; exactly one of its keys, ``within`` and ``name`` aside."""

    play: Path | None = setting(None, "say a recording, relative to the scene's file")
    pause: float | None = setting(None, "wait so many seconds", minimum=0)
    until: str | None = setting(None, "wait for a state of the agent: idle, listening, follow-up …")
    press: Literal["press", "long", "double"] | None = setting(None, "press the button")
    mute: bool | None = setting(None, "move the mute switch")
    within: float = setting(15.0, "seconds after which waiting has failed", minimum=0)
    name: str = setting("", "name of a recording, for --replace")

    @property
    def actions(self) -> list[str]:
        """The keys that say what to do."""
        keys = ("play", "pause", "until", "press", "mute")
        return [key for key in keys if getattr(self, key) is not None]


@dataclass(frozen=True)
class Expected:
    """What must have happened when the scene is over (table ``[expect]``)."""

    understood: tuple[str, ...] | None = setting(
        None, "what the dialogue understood, turn by turn, exactly")
    directives: tuple[str, ...] = setting((), "directives that are issued in this order, among "
                                              "others")
    events: tuple[str, ...] = setting((), "events that happen in this order, among others")
    never: tuple[str, ...] = setting((), "events and directives that do not happen")


@dataclass(frozen=True)
class Scene:
    """A scene, checked."""

    title: str
    step: tuple[Step, ...]
    room: RoomSettings = RoomSettings()
    settings: Config = dataclasses.field(default_factory=Config)
    expect: Expected = Expected()


def read_scene(path: Path, replacements: dict[str, Path] | None = None) -> Scene:
    """Read and check a scene; paths in it become absolute.

    Args:
        path: The scene's TOML file.
        replacements: Recordings to use in place of the named steps' own.

    Raises:
        AgentError: The file is missing or no scene; names the line and the key.
    """
    try:
        text = path.read_text(encoding="utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise AgentError(f"cannot read scene {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise AgentError(f"scene {path}: not valid TOML: {error}") from error
    source = Source(path, text)
    scene = build(Scene, _settings_relative_to(table, path.parent), source)
    _check_names(scene.expect, source)
    steps = tuple(_resolve(step, number, path, replacements or {})
                  for number, step in enumerate(scene.step, 1))
    _check_replaced(scene, replacements or {}, path)
    noise = scene.room.noise and _existing(path.parent / scene.room.noise, "room.noise", path)
    return dataclasses.replace(scene, step=steps,
                               room=dataclasses.replace(scene.room, noise=noise))


def _settings_relative_to(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Make the catalogue files that a scene names relative to it."""
    dialogue = table.get("settings", {})
    dialogue = dialogue.get("dialogue", {}) if isinstance(dialogue, dict) else {}
    if isinstance(dialogue, dict):
        for key in ("contacts", "devices", "places"):
            if isinstance(dialogue.get(key), str):
                dialogue[key] = str(folder / dialogue[key])
    return table


def _resolve(step: Step, number: int, path: Path, replacements: dict[str, Path]) -> Step:
    if len(step.actions) != 1:
        found = " and ".join(step.actions) or "nothing"
        raise AgentError(f"scene {path}: step {number} says {found}",
                         "a step has exactly one of play, pause, until, press, mute")
    if step.until is not None and step.until not in tuple(AgentState):
        raise AgentError(f"scene {path}: step {number}: until: no state {step.until!r}",
                         f"one of {', '.join(AgentState)}")
    if step.play is None:
        return step
    clip = replacements.get(step.name) if step.name else None
    clip = clip or path.parent / step.play
    return dataclasses.replace(step, play=_existing(clip, f"step {number}: play", path))


def _existing(file: Path, key: str, scene: Path) -> Path:
    if not file.is_file():
        raise AgentError(f"scene {scene}: {key}: there is no file {file}")
    return file


def _check_names(expect: Expected, source: Source) -> None:
    known = {name for name, kind in vars(events).items() if isinstance(kind, type)}
    for key in ("directives", "events", "never"):
        for name in getattr(expect, key):
            if name not in known:
                raise source.error(f"expect.{key}", f"no event or directive {name!r}",
                                   "agent/events.py lists them")


def _check_replaced(scene: Scene, replacements: dict[str, Path], path: Path) -> None:
    names = {step.name for step in scene.step if step.play is not None and step.name}
    for name in replacements.keys() - names:
        raise AgentError(f"scene {path}: no recording is named {name!r}",
                         f"it names {', '.join(sorted(names)) or 'none'}")

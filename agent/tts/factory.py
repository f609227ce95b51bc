"""Choosing the synthesiser that the settings ask for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from agent.errors import AgentError
from agent.tts import Synthesiser
from agent.tts.espeak import Espeak
from agent.tts.flite import Flite
from agent.tts.piper import Piper
from agent.tts.settings import Settings
from agent.tts.silent import Silent


def open_synthesiser(settings: Settings) -> Synthesiser:
    """The synthesiser that ``settings`` name.

    Raises:
        AgentError: It is not installed; says how to install it.
    """
    engine = choose() if settings.engine == "auto" else settings.engine
    match engine:
        case "flite":
            _require("flite", "flite")
            _check_flite_voice(settings.voice)
            return Flite(settings.voice, settings.rate, settings.volume)
        case "espeak":
            _require("espeak-ng", "espeak-ng")
            _check_espeak_voice(settings.voice)
            return Espeak(settings.voice, settings.rate, settings.volume)
        case "piper":
            return Piper(Path(settings.voice).expanduser(), settings.rate, settings.volume)
        case _:
            return Silent(settings.rate)


def choose() -> str:
    """The lightest synthesiser that is installed: flite, else espeak-ng.

    Raises:
        AgentError: Neither is.
    """
    for program, engine in (("flite", "flite"), ("espeak-ng", "espeak")):
        if shutil.which(program):
            return engine
    raise AgentError("no speech synthesiser is installed",
                     "install one: sudo apt install flite, or set tts.engine to silent")


def _require(program: str, package: str) -> None:
    if shutil.which(program) is None:
        raise AgentError(f"{program} is not installed", f"install it: sudo apt install {package}")


def _check_flite_voice(voice: str) -> None:
    """Refuse an unknown voice: flite itself takes another one without a word."""
    if not voice or "/" in voice:
        return
    listed = subprocess.run(["flite", "-lv"], capture_output=True, text=True, check=False).stdout
    known = listed.partition(":")[2].split()
    if voice not in known:
        raise AgentError(f"flite has no voice {voice!r}",
                         f"set tts.voice to one of {', '.join(known)}, or to a .flitevox file")


def _check_espeak_voice(voice: str) -> None:
    """Refuse an unknown voice: espeak-ng itself takes another one and exits with success."""
    if not voice:
        return
    listed = subprocess.run(["espeak-ng", "--voices"], capture_output=True, text=True, check=False)
    known: set[str] = set()
    for row in listed.stdout.splitlines()[1:]:
        _, language, _, name, file, *_ = row.split()
        known |= {language.lower(), name.lower(), file.lower(), file.rpartition("/")[2].lower()}
    if voice.partition("+")[0].lower() not in known:
        raise AgentError(f"espeak-ng has no voice {voice!r}",
                         "espeak-ng --voices=en lists them; set tts.voice to one")

"""Chooses the recogniser that the settings and the installed models call for, and opens it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.asr import Recogniser
from agent.asr.settings import Settings
from agent.biasing.settings import Settings as BiasSettings
from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.asr.vosk.grammar import Speller

Locate = Callable[[str], Path]
"""Gives the folder of an installed model by its catalogue name, or raises. The error's ``what``
and ``mend``, where it has them, are passed on."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which engine will be used, and why."""

    engine: str
    """``vosk`` or ``moonshine``."""
    model: str
    """Catalogue name of its model."""
    folder: Path
    reason: str
    """For people, one line."""


def choose(settings: Settings, locate: Locate) -> Choice:
    """The engine to use.

    Raises:
        AgentError: Its model is not installed; names it and how to fetch it.
    """
    if settings.engine == "auto":
        try:
            folder = locate(settings.vosk_model)
        except Exception:
            folder = _find(settings.moonshine_model, locate)
            return Choice("moonshine", settings.moonshine_model, folder,
                          f"moonshine stands in: the model {settings.vosk_model} is not installed")
        return Choice("vosk", settings.vosk_model, folder,
                      f"vosk: its model {settings.vosk_model} is installed")
    model = settings.vosk_model if settings.engine == "vosk" else settings.moonshine_model
    return Choice(settings.engine, model, _find(model, locate),
                  f"{settings.engine}: chosen in the settings")


def open_recogniser(settings: Settings, locate: Locate, speller: Speller | None = None,
                    bias: BiasSettings | None = None) -> Recogniser:
    """Load the recogniser that ``choose`` names; takes up to some seconds.

    Args:
        settings: Engine and its options.
        locate: Finds installed models.
        speller: For Vosk: spells phrases in words that its model knows.
        bias: What context may cost.

    Raises:
        AgentError: The model is not installed or damaged; names it and how to fetch it.
    """
    return open_choice(choose(settings, locate), settings, speller, bias)


def open_choice(choice: Choice, settings: Settings, speller: Speller | None = None,
                bias: BiasSettings | None = None) -> Recogniser:
    """Load the recogniser of a choice already made.

    Raises:
        AgentError: The model is damaged; names it and how to fetch it.
    """
    try:
        if choice.engine == "vosk":
            from agent.asr.vosk.engine import VoskRecogniser
            return VoskRecogniser(choice.folder, settings, speller, bias)
        from agent.asr.moonshine.engine import MoonshineRecogniser
        return MoonshineRecogniser(choice.folder, settings, bias)
    except AgentError as error:
        mend = error.mend or _fetch(choice.model)
        raise AgentError(f"model {choice.model}: {error.what}", mend) from error


def _find(model: str, locate: Locate) -> Path:
    try:
        return locate(model)
    except Exception as error:
        raise AgentError(str(getattr(error, "what", f"model {model} is not installed")),
                         str(getattr(error, "mend", "") or _fetch(model))) from error


def _fetch(model: str) -> str:
    return f"fetch it with: voice-agent models fetch {model}"

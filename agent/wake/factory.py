"""Opens the wake word that the settings call for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from agent.errors import AgentError
from agent.wake import WakeWord, micro, openwakeword
from agent.wake.confirm import Confirm
from agent.wake.detector import ScoredWakeWord
from agent.wake.phrase import PhraseWakeWord
from agent.wake.settings import Settings

Model = TypeVar("Model")

Locate = Callable[[str], Path]
"""Gives the folder of an installed model by its catalogue name, or raises. The error's ``what``
and ``mend``, where it has them, are passed on."""


def open_wake_word(settings: Settings, locate: Locate,
                   confirm: Confirm | None = None) -> WakeWord:
    """Load the engine for the word of the settings.

    Args:
        settings: Word, engine and the rest.
        locate: Finds installed models (only openWakeWord's are asked for).
        confirm: The recogniser's opinion (``confirm.ByRecogniser``). The phrase engine cannot do
            without; the others ask it when unsure, unless ``settings.confirm`` is off.

    Raises:
        AgentError: The engine does not know the word (the words it knows are listed), its model
            is missing or damaged, or the phrase engine has no recogniser.
    """
    word = " ".join(settings.word.lower().split())
    if not any(letter.isalpha() for letter in word):
        raise AgentError(f"wake.word: {settings.word!r} is no word", _known(locate))
    if settings.engine == "phrase":
        return _open_phrase(word, settings, confirm)
    asked = confirm if settings.confirm else None
    if settings.engine == "openwakeword":
        heads = openwakeword.models(_find(openwakeword.CATALOGUE_NAME, locate))
        head = _pick(word, settings.engine, heads, locate)
        return ScoredWakeWord(openwakeword.OpenWakeWordScorer(head),
                              openwakeword.RULE.at_sensitivity(settings.sensitivity),
                              settings.refractory, asked)
    model = _pick(word, settings.engine, micro.models(), locate)
    return ScoredWakeWord(micro.MicroScorer(model),
                          micro.rule(model).at_sensitivity(settings.sensitivity),
                          settings.refractory, asked)


def needs_recogniser(settings: Settings) -> bool:
    """Whether the wake word makes use of a recogniser."""
    return settings.confirm or settings.engine == "phrase"


def _open_phrase(word: str, settings: Settings, confirm: Confirm | None) -> WakeWord:
    if confirm is None:
        raise AgentError("the wake engine phrase listens by the recogniser, and none is installed",
                         "run ./setup_device.sh, or set engine = \"micro\" under [wake]")
    return PhraseWakeWord(word, confirm, settings.refractory, settings.sensitivity)


def _pick(word: str, engine: str, known: dict[str, Model], locate: Locate) -> Model:
    if word not in known:
        raise AgentError(f"the wake engine {engine} does not know the word {word!r}",
                         _known(locate))
    return known[word]


def _known(locate: Locate) -> str:
    """The words of every engine, for people."""
    lines = [("micro", _listed(lambda: micro.models()))]
    lines.append(("openwakeword", _listed(
        lambda: openwakeword.models(_find(openwakeword.CATALOGUE_NAME, locate)))))
    known = "; ".join(f"{engine}: {words}" for engine, words in lines)
    return f"words known to {known}; phrase: any words"


def _listed(words: Callable[[], Iterable[str]]) -> str:
    try:
        return ", ".join(words()) or "none"
    except AgentError:
        return "not installed"


def _find(model: str, locate: Locate) -> Path:
    try:
        return locate(model)
    except Exception as error:
        raise AgentError(str(getattr(error, "what", f"model {model} is not installed")),
                         str(getattr(error, "mend", "") or
                             f"fetch it with: voice-agent models fetch {model}")) from error

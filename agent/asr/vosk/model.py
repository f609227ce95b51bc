"""A Vosk model: loading it so that results repeat, and asking for its vocabulary."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.asr.vosk import vocabulary
from agent.errors import AgentError
from agent.events import SAMPLE_RATE

_CONTROL = ("<", "#", "!")
"""First characters of symbols that are no words; in a grammar some of them end the process."""


class VoskModel:
    """One loaded model. Thread-safe; recognisers share it.

    Args:
        folder: The model's folder (``am``, ``conf``, ``graph``, ``ivector``).

    Raises:
        AgentError: Vosk is not installed, or the model is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        if not (folder / "am").is_dir():
            raise AgentError(f"{folder} does not hold a Vosk model")
        try:
            import vosk
        except (ImportError, OSError) as error:
            raise AgentError(f"the recogniser Vosk cannot be loaded: {error}",
                             "run ./setup_device.sh") from error
        # Errors only: its warnings name words of the user's own catalogue.
        vosk.SetLogLevel(-2)
        self._vosk = vosk
        try:
            self._model = _load(vosk, folder)
            self.recogniser()
        except Exception as error:
            raise AgentError(f"the speech model {folder} is damaged or incomplete") from error

    def recogniser(self, grammar: Sequence[str] | None = None, rate: int = SAMPLE_RATE) -> Any:
        """A new ``KaldiRecognizer``; under a grammar when ``grammar`` is given.

        Args:
            grammar: Lines of known words (see ``knows``), at least one; a line that is there
                twice weighs twice. The language model is a bigram over them.
            rate: Samples a second that it takes the audio to have.
        """
        if grammar is None:
            return self._vosk.KaldiRecognizer(self._model, rate)
        unknown = {word for word in {word for line in set(grammar) for word in line.split()}
                   if not self.knows(word)}
        lines = [line for line in grammar
                 if line and (not unknown or unknown.isdisjoint(line.split()))]
        if not lines:
            raise ValueError("a grammar needs at least one line of known words")
        # The library does not undo JSON's escapes; known words never need any.
        text = "[" + ",".join(f'"{line}"' for line in lines) + "]"
        return self._vosk.KaldiRecognizer(self._model, rate, text)

    def knows(self, word: str) -> bool:
        """Whether a word is in the vocabulary and safe in a grammar."""
        if not word or word.startswith(_CONTROL) or set(word) & set(' "\\\0\t\n\r'):
            return False
        try:
            return bool(self._model.vosk_model_find_word(word) > 0)
        except UnicodeEncodeError:
            return False

    def words(self) -> list[str]:
        """The whole vocabulary, as far as it is safe in a grammar, read from the model's files.

        Takes up to a second: for the preparation of a bias, not for the voice path.
        """
        return [word for word in vocabulary.read(self.folder) if self.knows(word)]


def _load(vosk: Any, folder: Path) -> Any:
    """Load the model with dithering off, by way of a folder of links with its own settings.

    Dithering adds random noise to the audio, so that results would change from run to run. The
    library reads all files before it returns.
    """
    try:
        place = tempfile.TemporaryDirectory(prefix="vosk-")
    except OSError:
        return vosk.Model(str(folder))
    with place as name:
        shadow = Path(name)
        for path in folder.iterdir():
            if path.name != "conf":
                (shadow / path.name).symlink_to(path.resolve())
        (shadow / "conf").mkdir()
        for path in (folder / "conf").iterdir():
            text = path.read_text(encoding="utf-8")
            if path.name == "mfcc.conf":
                text = _without_dither(text)
            (shadow / "conf" / path.name).write_text(text, encoding="utf-8")
        return vosk.Model(name)


def _without_dither(settings: str) -> str:
    lines = [line for line in settings.splitlines() if not line.startswith("--dither")]
    return "\n".join([*lines, "--dither=0", ""])

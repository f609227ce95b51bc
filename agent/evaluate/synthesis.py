"""Speech made by whatever synthesisers are installed, for sets that no recordings exist of.

None of them supplies the pronunciations that biasing uses. Each runs as a process of its own and
is given its text on standard input or in a private file.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from agent.audio import files
from agent.errors import AgentError
from agent.events import Samples

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of a synthesiser."""

    engine: str
    """``flite``, ``festival``, ``espeak-ng``."""
    name: str

    @property
    def id(self) -> str:
        """Engine and name, fit for a file name."""
        return f"{self.engine}-{self.name}".replace("+", "_").replace("/", "_")


ENGLISH = (Voice("flite", "slt"), Voice("flite", "rms"), Voice("flite", "awb"),
           Voice("flite", "kal16"), Voice("festival", "kal_diphone"),
           Voice("espeak-ng", "en-us"), Voice("espeak-ng", "en-gb"),
           Voice("espeak-ng", "en-us+f3"))
"""Three synthesisers; American, British and Scottish voices."""
KOREAN = Voice("espeak-ng", "ko")


def installed(voices: tuple[Voice, ...] = ENGLISH) -> tuple[Voice, ...]:
    """Those voices whose synthesiser is installed."""
    programs = {"flite": "flite", "festival": "text2wave", "espeak-ng": "espeak-ng"}
    return tuple(voice for voice in voices if shutil.which(programs[voice.engine]))


def speak(text: str, voice: Voice, speed: int = 155) -> Samples:
    """Synthesise a text: ``int16[samples]`` at 16 kHz.

    Args:
        text: What to say.
        voice: Who says it.
        speed: Words a minute, where the synthesiser is espeak-ng; its own default is 175.

    Raises:
        AgentError: The synthesiser is not installed or failed.
    """
    makers: dict[str, Callable[[str, str, Path], list[str]]] = {
        "flite": lambda text, name, wav: ["flite", "-voice", name, "-t", text, "-o", str(wav)],
        "festival": lambda text, name, wav: ["text2wave", "-eval", f"(voice_{name})", "-o",
                                             str(wav)],
        "espeak-ng": lambda text, name, wav: ["espeak-ng", "-v", name, "-s", str(speed), "-w",
                                              str(wav), text],
    }
    with TemporaryDirectory() as folder:
        wav = Path(folder) / "speech.wav"
        command = makers[voice.engine](text, voice.name, wav)
        given = io.BytesIO(text.encode()).getvalue() if voice.engine == "festival" else None
        try:
            subprocess.run(command, input=given, capture_output=True, check=True,
                           timeout=_TIMEOUT)
        except FileNotFoundError as error:
            raise AgentError(f"the synthesiser {voice.engine} is not installed",
                             f"install the package {voice.engine}") from error
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise AgentError(f"the synthesiser {voice.engine} failed") from error
        return files.read(wav)

"""Speech out: the ``Synthesiser`` protocol; one engine a file."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from agent.events import Samples


class Synthesiser(Protocol):
    """Turns a reply into audio, piece by piece."""

    @property
    def name(self) -> str:
        """Engine name, as in the settings: ``flite``, ``espeak``, ``piper``, ``silent``."""
        ...

    def speak(self, text: str) -> AsyncGenerator[Samples, None]:
        """Audio of ``text`` as it is made, ``int16[samples]`` at 16 kHz.

        The first piece comes before the whole text is synthesised. Closing the iterator
        (``aclose``) stops the engine within 100 ms.

        Raises:
            AgentError: The engine is not installed or failed; names how to mend it.
        """
        ...

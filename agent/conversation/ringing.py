"""Ringing: a sound that is repeated until the timers that rang are stopped."""

from __future__ import annotations

from agent.audio import Speaker
from agent.events import Samples


class Ringer:
    """Plays a ring again and again while any timer rings.

    Args:
        speaker: Where it is played.
        sound: One ring with the pause behind it, ``int16[samples]``.
    """

    def __init__(self, speaker: Speaker, sound: Samples) -> None:
        self._speaker, self._sound = speaker, sound
        self.ringing: tuple[str, ...] = ()

    def ring(self, names: tuple[str, ...]) -> None:
        """Ring for these timers from now on; for none, fall silent."""
        if self.ringing and not names:
            self._speaker.stop()
        self.ringing = names

    def tick(self) -> None:
        """Begin the next ring when the last one is over; called with every frame while idle."""
        if self.ringing and self._speaker.pending <= 0:
            self._speaker.play(self._sound)

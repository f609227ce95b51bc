"""What goes on while the microphone is muted: time passes, and timers ring."""

from __future__ import annotations

from agent.audio.gate import GatedMicrophone
from agent.conversation.carrying_out import Hands
from agent.conversation.ears import MicrophoneLostError
from agent.errors import AgentError


class Muted:
    """Stands in for the conversation while muted.

    Args:
        gate: Its frames are dropped unseen; they only keep the clock going.
        hands: Has the timers.
    """

    def __init__(self, gate: GatedMicrophone, hands: Hands) -> None:
        self._gate, self._hands = gate, hands

    async def run(self) -> None:
        """Let timers ring until the audio ends, or until cancelled.

        Raises:
            MicrophoneLostError: The microphone went away.
        """
        try:
            while await self._gate.skip():
                self._hands.tick()
        except AgentError as error:
            raise MicrophoneLostError(error.what, error.mend) from error

"""What the board ought to show, as the agent's events say."""

from __future__ import annotations

from agent.events import AgentState, Event, MuteChanged, StateChanged
from firmware_bridge.messages import SetState, State

_STATES = {
    AgentState.IDLE: State.IDLE,
    AgentState.WAKE: State.WAKE,
    AgentState.LISTENING: State.LISTENING,
    AgentState.FOLLOW_UP: State.FOLLOW_UP,
    AgentState.THINKING: State.THINKING,
    AgentState.SPEAKING: State.SPEAKING,
    AgentState.MUTED: State.MUTED,
    AgentState.ERROR: State.ERROR,
}
_WITH_LEVEL = (State.LISTENING, State.SPEAKING)


class Shown:
    """Gathers what is to be shown, and tells which command brings a board up to date.

    Each attribute is written whole, so that any thread may change it while another reads.
    """

    def __init__(self) -> None:
        self._state = State.IDLE
        self._muted = False
        self._updating = False
        self._level: int | None = None
        self._direction: int | None = None
        self._volume: SetState | None = None
        self._sent: SetState | None = None

    def follow(self, event: Event) -> bool:
        """Take an event of the agent; True when it may change what is shown."""
        if isinstance(event, StateChanged):
            self._level = self._direction = None
            self._state = _STATES[event.state]
            return True
        if isinstance(event, MuteChanged) and not event.hardware:
            self._muted = event.muted
            return True
        return False

    def level(self, level: float, direction: float | None) -> None:
        """Take a loudness, 0 to 1, and a direction in degrees."""
        self._direction = None if direction is None else round(direction) % 360
        self._level = round(100 * min(1.0, max(0.0, level)))

    def volume(self, volume: float) -> None:
        """Take the loudspeaker's volume, 0 to 1."""
        self._volume = SetState(State.VOLUME, round(100 * min(1.0, max(0.0, volume))))

    def updating(self, on: bool) -> None:
        """Take whether the device is updating itself."""
        self._updating = on

    def forget_sent(self) -> None:
        """The board knows nothing: begin anew."""
        self._sent = None

    def next_command(self) -> SetState | None:
        """The command that is missing; it counts as sent."""
        wanted = self._wanted()
        if wanted != self._sent:
            self._sent = wanted
            return wanted
        volume, self._volume = self._volume, None
        return volume

    def _wanted(self) -> SetState:
        # That the microphone is muted matters more than anything the agent is doing.
        if self._muted:
            return SetState(State.MUTED)
        if self._updating:
            return SetState(State.UPDATING)
        if self._state in _WITH_LEVEL:
            return SetState(self._state, self._level, self._direction)
        return SetState(self._state)

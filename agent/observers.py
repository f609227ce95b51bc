"""Observers of the agent's events: the log, and the conversation in a terminal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agent.events import (
    AudioOverrun,
    DirectiveIssued,
    Event,
    EventBus,
    Fault,
    Recognised,
    Speak,
    StateChanged,
)

if TYPE_CHECKING:
    from rich.console import Console

_log = logging.getLogger("voice-agent")


class LogObserver:
    """Writes faults and lost audio to the log; what was said only where that was asked for.

    Args:
        bus: Whose events are logged.
        transcripts: Also log what was said and replied.
    """

    def __init__(self, bus: EventBus, transcripts: bool) -> None:
        self._transcripts = transcripts
        bus.subscribe(self._on_event)

    def _on_event(self, event: Event) -> None:
        match event:
            case Fault(part=part, message=message):
                _log.warning("%s: %s", part, message)
            case AudioOverrun(frames=frames, total=total):
                _log.warning("lost %d audio frames (%d since the start)", frames, total)
            case Recognised() if self._transcripts:
                _log.warning("heard: %s", event.text)
            case DirectiveIssued(directive=Speak(text=text)) if self._transcripts:
                _log.warning("replied: %s", text)
            case StateChanged(state=state):
                _log.debug("%.2f s StateChanged %s", event.at, state)
            case _:
                _log.debug("%.2f s %s", event.at, type(event).__name__)


def watch_terminal(bus: EventBus, console: Console) -> None:
    """Show the conversation in the terminal, line by line."""
    from agent.emulate.live import LiveView

    bus.subscribe(LiveView(console))

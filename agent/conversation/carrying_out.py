"""Carrying out a reply's directives in order, and the timers that ring in between."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from agent.conversation.ringing import Ringer
from agent.conversation.speaking import Voice
from agent.dialogue.handlers import Outcome
from agent.dialogue.turns import Reply
from agent.events import (
    AgentState,
    Directive,
    DirectiveIssued,
    Event,
    EventBus,
    ExpectSpeech,
    Fault,
    Speak,
    StateChanged,
)
from agent.wake import Detection
from agent.worker import Workload


class DirectiveHandlers(Protocol):
    """Does what directives ask, outside the conversation."""

    async def handle(self, directive: Directive) -> Outcome:
        """Carry out one directive; a failure is an outcome, never an exception."""
        ...

    def tick(self) -> None:
        """Let timers that are due ring."""
        ...

    def stop_ringing(self) -> bool:
        """Stop the timers that ring; whether any did."""
        ...


class Hands:
    """Issues directives one after another: speaks, or has them handled.

    Args:
        handlers: What is not speech.
        ringer: Rings for the timers.
        bus: Where directives and faults are announced.
        workload: Counts handling as outstanding work.
        now: Seconds on the agent's clock.
    """

    def __init__(self, handlers: DirectiveHandlers, ringer: Ringer, bus: EventBus,
                 workload: Workload, now: Callable[[], float]) -> None:
        self._handlers, self._ringer = handlers, ringer
        self._bus, self._workload, self._now = bus, workload, now
        self._doing: set[asyncio.Future[Outcome]] = set()

    def tick(self) -> None:
        """Let timers that are due ring; called with every frame while idle."""
        self._handlers.tick()
        self._ringer.tick()

    def stop_ringing(self) -> bool:
        """Stop the timers that ring, as the button does; whether any did."""
        return self._handlers.stop_ringing()

    async def carry_out(self, reply: Reply, voice: Voice) -> Detection | None:
        """Carry out the reply; the detection that interrupted it, if one did."""
        for directive in reply.directives:
            self._publish(DirectiveIssued(self._now(), directive))
            if isinstance(directive, Speak):
                detection = await self._say(directive.text, voice)
            elif isinstance(directive, ExpectSpeech):
                continue
            else:
                detection = await self._handle(directive, voice)
            if detection is not None:
                return detection
        return None

    async def apologise(self, text: str, voice: Voice) -> Detection | None:
        """Say that something failed; the detection that interrupted it, if one did."""
        return await self._say(text, voice)

    async def _handle(self, directive: Directive, voice: Voice) -> Detection | None:
        with self._workload.working():
            # What was begun is carried out, even when the turn is broken off meanwhile.
            doing = asyncio.ensure_future(self._handlers.handle(directive))
            self._doing.add(doing)
            doing.add_done_callback(self._doing.discard)
            outcome = await asyncio.shield(doing)
        if outcome.problem:
            self._publish(Fault(self._now(), type(directive).__name__, outcome.problem))
        return await self._say(outcome.speech, voice) if outcome.speech else None

    async def _say(self, text: str, voice: Voice) -> Detection | None:
        self._publish(StateChanged(self._now(), AgentState.SPEAKING))
        return await voice.say(text)

    def _publish(self, event: Event) -> None:
        self._bus.publish(event)

"""The turns of a conversation, from the wake word to the last follow-up."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol

from agent.asr import Prepared
from agent.conversation.carrying_out import Hands
from agent.conversation.ears import Ears, EndOfAudioError, MicrophoneLostError
from agent.conversation.handover import Handover
from agent.conversation.listening import Listener, Prepare, Utterance
from agent.conversation.memory import Memory
from agent.conversation.speaking import Voice
from agent.dialogue.turns import Heard, Reply
from agent.errors import AgentError
from agent.events import (
    AgentState,
    DialogueClosed,
    Event,
    EventBus,
    ExpectSpeech,
    Fault,
    FollowUpTimedOut,
    MicrophoneOpened,
    Samples,
    StateChanged,
    Understood,
    WakeHeard,
)
from agent.store import Interaction
from agent.wake import Detection

WORD_END = 0.1
"""Seconds by which an engine may place the end of the wake word too late: half a vowel of it
harms recognition less than a lost consonant of the command."""

BUTTON = "button"
"""The engine of a detection that is a press of the button."""

APOLOGY = "Sorry, something went wrong."
"""Said when a turn broke off because a part of the agent failed."""


class Responder(Protocol):
    """The dialogue, as far as turns need it."""

    def respond(self, heard: Heard) -> Reply:
        """Decide what to do about what was heard."""
        ...

    def timed_out(self) -> Reply:
        """Nothing was said while the microphone was open for a follow-up."""
        ...

    def close(self) -> None:
        """End the dialogue."""
        ...


class Expectations(Protocol):
    """Makes the recogniser ready for what may be said; best effort, never waited for."""

    def standing(self) -> Prepared | None:
        """What may be said after a wake word, as far as it is prepared by now.

        None for plain recognition.
        """
        ...

    def expect(self, question: ExpectSpeech, row: Awaitable[Interaction | None]) -> None:
        """Begin to prepare for the answer to ``question``, while it is being spoken.

        Args:
            question: What is asked.
            row: The turn's row, as soon as the store has written it.
        """
        ...

    async def ready(self) -> Prepared | None:
        """What has been prepared by now; None when it is late or failed."""
        ...

    def drop(self) -> None:
        """Nobody waits for an answer any more."""
        ...


@dataclass(frozen=True, slots=True)
class Sounds:
    """The soft sounds at wake and at reopening; empty when they are off."""

    wake: Samples
    reopen: Samples


class Conversation:
    """Turns, one after another, until the audio ends.

    Args:
        ears: Where sound comes from.
        listener: Turns sound into an utterance.
        dialogue: Decides.
        hands: Carries out directives.
        voice: Speaks.
        expectations: Prepares recognition for what may be said.
        memory: Keeps the turns.
        handover: Takes up questions that were left open.
        bus: Where everything is announced.
        sounds: Played at wake and at reopening.
        follow_up: Seconds the microphone stays open for an answer.
    """

    def __init__(self, ears: Ears, listener: Listener, dialogue: Responder, hands: Hands,
                 voice: Voice, expectations: Expectations, memory: Memory, handover: Handover,
                 bus: EventBus, sounds: Sounds, follow_up: float) -> None:
        self._ears, self._listener, self._dialogue = ears, listener, dialogue
        self._hands, self._voice, self._expectations = hands, voice, expectations
        self._memory, self._handover = memory, handover
        self._bus, self._sounds, self._follow_up = bus, sounds, follow_up
        self._open = False

    async def run(self, woken: Detection | None = None) -> None:
        """Hold dialogues until there is no more audio.

        Whatever else fails in a turn is told as a ``Fault`` with an apology, and ends that
        dialogue alone. Cancelling it closes the turn that is open; it may be run again.

        Args:
            woken: What begins the first one at once, such as the button; None: the wake word.

        Raises:
            MicrophoneLostError: The microphone went away.
        """
        try:
            while True:
                while woken is not None:
                    woken = await self._hold_safely(woken)
                self._state(AgentState.IDLE)
                woken = await self._until_woken()
        except EndOfAudioError:
            return
        finally:
            self._voice.hush()
            self._close()

    async def _until_woken(self) -> Detection:
        while True:
            detection = await self._ears.listen()
            self._hands.tick()
            if detection is not None:
                return detection

    async def _hold_safely(self, detection: Detection) -> Detection | None:
        """One dialogue, whatever fails in it."""
        try:
            return await self._hold(detection)
        except (EndOfAudioError, MicrophoneLostError):
            raise
        except Exception as error:
            self._fault("dialogue", error)
        self._voice.hush()
        self._close()
        try:
            return await self._hands.apologise(APOLOGY, self._voice)
        except (EndOfAudioError, MicrophoneLostError):
            raise
        except Exception as error:
            self._fault("apology", error)
            return None

    async def _hold(self, detection: Detection) -> Detection | None:
        """One dialogue; returns the detection that ended it early, if one did."""
        self._greet(detection)
        opened, after_wake = max(0.0, detection.at - WORD_END), True
        prepare = self._expectations.standing
        while True:
            utterance = await self._hear(opened, after_wake, prepare)
            if not isinstance(utterance, Utterance):
                return self._end(utterance)
            reply = self._understand(utterance, after_wake)
            row = self._memory.replied(reply)
            question = _question(reply)
            if question is not None:
                self._expectations.expect(question, row)
            if interrupted := await self._hands.carry_out(reply, self._voice):
                return self._end(interrupted)
            if reply.closed or question is None:
                return self._end(None)
            if interrupted := await self._voice.quiet():
                return self._end(interrupted)
            prepare = _always(await self._expectations.ready())
            opened, after_wake = self._ears.now, False

    def _greet(self, detection: Detection) -> None:
        self._open = True
        self._memory.opened()
        self._handover.woken()
        self._publish(WakeHeard(self._ears.now, detection.word, detection.engine,
                                detection.score))
        if detection.engine != BUTTON:  # whose lights need tell of nothing but listening
            self._state(AgentState.WAKE)
        self._voice.hush()

    async def _hear(self, opened: float, after_wake: bool,
                    prepare: Prepare) -> Utterance | Detection | None:
        self._publish(MicrophoneOpened(self._ears.now, not after_wake))
        self._state(AgentState.LISTENING if after_wake else AgentState.FOLLOW_UP)
        timeout = None if after_wake else self._follow_up
        sound = self._sounds.wake if after_wake else self._sounds.reopen
        heard = await self._listener.listen(opened, after_wake=after_wake, timeout=timeout,
                                            prepare=prepare,
                                            cue=lambda: self._voice.sound(sound))
        if heard is None and not after_wake:
            self._publish(FollowUpTimedOut(self._ears.now))
            self._dialogue.timed_out()
            self._memory.timed_out()
        return heard

    def _understand(self, utterance: Utterance, after_wake: bool) -> Reply:
        decision = utterance.decision
        self._memory.heard(decision.text)
        left_open = self._handover.settle() if after_wake else None
        # What arbitration has turned down is no second guess for the dialogue.
        others = decision.alternatives if decision.source == "context" else ()
        reply = self._dialogue.respond(Heard(decision.text, others,
                                             unsure=decision.confirm, after_wake=after_wake))
        if reply.resumed and left_open is not None:
            self._memory.resumed(left_open)
        self._publish(Understood(self._ears.now, reply.intent, reply.summary))
        return reply

    def _end(self, detection: Detection | None) -> Detection | None:
        self._close()
        return detection

    def _close(self) -> None:
        if self._open:
            self._open = False
            for close in (self._handover.settle, self._expectations.drop, self._dialogue.close,
                          self._memory.closed):
                try:
                    close()
                except Exception as error:
                    self._fault("dialogue", error)
            self._publish(DialogueClosed(self._ears.now))

    def _fault(self, part: str, error: Exception) -> None:
        """Tell of a failure by its kind alone: its message may hold what was said."""
        what = error.what if isinstance(error, AgentError) else type(error).__name__
        self._publish(Fault(self._ears.now, part, what))

    def _state(self, state: AgentState) -> None:
        self._publish(StateChanged(self._ears.now, state))

    def _publish(self, event: Event) -> None:
        self._bus.publish(event)


def _always(prepared: Prepared | None) -> Prepare:
    return lambda: prepared


def _question(reply: Reply) -> ExpectSpeech | None:
    return next((d for d in reply.directives if isinstance(d, ExpectSpeech)), None)

"""The dialogue: from what was heard to what is to be done, with the question that is pending.

Pure logic on injected clocks: no audio, no files, no threads. A turn is read in this order. While
a question is pending and the microphone was reopened for its answer: as an answer to it, as a new
command (which drops the question), as nearly an answer. After the wake word: as a command first.
Then the recogniser's further hypotheses are read likewise, with more caution.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime

from agent.dialogue import answering
from agent.dialogue.catalogue import Catalogue, Place
from agent.dialogue.lists import Lists
from agent.dialogue.settings import Settings
from agent.dialogue.skills import all_skills
from agent.dialogue.state import State
from agent.dialogue.text import canonical
from agent.dialogue.timers import Timers
from agent.dialogue.turns import Act, Heard, Reply, Skill, Turn
from agent.dialogue.understanding import Understanding
from agent.events import Directive, Display, ExpectSpeech, Speak

_LEAVE_AT_UNKNOWN = 2
_LEADS = ("no ", "sorry ", "actually ", "i meant ", "i mean ", "i said ", "and ", "then ", "ok ",
          "oh ", "well ", "now ", "yes ")


class Dialogue:
    """Answers what was heard with directives, and remembers what a follow-up needs.

    Not thread-safe: one turn at a time.

    Args:
        catalogue: The user's own names; see ``use`` for changing them.
        settings: How it behaves.
        timers: The timers, which the handlers keep; read only here.
        lists: The shopping and to-do lists, which the handlers keep; read only here.
        clock: Seconds that only ever grow, for what expires.
        now: Date and time of day.
        unconfigured: Directives that nothing is configured to carry out: their handler says so,
            and the reply does not announce what will not happen.
    """

    def __init__(self, catalogue: Catalogue, settings: Settings | None = None, *,
                 timers: Timers | None = None, lists: Lists | None = None,
                 clock: Callable[[], float] = time.monotonic,
                 now: Callable[[], datetime] = datetime.now,
                 unconfigured: Iterable[type[Directive]] = ()) -> None:
        self._settings = settings or Settings()
        self._clock, self._now = clock, now
        self._timers, self._lists = timers or Timers(clock), lists or Lists()
        self._unconfigured = tuple(unconfigured)
        self._skills: dict[str, Skill] = {
            intent: skill for skill in all_skills() for intent in skill.intents}
        self.state = State()
        self.use(catalogue)

    def use(self, catalogue: Catalogue) -> None:
        """Go on with other names; the pending question stays."""
        self._catalogue = catalogue
        self._understanding = Understanding(catalogue)

    def warm(self) -> None:
        """Do the slow part of the first turn now."""
        self._understanding.warm()

    def respond(self, heard: Heard) -> Reply:
        """Decide what to do about what was heard; never raises on any text."""
        at = self._clock()
        self.state.forget(at)
        turn = Turn(heard, self._catalogue, self.state, self._settings, self._timers, self._lists,
                    at, self._now())
        act = self._decide(turn)
        resumed = act is not None and self.state.resumed
        if act is None:
            act = self._not_understood()
        else:
            self.state.misses = 0
        return self._reply(act, turn, resumed)

    def timed_out(self) -> Reply:
        """Nothing was said while the microphone was open for a follow-up."""
        self.state.close()
        return Reply((), "TimedOut", "no answer")

    def close(self) -> None:
        """End the dialogue; lists shown and places told may still be referred to."""
        self.state.close()

    @property
    def carried(self) -> tuple[str, ...]:
        """Names of the places told and the items shown that may still be referred to."""
        self.state.forget(self._clock())
        shown = self.state.screen.options if self.state.screen else ()
        return tuple(dict.fromkeys([place.name for place in self.state.told]
                                   + [option.text for option in shown]))

    def recall(self, places: Iterable[str]) -> None:
        """Take places told in an earlier dialogue as told now, where the catalogue has them."""
        told: list[Place] = []
        for name in places:
            told += self._catalogue.places.named(name)
        if told:
            self.state.told = (*told, *self.state.told)
            self.state.told_until = self._clock() + self._settings.carry_over

    def _decide(self, turn: Turn) -> Act | None:
        for text, reading in _readings(turn):
            if act := self._read(text, reading):
                return act
        if self.state.resumed:
            self.state.close()  # What is hardly an answer is none to a question of minutes ago.
        question = self.state.question
        if question is None:
            return answering.mended(turn.heard.text, turn)
        return answering.nearly(turn.heard.text, question, turn)

    def _read(self, text: str, turn: Turn) -> Act | None:
        question = self.state.question
        if question is None:
            return self._command(text, turn) or answering.on_screen(text, turn)
        if turn.heard.after_wake:
            if command := self._command(text, turn):
                self.state.resumed = False
                return command
            return answering.answer(text, question, turn)
        if answering.repeats(text, question):
            return None
        return (answering.answer(text, question, turn) or self._command(text, turn)
                or answering.on_screen(text, turn))

    def _command(self, text: str, turn: Turn) -> Act | None:
        intent = self._understanding.command(text)
        if intent is None or intent.name not in self._skills:
            return self._corrected(text, turn)
        return self._skills[intent.name].handle(intent, turn)

    def _corrected(self, text: str, turn: Turn) -> Act | None:
        """A command behind words of correction: "no, I meant call Tom"."""
        said = stripped = canonical(text)
        while lead := next((lead for lead in _LEADS if stripped.startswith(lead)), ""):
            stripped = stripped.removeprefix(lead)
        return self._command(stripped, turn) if stripped != said else None

    def _not_understood(self) -> Act:
        question, self.state.misses = self.state.question, self.state.misses + 1
        if self.state.misses >= _LEAVE_AT_UNKNOWN:
            return Act("Unknown", "not understood", "Sorry, I did not understand that.")
        if question is None:
            return Act("Unknown", "not understood", "Sorry, what was that?",
                       question=answering.OPEN)
        return Act("Unknown", "not understood", f"Sorry. {question.prompt}", question=question)

    def _reply(self, act: Act, turn: Turn, resumed: bool) -> Reply:
        self._remember(act, turn)
        directives: list[Directive] = []
        if act.screen:
            names = tuple(option.text for option in act.screen.options)
            directives.append(Display(act.screen.title, names))
        if act.question:
            directives += act.directives
        if act.speech and not any(isinstance(d, self._unconfigured) for d in act.directives):
            directives.append(Speak(act.speech))
        if act.question:
            directives.append(ExpectSpeech(act.question.expectation, act.question.alternatives))
        else:
            directives += act.directives
        return Reply(tuple(directives), act.intent, act.summary, closed=act.question is None,
                     resumed=resumed)

    def _remember(self, act: Act, turn: Turn) -> None:
        state, settings = self.state, self._settings
        misses = state.misses
        state.close()
        if act.question:
            state.question = None if act.question is answering.OPEN else act.question
            state.misses = misses
            skill = self._skills.get(act.intent) or self._skills.get(act.question.intent)
            state.skill = skill.name if skill else ""
        if act.speech:
            state.speech, state.repeatable = act.speech, state.question
        if act.screen:
            state.screen, state.screen_until = act.screen, turn.at + settings.carry_over
        if act.told:
            state.told = tuple(dict.fromkeys((*act.told, *state.told)))
            state.told_until = turn.at + settings.carry_over
            state.place = act.told[0] if len(act.told) == 1 else None
        if act.chosen:
            state.chosen, state.chosen_until = act.chosen, turn.at + settings.repair


def _readings(turn: Turn) -> Iterator[tuple[str, Turn]]:
    yield turn.heard.text, turn
    for text in turn.heard.alternatives:
        yield text, replace(turn, heard=replace(turn.heard, text=text, unsure=True))


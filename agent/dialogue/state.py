"""What the dialogue remembers between turns, in memory only."""

from __future__ import annotations

from dataclasses import dataclass, field

from agent.dialogue.catalogue import Place
from agent.dialogue.turns import Option, Question, Screen


@dataclass(slots=True)
class State:
    """The pending question and what later turns may refer to."""

    question: Question | None = field(default=None, repr=False)
    resumed: bool = False
    """Whether the pending question was asked in an earlier dialogue, perhaps by another device."""
    misses: int = 0
    """Answers or commands in a row that were not understood."""
    skill: str = ""
    """The running skill; empty when no dialogue is open."""
    screen: Screen | None = field(default=None, repr=False)
    screen_until: float = 0.0
    told: tuple[Place, ...] = field(default=(), repr=False)
    """Places told to the user, latest first."""
    told_until: float = 0.0
    place: Place | None = field(default=None, repr=False)
    """The one place that was told last: what "there" means; None after a list of several."""
    chosen: tuple[Question, Option] | None = field(default=None, repr=False)
    chosen_until: float = 0.0
    speech: str = field(default="", repr=False)
    """The last reply, for "repeat that"."""
    repeatable: Question | None = field(default=None, repr=False)
    """The question that the last reply asked."""

    def forget(self, at: float) -> None:
        """Drop what has expired by ``at`` seconds."""
        if at >= self.screen_until:
            self.screen = None
        if at >= self.told_until:
            self.told, self.place = (), None
        if at >= self.chosen_until:
            self.chosen = None

    def close(self) -> None:
        """End the dialogue; what was shown and told stays until it expires."""
        self.question, self.resumed = None, False
        self.misses = 0
        self.skill = ""

"""Synthetic dialogues of two and three turns: what was said, what was asked, and the answer."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from agent.context import Entry, Round, Situation, TurnContext
from agent.evaluate.experiment_world import Kind, World, classes
from agent.events import Expectation

ASKED = {
    "contact": ("Who shall I call?", "Whom do you want to talk to?", "Which contact is that?"),
    "place": ("Which one would you like?", "Where do you want to go?", "Which place is it?"),
    "device": ("Which one do you mean?", "Which device?", "Which one shall I change?"),
}
AGAIN = (("Now, or later today?", "right now please"),
         ("For how many people?", "just the two of us"),
         ("Shall I do it at once?", "yes please"), ("Is it urgent?", "fairly urgent"))
SKILLS = {"contact": "call", "place": "places", "device": "home"}
CLASS_KNOWN = 0.5
"""Share of local searches whose class the dialogue has understood."""


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A question in its context, and the right answer."""

    id: str
    pattern: str
    turn: TurnContext = field(repr=False)
    answer: Entry = field(repr=False)


def dialogues(of: World, count: int, *, seed: int = 0, measuring: bool = True
              ) -> tuple[Dialogue, ...]:
    """Dialogues over a world; the same arguments give the same ones.

    Args:
        of: Whose names are spoken of.
        count: How many.
        seed: Draws sayings and answers.
        measuring: Use the sayings for measuring; otherwise those for tuning.
    """
    draw = random.Random(f"dialogues {seed} {measuring}")
    patterns = list(PATTERNS)
    shares = [PATTERNS[name][0] for name in patterns]
    made = []
    for number in range(count):
        pattern = draw.choices(patterns, shares)[0]
        turn, answer = PATTERNS[pattern][1](of, draw, measuring)
        made.append(Dialogue(f"{seed}-{number:04d}-{pattern}", pattern, turn, answer))
    return tuple(made)


def _two_turns(of: World, draw: random.Random, measuring: bool) -> tuple[TurnContext, Entry]:
    wanted = draw.choice(classes())
    return _asked(wanted, [draw.choice(wanted.sayings(measuring))], draw), _of(of, wanted, draw)


def _three_turns(of: World, draw: random.Random, measuring: bool) -> tuple[TurnContext, Entry]:
    wanted = draw.choice(classes())
    between, said = draw.choice(AGAIN)
    turn = _asked(wanted, [draw.choice(wanted.sayings(measuring)), between, said], draw)
    return turn, _of(of, wanted, draw)


def _carried(of: World, draw: random.Random, measuring: bool) -> tuple[TurnContext, Entry]:
    """Places were told before another wake word; directions are asked for later."""
    wanted = draw.choice([c for c in classes() if c.kind == "place"])
    told = draw.sample(of.by_class[wanted.label], 5)
    said = draw.choice(("give me directions", "take me there", "show me the way", "navigate"))
    turn = TurnContext((Round(said, "Where to?"),), carried=tuple(e.text for e in told),
                       situation=Situation("places"), expectation=Expectation.FREE)
    return turn, draw.choice(told)


def _named(of: World, draw: random.Random, measuring: bool) -> tuple[TurnContext, Entry]:
    """A first name was said, and many have it."""
    wanted = draw.choice([c for c in classes() if c.kind == "contact"])
    answer = _of(of, wanted, draw)
    given = answer.text.split()[0]
    said = draw.choice(("call {}", "ring {} for me", "i want to talk to {}")).format(given)
    turn = TurnContext((Round(said, f"Which {given}?"),), situation=Situation("call"),
                       expectation=Expectation.NAME)
    return turn, answer


def _preferred(of: World, draw: random.Random, measuring: bool) -> tuple[TurnContext, Entry]:
    """Nothing but the user's preferences says what sort of place is meant."""
    wanted = draw.choice([c for c in classes() if c.kind == "place"])
    said = draw.choice(("where could we go today", "i'm bored any ideas", "let's go out"))
    situation = Situation("places", preferences=(f"likes going to the {wanted.label}",))
    turn = TurnContext((Round(said, draw.choice(ASKED["place"])),), situation=situation,
                       expectation=Expectation.NAME)
    return turn, _of(of, wanted, draw)


def _asked(wanted: Kind, texts: list[str], draw: random.Random) -> TurnContext:
    replies = [*texts[1::2], draw.choice(ASKED[wanted.kind])]
    rounds = tuple(Round(said, reply) for said, reply in zip(texts[::2], replies, strict=True))
    known = wanted.kind == "place" and draw.random() < CLASS_KNOWN
    situation = Situation(SKILLS[wanted.kind], wanted.label if known else "")
    expectation = Expectation.LIST_ITEM if wanted.kind == "device" else Expectation.NAME
    return TurnContext(rounds, situation=situation, expectation=expectation)


def _of(of: World, wanted: Kind, draw: random.Random) -> Entry:
    return draw.choice(of.by_class[wanted.label])


_Pattern = Callable[[World, random.Random, bool], tuple[TurnContext, Entry]]

PATTERNS: dict[str, tuple[float, _Pattern]] = {
    "two-turns": (0.40, _two_turns),
    "three-turns": (0.25, _three_turns),
    "carried": (0.12, _carried),
    "named": (0.12, _named),
    "preferred": (0.11, _preferred),
}
"""Each pattern's share of the dialogues, and what makes it."""

"""The two biases: a standing one for turns after a wake word, and one for a follow-up turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from agent.biasing import Bias, Phrase
from agent.biasing.words import said
from agent.events import Expectation

OFFERED_WEIGHT = 4.0
"""Of an answer that the pending question offers."""
PART_WEIGHT = 0.005
"""Of a part of a name (surname, first name) that was not asked for."""

MOST_IN_PARTS = 2_000
"""Names of which the parts may be said alone as well."""

ANSWER_CARRIERS = ("{answer}", "the {answer}", "{answer} please", "the {answer} one",
                   "call {answer}", "it's {answer}", "i said {answer}", "i meant {answer}",
                   "um {answer}", "uh {answer}", "no {answer}", "yes {answer}")
"""How the answer to a question may be wrapped where the dialogue gives no carriers."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the agent knows by name."""

    contacts: tuple[str, ...] = field(default=(), repr=False)
    devices: tuple[str, ...] = field(default=(), repr=False)
    places: tuple[str, ...] = field(default=(), repr=False)
    screen: tuple[str, ...] = field(default=(), repr=False)

    def phrases(self) -> tuple[Phrase, ...]:
        """Every name, with its kind."""
        kinds = (("contact", self.contacts), ("device", self.devices), ("place", self.places),
                 ("screen", self.screen))
        return tuple(Phrase(text, kind=kind, source="catalogue")
                     for kind, texts in kinds for text in texts if said(text))


def standing(catalogue: Catalogue, carriers: Iterable[str] = (),
             slots: Mapping[str, Sequence[str]] | None = None) -> Bias:
    """The bias of turns that no question came before.

    Args:
        catalogue: What the agent knows by name.
        carriers: Whole commands with slots, from the dialogue.
        slots: What the slots may hold.
    """
    held = {name: tuple(values) for name, values in (slots or {}).items()}
    return Bias(catalogue.phrases(), Expectation.FREE, tuple(carriers), tuple(held.items()))


def turn(base: Bias, expectation: Expectation, alternatives: Sequence[str] = (),
         carriers: Iterable[str] = ANSWER_CARRIERS) -> Bias:
    """The bias of a follow-up turn.

    What the question offers weighs most, and so does the part of each offer that tells it from
    the others; the standing phrases stay, in case something else is said.

    Args:
        base: The standing bias.
        expectation: The kind of answer expected.
        alternatives: The answers offered.
        carriers: What may stand around an answer, ``{answer}`` for the answer itself.
    """
    offered = [Phrase(text, OFFERED_WEIGHT, "alternative", "question")
               for text in alternatives if said(text)]
    known = {phrase.text for phrase in offered}
    offered += [Phrase(part, OFFERED_WEIGHT, "alternative", "question")
                for part in distinguishing_parts(alternatives) if part not in known]
    # What is offered stays among the rest as well: the rest is then the same every turn, and what
    # engines have made of it serves again.
    rest = list(base.phrases)
    if expectation is Expectation.NAME and not alternatives and len(rest) <= MOST_IN_PARTS:
        rest = list(_unique([*rest, *_parts(rest)]))
    phrases = (*offered, *rest)
    # The rest may be said too, but bare: their tree is the standing one, which exists already.
    answers = tuple(p.text for p in (offered or phrases) if p.kind != "screen")
    return replace(base, phrases=phrases, expectation=expectation,
                   carriers=(*base.carriers, *carriers),
                   slots=(*base.slots, ("answer", answers)))


def distinguishing_parts(texts: Sequence[str]) -> tuple[str, ...]:
    """The words of each text that none of the others has: the surnames of two Megs."""
    if len(texts) < 2:
        return ()
    counts = Counter(word for text in texts for word in set(said(text)))
    parts = []
    for text in texts:
        own = [word for word in text.split()
               if all(counts[heard] == 1 for heard in said(word)) and said(word)]
        if own and len(own) < len(text.split()):
            parts.append(" ".join(own))
    return tuple(dict.fromkeys(parts))


def _parts(phrases: Sequence[Phrase]) -> list[Phrase]:
    found = []
    for phrase in phrases:
        words = phrase.text.split()
        if phrase.kind == "contact" and len(words) > 1:
            found += [Phrase(word, PART_WEIGHT, "contact", phrase.source)
                      for word in (words[0], words[-1]) if len(word) > 2]
    return found


def _unique(phrases: Iterable[Phrase]) -> tuple[Phrase, ...]:
    found: dict[str, Phrase] = {}
    for phrase in phrases:
        found.setdefault(phrase.text, phrase)
    return tuple(found.values())

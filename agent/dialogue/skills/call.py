"""Calling a contact: asks which one, asks for the spelling, asks to be sure."""

from __future__ import annotations

from agent.dialogue.asking import confirm, which
from agent.dialogue.catalogue import Contact, PhoneNumber
from agent.dialogue.spelling import letters, nearest
from agent.dialogue.text import canonical, compact, without_article
from agent.dialogue.turns import Act, Option, Question, Turn
from agent.dialogue.understanding import Intent
from agent.dialogue.wording import listed
from agent.events import Expectation, PlaceCall

_NOBODY = frozenset({"me", "it", "him", "her", "them", "us", "you", "back", "that", "this", "off",
                     "up", "out", "again", "a", "an", "in"})
_MANY = 5


class CallSkill:
    """Places calls to contacts."""

    name = "call"
    intents = frozenset({"CallContact", "CallUnknown", "CallWhom"})

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Decide whom to call, or what to ask."""
        if intent.name == "CallWhom":
            return _ask_whom()
        if intent.name == "CallUnknown":
            return _unknown(intent.text("someone"), turn)
        found = turn.catalogue.contacts.find(intent.text("contact"))
        return _one_of(found, intent.text("contact"), intent.text("phone_label"), turn)


def _one_of(contacts: tuple[Contact, ...], said: str, label: str, turn: Turn) -> Act | None:
    if len(contacts) == 1:
        return _call(contacts[0], label, turn)
    if not contacts:
        return None
    options = tuple(Option(c.name, c, c.nicknames) for c in contacts)

    def choose(option: Option, turn: Turn) -> Act:
        return _call(option.value, label, turn)

    names = [option.text for option in options]
    if len(names) > _MANY:
        prompt = f"I know {len(names)} people called {said.title()}. Which one?"
    else:
        prompt = f"{listed(names, 'or')}?"
    question = Question("CallContact", prompt, Expectation.NAME, options, choose)
    return Act("CallContact", f"call {said.title()}: {listed(names, 'or')}?", prompt,
               question=question)


def _call(contact: Contact, label: str, turn: Turn) -> Act:
    summary = f"call {contact.name}" + (f", {label}" if label else "")
    if not contact.numbers:
        return Act("CallContact", summary, f"I have no number for {contact.name}.")
    number = contact.number(label)
    if number is None and label:
        return Act("CallContact", summary, f"I have no {label} number for {contact.name}.")
    if number is None:
        return _ask_number(contact)

    def place(turn: Turn) -> Act:
        return Act("CallContact", summary, f"Calling {contact.name}.",
                   (PlaceCall(contact.name, number.number),))

    if turn.must_confirm():
        return confirm("CallContact", f"Call {contact.name}?", f"{summary}?", place, turn)
    return place(turn)


def _ask_number(contact: Contact) -> Act:
    by_label: dict[str, PhoneNumber] = {}
    for number in contact.numbers:
        by_label.setdefault(number.label, number)
    if len(by_label) == 1:
        first = contact.numbers[0]
        return Act("CallContact", f"call {contact.name}", f"Calling {contact.name}.",
                   (PlaceCall(contact.name, first.number),))
    options = tuple(Option(label, label, _label_words(label)) for label in by_label)

    def choose(option: Option, turn: Turn) -> Act:
        return _call(contact, option.value, turn)

    prompt = f"{contact.name}, {listed([o.text for o in options], 'or')}?"
    return which("CallContact", f"call {contact.name}", prompt, options, choose)


def _label_words(label: str) -> tuple[str, ...]:
    return {"mobile": ("cell", "cell phone", "mobile phone", "the mobile number"),
            "work": ("office", "work number"), "home": ("house", "landline", "home number"),
            "other": ("the other one",)}[label]


def _ask_whom() -> Act:
    def free(text: str, turn: Turn) -> Act | None:
        said = canonical(text)
        for carrier in ("call ", "phone ", "ring ", "i want to call "):
            said = said.removeprefix(carrier)
        found = turn.catalogue.contacts.find(said)
        return _one_of(found, said, "", turn) or _similar(said, turn)

    prompt = "Who would you like to call?"
    return Act("CallWhom", "call whom?", prompt,
               question=Question("CallContact", prompt, Expectation.NAME, free=free))


def _unknown(said: str, turn: Turn) -> Act | None:
    said = without_article(said)
    if not said or said.split()[0] in _NOBODY:
        return None
    return _similar(said, turn) or _ask_spelling(f"I have nobody called {said.title()}.", said)


def _similar(said: str, turn: Turn) -> Act | None:
    """Somebody whose name is written nearly so, asked back."""
    return _suggest(nearest(compact(said), turn.catalogue.contacts.spellings), turn)


def _ask_spelling(reason: str, said: str) -> Act:
    prompt = f"{reason} How is the name spelled?"
    return Act("CallUnknown", f"call {said.title()}: how is that spelled?", prompt,
               question=Question("CallContact", prompt, Expectation.SPELLING, free=_spelled))


def _spelled(text: str, turn: Turn) -> Act | None:
    """Take the answer to "how is it spelled": letters, or the name itself after all."""
    book = turn.catalogue.contacts
    if found := book.find(text):
        return _one_of(found, canonical(text), "", turn)
    spelled = letters(text)
    if not spelled:
        return None
    spellings = book.spellings
    if spelled in spellings:
        return _one_of(book.find(spellings[spelled]), spellings[spelled], "", turn)
    if act := _suggest(nearest(spelled, spellings), turn):
        return act
    return Act("CallContact", "call: nobody is spelled so",
               f"I have nobody spelled {', '.join(spelled.upper())}.")


def _suggest(keys: tuple[str, ...], turn: Turn) -> Act | None:
    found = tuple(dict.fromkeys(c for key in keys for c in turn.catalogue.contacts.find(key)))
    if not found or len(found) > _MANY:
        return None
    if len(found) > 1:
        return _one_of(found, found[0].given, "", turn)
    contact = found[0]

    def call(turn: Turn) -> Act:
        return _call(contact, "", turn)

    return confirm("CallContact", f"Did you mean {contact.name}?", f"call {contact.name}?", call,
                   turn)

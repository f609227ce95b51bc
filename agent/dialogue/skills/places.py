"""Places nearby, and directions to a place told before."""

from __future__ import annotations

from collections.abc import Sequence

from agent.dialogue.answers import Meaning, near, understand
from agent.dialogue.asking import which
from agent.dialogue.catalogue import Place
from agent.dialogue.slots import kind_synonyms, plural
from agent.dialogue.text import canonical
from agent.dialogue.turns import Act, Option, Question, Screen, Turn
from agent.dialogue.understanding import Intent
from agent.dialogue.wording import counted, listed, sentence
from agent.events import Expectation, ShowDirections

_SHOWN = 20
"""Most places of a list; the nearest."""


class PlacesSkill:
    """Finds places and shows the way to them."""

    name = "places"
    intents = frozenset({"FindPlaces", "GiveDirections", "TellPlace"})

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """List places, tell about one, or give directions."""
        if intent.name == "FindPlaces":
            return _find(intent.text("place_kind"), turn)
        if intent.name == "TellPlace":
            return _one_of(_named(intent.text("place"), turn), intent.text("place"), _tell, turn)
        return _directions(intent, turn)


def _find(kind: str, turn: Turn) -> Act:
    places = _of_kind(kind, turn.catalogue.places.places)
    summary = f"find {plural(kind)}"
    if not places:
        return Act("FindPlaces", summary, f"I don't know any {plural(kind)} nearby.")
    if len(places) == 1:
        details = _details(places[0])
        return Act("FindPlaces", summary, f"I know one {kind}. {details}", told=places)
    options = _options(places[:_SHOWN])
    spoken = [place.name for place in places[:turn.settings.spoken_items]]
    if len(spoken) == len(places):
        speech = f"I found {counted(len(places), kind, plural(kind))}: {listed(spoken, 'and')}."
    else:
        speech = (f"I found {counted(len(places), kind, plural(kind))}. The nearest are "
                  f"{listed(spoken, 'and')}.")
    prompt = "Which one would you like?"
    question = Question("FindPlaces", prompt, Expectation.LIST_ITEM, options, _tell)
    screen = Screen(sentence(plural(kind)).rstrip("."), options, "FindPlaces", kind, _tell)
    return Act("FindPlaces", summary, f"{speech} {prompt}", question=question, screen=screen,
               told=places[:_SHOWN])


def _of_kind(kind: str, places: Sequence[Place]) -> tuple[Place, ...]:
    """Places of a kind, nearest first; "café" and "coffee shop" are one kind."""
    synonyms = kind_synonyms()
    wanted = synonyms.get(canonical(kind), canonical(kind))
    found = [p for p in places
             if synonyms.get(canonical(p.kind), canonical(p.kind)) == wanted]
    return tuple(sorted(found, key=lambda place: place.metres or float("inf")))


def _options(places: Sequence[Place]) -> tuple[Option, ...]:
    names = [canonical(place.name) for place in places]
    return tuple(
        Option(place.name if names.count(canonical(place.name)) == 1
               else f"{place.name}, {place.address}", place, (*place.aliases, place.address))
        for place in places)


def _tell(option: Option, turn: Turn) -> Act:
    place: Place = option.value
    return Act("TellPlace", f"choose {place.name}", _details(place), told=(place,))


def _details(place: Place) -> str:
    parts = [f"at {place.address}" if place.address else "", _distance(place)]
    where = ", ".join(part for part in parts if part)
    first = f"{place.name} is {where}." if where else f"{place.name}."
    return f"{first} {sentence(place.note)}".strip()


def _distance(place: Place) -> str:
    if not place.metres:
        return ""
    if place.metres < 1000:
        return f"{round(place.metres / 10) * 10} metres away"
    return f"{place.metres / 1000:.1f} kilometres away".replace(".0 ", " ")


def _go(option: Option, turn: Turn) -> Act:
    place: Place = option.value
    return Act("GiveDirections", f"directions to {place.name}", _details(place),
               (ShowDirections(place.name, place.address),), told=(place,))


def _directions(intent: Intent, turn: Turn) -> Act | None:
    if "place" in intent.slots:
        return _one_of(_named(intent.text("place"), turn), intent.text("place"), _go, turn)
    if "ordinal" in intent.slots:
        return _by_position(intent, turn)
    if "place_kind" in intent.slots:
        return _to_kind(intent.text("place_kind"), turn)
    if "somewhere" in intent.slots:
        return _somewhere(intent.text("somewhere"), turn)
    if turn.state.place:
        return _go(_options((turn.state.place,))[0], turn)
    if turn.state.told:
        return _ask(turn.state.told, "where", turn)
    return Act("GiveDirections", "directions", "Where to?",
               question=Question("GiveDirections", "Where to?", Expectation.FREE,
                                 free=_somewhere))


def _named(text: str, turn: Turn) -> tuple[Place, ...]:
    """Places of that name; those told lately come alone."""
    found = turn.catalogue.places.named(text)
    return tuple(place for place in found if place in turn.state.told) or found


def _one_of(places: tuple[Place, ...], said: str, act: object, turn: Turn) -> Act | None:
    if not places:
        return None
    do = _go if act is _go else _tell
    if len(places) == 1:
        return do(_options(places)[0], turn)
    options = _options(places)
    prompt = f"Which {said.title()}: {listed([p.address or p.name for p in places], 'or')}?"
    return which("GiveDirections" if do is _go else "TellPlace", said.title(), prompt, options, do)


def _by_position(intent: Intent, turn: Turn) -> Act | None:
    shown = turn.state.screen.options if turn.state.screen else ()
    places = [option.value for option in shown if isinstance(option.value, Place)]
    places = places or list(turn.state.told)
    if kind := intent.text("place_kind"):
        places = [*_of_kind(kind, places)]
    position = int(intent.number("ordinal"))
    index = position - 1 if position > 0 else position
    if not -len(places) <= index < len(places):
        return Act("GiveDirections", "directions", "I have not told you that many places.")
    return _go(_options((places[index],))[0], turn)


def _to_kind(kind: str, turn: Turn) -> Act:
    told = _of_kind(kind, turn.state.told)
    if len(told) > 1:
        return _ask(told, kind, turn)
    places = told or _of_kind(kind, turn.catalogue.places.places)
    if not places:
        return Act("GiveDirections", f"directions to a {kind}",
                   f"I don't know any {plural(kind)} nearby.")
    return _go(_options(places[:1])[0], turn)


def _ask(places: tuple[Place, ...], said: str, turn: Turn) -> Act:
    options = _options(places)
    spoken = [option.text for option in options[:turn.settings.spoken_items]]
    return which("GiveDirections", f"directions to which {said}", f"{listed(spoken, 'or')}?",
                 options, _go)


def _somewhere(text: str, turn: Turn) -> Act | None:
    """Directions by a part of a name: of a place told, else of any."""
    for places in (turn.state.told, turn.catalogue.places.places):
        options = _options(places)
        answer = understand(text, options) or near(text, options)
        if answer and answer.meaning is Meaning.OPTIONS:
            found = tuple(option.value for option in answer.options)
            return _one_of(found, text, _go, turn)
    return Act("GiveDirections", "directions", f"I don't know where {canonical(text)} is.")

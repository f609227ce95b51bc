"""The home: changes and asks devices, rooms, scenes and scripts; asks back where several fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from agent.dialogue.asking import confirm, which
from agent.dialogue.catalogue import Area, Device
from agent.dialogue.skills.home_search import matching, near, options
from agent.dialogue.skills.home_words import kind_word, tell
from agent.dialogue.turns import Act, Option, Question, Turn
from agent.dialogue.understanding import Intent, SlotValue
from agent.dialogue.wording import listed
from agent.events import Expectation, SetDevice

_KINDS = {"HassMediaNext": "media_player", "HassMediaPause": "media_player",
          "HassMediaPlayerMute": "media_player", "HassMediaPlayerUnmute": "media_player",
          "HassMediaPrevious": "media_player", "HassMediaUnpause": "media_player",
          "HassSetVolume": "media_player", "HassSetVolumeRelative": "media_player",
          "HassClimateGetTemperature": "climate", "HassClimateSetTemperature": "climate",
          "HassClimateSetFanMode": "climate", "HassFanSetSpeed": "fan"}
"""Kind of device that a room-wide intent is about, where its slots do not say."""

_MANY = 5
_LONGEST_NAME = 4
"""Words beyond which what was said is no device's name, but some other sentence."""


class HomeSkill:
    """Everything about the home that Home Assistant's sentences can say."""

    name = "home"
    intents = frozenset({"HassTurnOn", "HassTurnOff", "HassLightSet", "HassGetState",
                         "HassGetWeather", "HassSetPosition", "HassVacuumStart",
                         "HassVacuumReturnToBase", *_KINDS})

    def handle(self, intent: Intent, turn: Turn) -> Act | None:
        """Find the device or room that is meant, and act on it."""
        if "thing" in intent.slots:
            return _guessed(intent, turn)
        if "name" in intent.slots:
            return _named(intent, turn)
        if intent.slots.get("area") == "":
            return _this_room(intent, turn)
        return _wish(intent, None, turn)


def _named(intent: Intent, turn: Turn) -> Act | None:
    home = turn.catalogue.home
    devices = home.named(intent.text("name"), (intent.kind,) if intent.kind else ())
    if area := intent.text("area"):
        devices = tuple(d for d in devices if d.area == area) or devices
    here = tuple(d for d in devices if home.here and d.area == home.here)
    devices = here if len(here) == 1 else devices
    return _one_of(devices, intent, intent.text("name"), turn)


def _guessed(intent: Intent, turn: Turn) -> Act | None:
    """Look for what "the lamp" or "the bedroom blinds" means."""
    thing, home = intent.text("thing"), turn.catalogue.home
    devices = matching(thing, intent.guess, home, intent.text("area"))
    if devices:
        return _one_of(devices, intent, thing, turn)
    similar = near(thing, intent.guess, home)
    if len(similar) == 1:
        device = similar[0]

        def act(turn: Turn) -> Act:
            return _wish(intent, device, turn)

        return confirm(intent.name, f"Did you mean {device.name}?",
                       f"{tell(intent, device.name, '', device.kind).summary}?", act, turn)
    if len(thing.split()) > _LONGEST_NAME:
        return None
    return Act(intent.name, f"no device called {thing}", f"I don't know a device called {thing}.")


def _one_of(devices: Sequence[Device], intent: Intent, said: str, turn: Turn) -> Act | None:
    if not devices:
        return None
    if len(devices) == 1:
        act = _wish(intent, devices[0], turn)
        return act if act.question else replace(act, chosen=_alternatives(intent, devices[0], turn))
    question = _which(devices, intent, said)
    summary = tell(intent, said, "", devices[0].kind).summary
    names = listed(question.alternatives, "or")
    return Act(intent.name, f"{summary}: {names}?", question.prompt, question=question)


def _which(devices: Sequence[Device], intent: Intent, said: str) -> Question:
    offered = options(devices)
    word = kind_word(said, devices[0].kind)
    names = [option.text for option in offered]
    prompt = f"Which {word}: {listed(names, 'or')}?"
    if len(names) > _MANY:
        prompt = f"Which {word}? There are {len(names)}."

    def choose(option: Option, turn: Turn) -> Act:
        return _wish(intent, option.value, turn)

    return Question(intent.name, prompt, Expectation.LIST_ITEM, offered, choose)


def _alternatives(intent: Intent, device: Device, turn: Turn) -> tuple[Question, Option] | None:
    """The choice that was made silently, so that "no, the other one" can mend it."""
    devices = turn.catalogue.home.of_kind((device.kind,))
    if len(devices) < 2:
        return None
    question = _which(devices, intent, device.name)
    chosen = next((o for o in question.options if o.value is device), None)
    return (question, chosen) if chosen else None


def _this_room(intent: Intent, turn: Turn) -> Act | None:
    """A command about "the lights" where it is not known which room the agent stands in."""
    home = turn.catalogue.home
    kind = intent.text("domain") or _KINDS.get(intent.name, "")
    devices = home.of_kind((kind,))
    if len(devices) == 1:
        return _wish(intent, devices[0], turn)
    rooms = {d.area: home.area(d.area) for d in devices if d.area}
    areas = [area for area in rooms.values() if area]
    if len(areas) < 2:
        return _wish(_in_area(intent, areas[0] if areas else None), None, turn)

    def choose(option: Option, turn: Turn) -> Act:
        return _wish(_in_area(intent, option.value), None, turn)

    offered = tuple(Option(area.name, area, area.aliases) for area in areas)
    summary = tell(intent, "", "", kind).summary
    prompt = f"In which room: {listed([area.name for area in areas], 'or')}?"
    return which(intent.name, summary, prompt, offered, choose)


def _in_area(intent: Intent, area: Area | None) -> Intent:
    slots = {name: value for name, value in intent.slots.items() if name != "area"}
    return replace(intent, slots=slots | ({"area": area.name} if area else {}))


def _wish(intent: Intent, device: Device | None, turn: Turn) -> Act:
    area = intent.text("area") or intent.text("floor")
    told = tell(intent, device.name if device else "", area,
                device.kind or intent.kind if device else intent.text("domain"))
    directive = SetDevice(intent.name, tuple(_slots(intent, device).items()))

    def act(turn: Turn) -> Act:
        return Act(intent.name, told.summary, told.speech, (directive,))

    if device and device.confirms(intent.name) and turn.must_confirm():
        prompt = f"{told.summary[0].upper()}{told.summary[1:]}?"
        return confirm(intent.name, prompt, f"{told.summary}?", act, turn)
    return act(turn)


def _slots(intent: Intent, device: Device | None) -> dict[str, SlotValue]:
    slots = {name: value for name, value in intent.slots.items()
             if name not in ("thing", "everywhere") and value != ""}
    if device:
        slots |= {"name": device.name}
        details = {"area": device.area, "domain": device.kind or intent.kind, "id": device.id}
        slots |= {name: value for name, value in details.items() if value}
    return slots

"""How wishes to the home are told: one line for people, one sentence to speak."""

from __future__ import annotations

from dataclasses import dataclass

from agent.dialogue.catalogue.devices import COVER_CLASSES
from agent.dialogue.text import canonical
from agent.dialogue.understanding import Intent

_VERBS: dict[tuple[str, str], tuple[str, str]] = {
    ("HassTurnOn", ""): ("turn on", "Turning on"),
    ("HassTurnOff", ""): ("turn off", "Turning off"),
    ("HassTurnOn", "cover"): ("open", "Opening"),
    ("HassTurnOff", "cover"): ("close", "Closing"),
    ("HassTurnOn", "valve"): ("open", "Opening"),
    ("HassTurnOff", "valve"): ("close", "Closing"),
    ("HassTurnOn", "lock"): ("lock", "Locking"),
    ("HassTurnOff", "lock"): ("unlock", "Unlocking"),
    ("HassTurnOn", "scene"): ("activate", "Activating"),
    ("HassTurnOn", "script"): ("run", "Running"),
    ("HassVacuumStart", ""): ("start", "Starting"),
    ("HassVacuumReturnToBase", ""): ("send home", "Sending home"),
    ("HassMediaPause", ""): ("pause", "Pausing"),
    ("HassMediaUnpause", ""): ("resume", "Resuming"),
    ("HassMediaNext", ""): ("next on", "Next on"),
    ("HassMediaPrevious", ""): ("previous on", "Previous on"),
    ("HassMediaPlayerMute", ""): ("mute", "Muting"),
    ("HassMediaPlayerUnmute", ""): ("unmute", "Unmuting"),
}
_PROPER = frozenset({"scene", "script"})
_PLURALS = {"light": "lights", "fan": "fans", "cover": "covers"} | {
    sort: f"{sort}s" for sort in COVER_CLASSES}
_ROOM_WIDE = {"HassMediaPause": "music", "HassMediaUnpause": "music", "HassMediaNext": "music",
              "HassMediaPrevious": "music", "HassMediaPlayerMute": "music",
              "HassMediaPlayerUnmute": "music"}


@dataclass(frozen=True, slots=True)
class Told:
    """A wish in words."""

    summary: str
    """``turn on Kitchen Light``."""
    speech: str
    """``Turning on Kitchen Light.``; empty for a question, which its answer answers."""


def tell(intent: Intent, name: str, area: str, kind: str) -> Told:
    """The words for an intent about a device (``name``), or about what is in a room (``area``)."""
    target = name or _in_room(intent, area)
    spoken = f"the {name}" if name and kind not in _PROPER and not _has_article(name) else target
    verbs = _VERBS.get((intent.name, kind)) or _VERBS.get((intent.name, ""))
    if verbs:
        return Told(f"{verbs[0]} {target}", f"{verbs[1]} {spoken}.")
    return _question(intent, target) or _setting(intent, target, spoken)


def _has_article(name: str) -> bool:
    first = canonical(name).split(" ")[0]
    return first in ("the", "my", "our", "all") or name.split(" ")[0].endswith(("'s", "’s"))


def _in_room(intent: Intent, area: str) -> str:
    domain = intent.text("device_class") or intent.text("domain")
    things = _PLURALS.get(domain, domain) or _ROOM_WIDE.get(intent.name, "")
    if intent.slots.get("everywhere"):
        return f"all {things}"
    if area:
        return f"{area} {things}".strip()
    return f"the {things}" if things else ""


def _question(intent: Intent, target: str) -> Told | None:
    if intent.name == "HassGetState":
        state = intent.text("state")
        return Told(f"is {target} {state}" if state else f"what is {target}", "")
    if intent.name == "HassGetWeather":
        return Told(f"what is the weather {target}".strip(), "")
    if intent.name == "HassClimateGetTemperature":
        return Told(f"what is the temperature {target}".strip(), "")
    return None


def _setting(intent: Intent, target: str, spoken: str) -> Told:
    for slot, what, unit in (
            ("brightness", "brightness", " percent"), ("color", "", ""),
            ("color_temperature", "", " kelvin"), ("temperature", "temperature", " degrees"),
            ("position", "", " percent"), ("percentage", "speed", " percent"),
            ("volume_level", "volume", " percent"), ("fan_mode", "fan mode", "")):
        if slot in intent.slots:
            value = f"{intent.slots[slot]}{unit}"
            return Told(f"set {_joined(target, what)} to {value}",
                        f"Setting {_joined(spoken, what)} to {value}.")
    return _relative(intent, target)


def _joined(target: str, what: str) -> str:
    """``Kitchen Light brightness``; a room's lights are left out: ``Kitchen brightness``."""
    if what:
        target = target.removesuffix("lights").strip()
    return " ".join(part for part in (target, what) if part) or "it"


def _relative(intent: Intent, target: str) -> Told:
    step = intent.slots.get("volume_step", "")
    way = {"up": "up", "down": "down"}.get(str(step)) or (
        "up" if intent.number("volume_step") > 0 else "down")
    by = "" if step in ("up", "down") else f" by {abs(int(intent.number('volume_step')))} percent"
    thing = f"{target} volume".strip() if target else "the volume"
    return Told(f"turn {thing} {way}{by}", f"Turning {thing} {way}{by}.")


KIND_WORDS: dict[str, frozenset[str]] = {
    "light": frozenset({"light", "lamp", "lights", "lamps", "lighting"}),
    "fan": frozenset({"fan", "fans", "ventilator"}),
    "switch": frozenset({"switch", "plug", "socket", "outlet"}),
    "lock": frozenset({"lock", "locks", "door", "doors"}),
    "climate": frozenset({"heating", "heater", "heat", "thermostat", "air", "conditioning",
                          "conditioner", "ac"}),
    "media_player": frozenset({"tv", "television", "music", "radio", "speaker", "speakers",
                               "stereo", "player", "media"}),
    "scene": frozenset({"scene"}),
    "script": frozenset({"script"}),
    "vacuum": frozenset({"vacuum", "cleaner", "robot", "hoover"}),
    "cover": frozenset({"cover", "covers"}),
    "valve": frozenset({"valve"}),
}
"""Words by which people call a kind of device without naming one."""

CLASS_WORDS: dict[str, frozenset[str]] = {
    "blind": frozenset({"blind", "blinds"}), "curtain": frozenset({"curtain", "curtains"}),
    "shade": frozenset({"shade", "shades"}), "shutter": frozenset({"shutter", "shutters"}),
    "awning": frozenset({"awning"}), "garage": frozenset({"garage", "door"}),
    "door": frozenset({"door", "doors"}), "gate": frozenset({"gate", "gates"}),
    "window": frozenset({"window", "windows"}),
}
"""Words for the sorts of cover."""


def kind_word(thing: str, kind: str) -> str:
    """What to call devices of a kind when asking which: the user's own word where it fits."""
    words = canonical(thing).split()
    known = KIND_WORDS.get(kind, frozenset()) | frozenset().union(*CLASS_WORDS.values())
    said = next((word for word in reversed(words) if word in known), "")
    return said.removesuffix("s") or kind.replace("_", " ")

"""Every English sentence that Home Assistant has for closed vocabularies, over the samples."""

from __future__ import annotations

from typing import Any

import pytest

from agent.dialogue.carrier_values import values
from agent.dialogue.carriers import Carrier, command_carriers
from agent.dialogue.catalogue import Catalogue
from agent.dialogue.templates import OWN_FILES, home_assistant, own
from agent.dialogue.understanding import Understanding
from agent.events import ChangeTimer, Directive, SetDevice, StartTimer, StopTimer


@pytest.fixture(scope="module")
def understanding(samples: Catalogue) -> Understanding:
    return Understanding(samples)


def written_out(carrier: Carrier, catalogue: Catalogue) -> str | None:
    """The carrier with the last value of every slot; None where a slot has none."""
    choices = {name: values(name, catalogue) for name in carrier.slots}
    if not all(choices.values()):
        return None
    return " ".join(part if isinstance(part, str) else choices[part.name][-1]
                    for part in carrier.parts)


@pytest.mark.parametrize("intent", sorted(home_assistant()["intents"]))
def test_every_form_of_every_sentence_is_understood(
        intent: str, understanding: Understanding, samples: Catalogue) -> None:
    carriers = [c for c in command_carriers() if c.intent == intent and not c.is_open]
    texts = [text for c in carriers if (text := written_out(c, samples))]
    assert texts
    wrong = {text: found.name if found else None for text in texts
             if (found := understanding.command(text)) is None or found.name != intent}
    assert not wrong


def device(intent: str, **slots: str | float) -> SetDevice:
    return SetDevice(intent, tuple(slots.items()))


KITCHEN = {"name": "Kitchen Light", "area": "Kitchen", "domain": "light"}
FRONT = {"name": "Front Door", "area": "Hall", "domain": "lock"}
BACK = {"name": "Back Door", "area": "Kitchen", "domain": "lock"}
BLINDS = {"name": "Living Room Blinds", "area": "Living Room", "domain": "cover"}
STEREO = {"name": "Stereo", "area": "Living Room", "domain": "media_player"}
FAN = {"name": "Ceiling Fan", "area": "Bedroom", "domain": "fan"}
HEATING = {"name": "Thermostat", "area": "Living Room", "domain": "climate"}

WISHES: list[tuple[str, str, Directive]] = [
    # lights
    ("turn on the kitchen light", "turn on Kitchen Light", device("HassTurnOn", **KITCHEN)),
    ("Could you switch off the Kitchen Light, please?", "turn off Kitchen Light",
     device("HassTurnOff", **KITCHEN)),
    ("the kitchen light on", "turn on Kitchen Light", device("HassTurnOn", **KITCHEN)),
    ("turn the kitchen light off", "turn off Kitchen Light", device("HassTurnOff", **KITCHEN)),
    ("turn on the lights in the bedroom", "turn on Bedroom lights",
     device("HassTurnOn", area="Bedroom", domain="light")),
    ("turn off the lounge lights", "turn off Living Room lights",
     device("HassTurnOff", area="Living Room", domain="light")),
    ("turn off the first floor lights", "turn off First Floor lights",
     device("HassTurnOff", floor="First Floor", domain="light")),
    ("set kitchen light brightness to fifty percent", "set Kitchen Light brightness to 50 percent",
     device("HassLightSet", name="Kitchen Light", brightness=50, area="Kitchen", domain="light")),
    ("set Kitchen Light brightness to 50%", "set Kitchen Light brightness to 50 percent",
     device("HassLightSet", name="Kitchen Light", brightness=50, area="Kitchen", domain="light")),
    ("set the brightness in the bedroom to 5", "set Bedroom brightness to 5 percent",
     device("HassLightSet", area="Bedroom", brightness=5, domain="light")),
    ("make the kitchen light blue", "set Kitchen Light to blue",
     device("HassLightSet", name="Kitchen Light", color="blue", area="Kitchen", domain="light")),
    ("set the bedroom lights to warm white", "set Bedroom lights to 2700 kelvin",
     device("HassLightSet", area="Bedroom", color_temperature=2700, domain="light")),
    # switches, fans
    ("turn on the coffee machine", "turn on Coffee Machine",
     device("HassTurnOn", name="Coffee Machine", area="Kitchen", domain="switch")),
    ("turn on the bedroom fans", "turn on Bedroom fans",
     device("HassTurnOn", area="Bedroom", domain="fan")),
    ("set the ceiling fan speed to 30 percent", "set Ceiling Fan speed to 30 percent",
     device("HassFanSetSpeed", name="Ceiling Fan", percentage=30, area="Bedroom", domain="fan")),
    # covers
    ("open the living room blinds", "open Living Room Blinds", device("HassTurnOn", **BLINDS)),
    ("close all the blinds", "close all blinds",
     device("HassTurnOff", domain="cover", device_class="blind")),
    ("turn off the kitchen light now", "turn off Kitchen Light", device("HassTurnOff", **KITCHEN)),
    ("close the blinds", "close Living Room Blinds", device("HassTurnOff", **BLINDS)),
    ("set the living room blinds to 40 percent", "set Living Room Blinds to 40 percent",
     device("HassSetPosition", name="Living Room Blinds", position=40, area="Living Room",
            domain="cover")),
    # locks
    ("lock the front door", "lock Front Door", device("HassTurnOn", **FRONT)),
    ("unlock the back door", "unlock Back Door", device("HassTurnOff", **BACK)),
    # media
    ("pause the music", "pause Stereo", device("HassMediaPause", **STEREO)),
    ("resume", "resume Stereo", device("HassMediaUnpause", **STEREO)),
    ("skip this song", "next on Stereo", device("HassMediaNext", **STEREO)),
    ("play the last track again", "previous on Stereo", device("HassMediaPrevious", **STEREO)),
    ("mute the tv show", "mute Stereo", device("HassMediaPlayerMute", **STEREO)),
    ("set volume to 20 percent", "set Stereo volume to 20 percent",
     device("HassSetVolume", volume_level=20, **STEREO)),
    ("turn the volume up by ten percent", "turn Stereo volume up by 10 percent",
     device("HassSetVolumeRelative", volume_step=10, **STEREO)),
    ("decrease the volume by 10", "turn Stereo volume down by 10 percent",
     device("HassSetVolumeRelative", volume_step=-10, **STEREO)),
    ("turn down the stereo", "turn Stereo volume down",
     device("HassSetVolumeRelative", volume_step="down", **STEREO)),
    # climate
    ("set the thermostat to 21 degrees", "set Thermostat temperature to 21 degrees",
     device("HassClimateSetTemperature", temperature=21, **HEATING)),
    ("set the temperature to twenty one point five degrees",
     "set Thermostat temperature to 21.5 degrees",
     device("HassClimateSetTemperature", temperature=21.5, **HEATING)),
    ("set the fan mode to auto", "set Thermostat fan mode to auto",
     device("HassClimateSetFanMode", fan_mode="auto", **HEATING)),
    # scenes and scripts
    ("activate movie night", "activate Movie Night",
     device("HassTurnOn", name="Movie Night", domain="scene")),
    ("run the good night script", "run Good Night",
     device("HassTurnOn", name="Good Night", domain="script")),
    # questions
    ("is the Front Door locked?", "is Front Door locked",
     device("HassGetState", name="Front Door", state="locked", area="Hall", domain="lock")),
    ("is the kitchen window open", "is Kitchen Window open",
     device("HassGetState", name="Kitchen Window", state="open", area="Kitchen", domain="cover")),
    ("is the kitchen light on", "is Kitchen Light on",
     device("HassGetState", name="Kitchen Light", state="on", area="Kitchen", domain="light")),
    ("what's the outdoor humidity", "what is Outdoor Humidity",
     device("HassGetState", name="Outdoor Humidity", domain="sensor")),
    ("how warm is it", "what is the temperature Thermostat",
     device("HassClimateGetTemperature", **HEATING)),
    ("what is the temperature in the bedroom", "what is the temperature Bedroom",
     device("HassClimateGetTemperature", area="Bedroom")),
    ("what's the weather like", "what is the weather", device("HassGetWeather")),
]


@pytest.mark.parametrize(("said", "summary", "wanted"), WISHES, ids=[w[0] for w in WISHES])
def test_wishes_become_directives(said: str, summary: str, wanted: SetDevice,
                                  converse: Any) -> None:
    talk = converse()
    talk.say(said)
    assert talk.reply.summary == summary
    assert talk.reply.closed
    [got] = talk.done
    assert got.intent == wanted.intent
    assert dict(got.slots) == dict(wanted.slots)


@pytest.mark.parametrize("said", ["is the front door locked", "what's the weather",
                                  "what is the temperature"])
def test_the_answer_to_a_question_is_left_to_the_home(said: str, converse: Any) -> None:
    talk = converse()
    talk.say(said)
    assert talk.speech == ""


TIMERS: list[tuple[str, Directive]] = [
    ("set a timer for 5 minutes", StartTimer(300, "5 minute")),
    ("set a timer for ninety seconds", StartTimer(90, "1 minute 30 second")),
    ("timer for one hour", StartTimer(3600, "1 hour")),
    ("set a timer for half an hour", StartTimer(1800, "30 minute")),
    ("set a timer for 1/2 an hour", StartTimer(1800, "30 minute")),
    ("set a timer for an hour and a half", StartTimer(5400, "1 hour 30 minute")),
    ("set a timer for one and a half minutes", StartTimer(90, "1 minute 30 second")),
    ("set a timer for 2 hours and 5 minutes", StartTimer(7500, "2 hour 5 minute")),
    ("set a ten minute pasta timer", StartTimer(600, "pasta")),
    ("set a pasta timer for ten minutes", StartTimer(600, "pasta")),
    ("start a timer for ten minutes called green tea", StartTimer(600, "green tea")),
    ("start a 45 second timer", StartTimer(45, "45 second")),
]


@pytest.mark.parametrize(("said", "wanted"), TIMERS, ids=[t[0] for t in TIMERS])
def test_timers_start(said: str, wanted: StartTimer, converse: Any) -> None:
    talk = converse()
    talk.say(said)
    assert talk.done == [wanted]


CHANGES: list[tuple[str, Directive]] = [
    ("cancel the timer", StopTimer("pasta")),
    ("stop my timer", StopTimer("pasta")),
    ("cancel all timers", StopTimer()),
    ("pause the timer", ChangeTimer("pasta", paused=True)),
    ("resume my timer", ChangeTimer("pasta", paused=False)),
    ("add five minutes to the timer", ChangeTimer("pasta", 300)),
    ("increase the timer by half an hour", ChangeTimer("pasta", 1800)),
    ("take two minutes off the timer", ChangeTimer("pasta", -120)),
    ("decrease my timer by 30 seconds", ChangeTimer("pasta", -30)),
]


@pytest.mark.parametrize(("said", "wanted"), CHANGES, ids=[c[0] for c in CHANGES])
def test_timers_change(said: str, wanted: Directive, converse: Any) -> None:
    talk = converse()
    talk.say("set a pasta timer for ten minutes")
    talk.say(said)
    assert talk.done == [wanted]


SPOKEN = [
    ("what time is it", "It is 3:05 PM."),
    ("what's the date", "It is Saturday, March twenty first."),
    ("what day is it", "It is Saturday, March twenty first."),
    ("never mind", "OK."),
    ("nevermind.", "OK."),
    ("how much time is left on the timer", "No timer is running."),
    ("what's on the shopping list", "The shopping list is empty."),
]


@pytest.mark.parametrize(("said", "answer"), SPOKEN)
def test_answers_that_need_no_home(said: str, answer: str, converse: Any) -> None:
    talk = converse()
    talk.say(said)
    assert talk.speech == answer
    assert talk.reply.closed


def test_own_templates_widen_only_the_lists_they_mean_to() -> None:
    theirs = home_assistant()
    widened = {"timer_seconds", "timer_minutes"}
    for name in (*OWN_FILES, "answers"):
        table = own(name)
        assert set(table.get("lists", {})) & set(theirs["lists"]) <= widened
        assert not set(table.get("expansion_rules", {})) & set(theirs["expansion_rules"])

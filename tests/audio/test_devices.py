"""Which device a setting means, and what ``voice-agent devices`` shows."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import pytest

from agent.audio.devices import find, rates
from agent.audio.portaudio import reload
from agent.commands import devices as command
from agent.errors import AgentError


@pytest.fixture
def plugged(sound: Any) -> Any:
    sound.add("bcm2835 Headphones: - (hw:0,0)", outputs=8)
    sound.add("USB PnP Sound Device: Audio (hw:1,0)", inputs=1, outputs=2, rates=(44_100, 48_000))
    sound.add("ReSpeaker 4 Mic Array: USB Audio (hw:2,0)", inputs=6, channels=(6,))
    sound.default["input"] = 2
    return sound


@pytest.mark.parametrize(("wanted", "number"), [
    ("", 2), ("1", 1), ("respeaker", 2), ("usb pnp", 1), (" 2 ", 2),
    ("USB PnP Sound Device: Audio (hw:1,0)", 1)])
def test_a_device_is_found_by_number_or_part_of_its_name(plugged: Any, wanted: str,
                                                         number: int) -> None:
    assert find("input", wanted).number == number


def test_an_exact_name_is_preferred_to_a_part_of_another(sound: Any) -> None:
    sound.add("pulse: front", inputs=1)
    sound.add("pulse", inputs=1)
    assert find("input", "pulse").number == 1


@pytest.mark.parametrize(("wanted", "says"), [
    ("usb", "fits several devices: 1 USB PnP.*; 2 ReSpeaker"), ("0", "'0' was not found"),
    ("7", "'7' was not found"), ("webcam", "'webcam' was not found")])
def test_a_name_that_fits_none_or_several_says_so(plugged: Any, wanted: str, says: str) -> None:
    with pytest.raises(AgentError, match=says):
        find("input", wanted)


def test_rates_are_those_that_open(plugged: Any) -> None:
    assert rates(find("input", "1"), "input") == (44_100, 48_000)
    assert rates(find("input", "2"), "input") == (16_000, 48_000), "it has six channels only"
    plugged.busy.add(1)
    assert rates(find("input", "1"), "input") == ()


def test_the_list_is_read_anew_only_without_open_streams(plugged: Any) -> None:
    from agent.audio.microphone import DeviceMicrophone
    from agent.audio.settings import Settings

    microphone = DeviceMicrophone(Settings(input="1"))
    assert not reload()
    microphone.release()
    assert reload()


def run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(arguments))


def test_json_has_every_device_and_nothing_else(plugged: Any,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 0
    out = capsys.readouterr()
    found = json.loads(out.out)
    assert [d["number"] for d in found["inputs"]] == [1, 2]
    assert [d["number"] for d in found["outputs"]] == [0, 1]
    assert found["inputs"][1] == {
        "number": 2, "name": "ReSpeaker 4 Mic Array: USB Audio (hw:2,0)", "host": "ALSA",
        "channels": 6, "rate": 48_000, "rates": [16_000, 48_000], "default": True}
    assert not out.err


def test_the_table_names_every_device(plugged: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    shown = capsys.readouterr().out
    for text in ("ReSpeaker", "bcm2835", "44100", "audio.input"):
        assert text in shown


def test_without_devices_it_says_so_on_standard_error(sound: Any,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json") == 1
    out = capsys.readouterr()
    assert json.loads(out.out) == {"inputs": [], "outputs": []}
    assert "no microphone was found" in out.err
    assert "no loudspeaker was found" in out.err


def test_without_portaudio_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(AgentError, match="PortAudio library is not installed") as caught:
        find("input")
    assert "libportaudio2" in caught.value.mend

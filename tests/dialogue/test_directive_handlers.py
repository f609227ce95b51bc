"""Timers that ring, lists that stay, and programs that are run without a shell."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
import time
from pathlib import Path

import pytest

from agent.dialogue import CommandSettings
from agent.dialogue.handlers import Handlers, Outcome
from agent.dialogue.lists import Lists
from agent.dialogue.programs import fill
from agent.dialogue.timers import Timers
from agent.errors import AgentError
from agent.events import (
    ChangeList,
    ChangeTimer,
    Directive,
    Display,
    PlaceCall,
    SetDevice,
    ShowDirections,
    Speak,
    StartTimer,
    StopTimer,
)

CALL = PlaceCall("Meg Bauer", "+15550102")


class Desk:
    """Handlers with a clock that the test turns and a ring that it hears."""

    def __init__(self, lists: Lists | None = None, **commands: object) -> None:
        self.now = 0.0
        self.rings: list[tuple[str, ...]] = []
        self.timers, self.lists = Timers(lambda: self.now), lists or Lists()
        settings = CommandSettings(**commands)  # type: ignore[arg-type]
        self.handlers = Handlers(settings, self.timers, self.lists, self.rings.append)

    def do(self, directive: Directive) -> Outcome:
        return asyncio.run(self.handlers.handle(directive))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.handlers.tick()


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


def test_a_timer_rings_until_it_is_stopped() -> None:
    desk = Desk()
    desk.do(StartTimer(60, "pasta"))
    desk.wait(59)
    assert desk.rings == []
    desk.wait(1)
    assert desk.rings == [("pasta",)]
    desk.wait(100)
    assert desk.rings == [("pasta",)]
    desk.do(StopTimer(ringing=True))
    assert desk.rings == [("pasta",), ()]


def test_stopping_what_rings_leaves_what_runs() -> None:
    desk = Desk()
    desk.do(StartTimer(60, "pasta"))
    desk.do(StartTimer(600, "cake"))
    desk.wait(60)
    desk.do(StopTimer(ringing=True))
    assert [t.name for t in desk.timers.find()] == ["cake"]


def test_timers_are_lengthened_paused_and_resumed() -> None:
    desk = Desk()
    desk.do(StartTimer(60, "pasta"))
    desk.do(ChangeTimer("pasta", add_seconds=60))
    desk.wait(60)
    assert desk.rings == []
    desk.do(ChangeTimer("pasta", paused=True))
    desk.wait(1000)
    assert desk.rings == []
    desk.do(ChangeTimer("pasta", paused=False))
    desk.wait(59)
    assert desk.rings == []
    desk.wait(1)
    assert desk.rings == [("pasta",)]


def test_a_ringing_timer_that_is_lengthened_falls_silent() -> None:
    desk = Desk()
    desk.do(StartTimer(60, "pasta"))
    desk.wait(60)
    desk.do(ChangeTimer("pasta", add_seconds=60))
    assert desk.rings[-1] == ()


def test_a_shortened_timer_rings_at_once() -> None:
    desk = Desk()
    desk.do(StartTimer(60, "pasta"))
    desk.do(ChangeTimer("pasta", add_seconds=-90))
    assert desk.rings == [("pasta",)]


def test_without_programs_the_agent_says_what_to_set() -> None:
    desk = Desk()
    call, home = desk.do(CALL), desk.do(SetDevice("HassTurnOn"))
    assert "Meg Bauer" in call.speech
    assert "commands dot call" in call.speech
    assert "commands dot home" in home.speech
    assert not call.ok
    assert desk.handlers.unconfigured == (PlaceCall, SetDevice)
    assert desk.do(ShowDirections("Rialto")).speech == "No navigation is configured."
    assert desk.do(Display("Restaurants", ("A",))) == Outcome()


def test_a_call_runs_its_program_with_its_arguments(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = "import sys; open(sys.argv[1], 'w').write('|'.join(sys.argv[2:]))"
    desk = Desk(call=python(code, str(out), "{contact}", "tel:{number}", "$(id); `id` {contact}"))
    assert desk.do(PlaceCall("Meg; rm -rf $HOME", "+1 555")) == Outcome()
    assert out.read_text() == ("Meg; rm -rf $HOME|tel:+1 555|"
                               "$(id); `id` Meg; rm -rf $HOME")


def test_a_name_cannot_act_as_an_option() -> None:
    assert fill(["{contact}", "--to={contact}", "x"], {"contact": "--evil\0"}) == [
        "evil", "--to=--evil", "x"]


def test_the_home_gets_its_slots_as_arguments_and_as_json(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = ("import sys; open(sys.argv[1], 'w').write('|'.join(sys.argv[2:]) + '\\n'"
            " + sys.stdin.read())")
    desk = Desk(home=python(code, str(out), "{intent}", "{name}", "{brightness}", "{area}",
                            "{json}"), json_input=True)
    wish = SetDevice("HassLightSet", (("name", "Kitchen Light"), ("brightness", 50)))
    assert desk.do(wish).ok
    arguments, given = out.read_text().split("\n")
    *slots, shown = arguments.split("|")
    assert slots == ["HassLightSet", "Kitchen Light", "50", ""]
    document = {"intent": "HassLightSet", "slots": {"name": "Kitchen Light", "brightness": 50}}
    assert json.loads(shown) == json.loads(given) == document


def test_what_the_home_prints_answers_a_question() -> None:
    desk = Desk(home=python("print('yes, it is\\n locked')"))
    assert desk.do(SetDevice("HassGetState")).speech == "Yes, it is locked."
    assert desk.do(SetDevice("HassTurnOn")).speech == ""


def test_a_question_without_an_answer_says_so() -> None:
    assert Desk(home=python("")).do(SetDevice("HassGetWeather")).speech == "I got no answer."


@pytest.mark.parametrize(("program", "problem"), [
    (python("raise SystemExit(3)"), "reported an error"),
    (("/nowhere/program",), "was not found"),
    (("/",), "could not be started"),
    (python("import time; time.sleep(60)"), "took too long"),
])
def test_failure_is_told_and_breaks_nothing(program: tuple[str, ...], problem: str) -> None:
    desk = Desk(call=program, timeout=0.5)
    outcome = desk.do(CALL)
    assert not outcome.ok
    assert outcome.speech == f"Sorry. I could not call Meg Bauer: {outcome.problem}."
    assert problem in outcome.problem
    assert "Bauer" not in outcome.problem


def test_a_program_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    child = f"import time; time.sleep(1.5); open({str(mark)!r}, 'w').close()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    desk = Desk(call=python(parent), timeout=0.4)
    started = time.monotonic()
    assert desk.do(CALL).problem == "the program took too long"
    assert time.monotonic() - started < 1.4
    time.sleep(1.6)
    assert not mark.exists()


def test_a_program_that_floods_or_ignores_its_input_is_no_trouble() -> None:
    flood = python("import sys; sys.stdout.write('x' * 3_000_000)")
    outcome = Desk(home=flood, json_input=True).do(SetDevice("HassGetState"))
    assert outcome.ok
    assert len(outcome.speech) < 500


def test_a_cancelled_turn_ends_the_program(tmp_path: Path) -> None:
    mark = tmp_path / "alive"
    code = f"import time; time.sleep(1); open({str(mark)!r}, 'w').close()"
    desk = Desk(call=python(code))

    async def cancel() -> None:
        task = asyncio.create_task(desk.handlers.handle(CALL))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    time.sleep(1.2)
    assert not mark.exists()


@pytest.mark.parametrize(("setting", "arguments"), [
    ("call", ("dial", "{phone}")), ("directions", ("go", "{number}")),
    ("display", ("show", "{items}"))])
def test_an_unknown_placeholder_is_refused(setting: str, arguments: tuple[str, ...]) -> None:
    with pytest.raises(AgentError, match=rf"commands\.{setting}: unknown placeholder"):
        Desk(**{setting: arguments})


def test_other_directives_are_not_for_handlers() -> None:
    assert Desk().do(Speak("hello")) == Outcome()


def test_lists_are_kept_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "lists.json"
    desk = Desk(Lists(path))
    desk.do(ChangeList("Shopping List", "add", "oat milk"))
    desk.do(ChangeList("shopping list", "add", "Oat Milk"))
    desk.do(ChangeList("Shopping List", "add", "eggs"))
    desk.do(ChangeList("Shopping List", "remove", "eggs"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Lists(path).items("shopping list") == ("oat milk",)
    desk.do(ChangeList("Shopping List", "clear"))
    assert Lists(path).items("Shopping List") == ()
    assert [p.name for p in path.parent.iterdir()] == ["lists.json"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_lists_that_cannot_be_saved_are_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    outcome = Desk(Lists(tmp_path / "lists.json")).do(ChangeList("Shopping", "add", "milk"))
    assert outcome.speech == "But I could not save the list."


def test_a_place_for_lists_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    outcome = Desk(Lists(tmp_path / "file" / "lists.json")).do(
        ChangeList("Shopping", "add", "milk"))
    assert not outcome.ok
    assert "milk" not in outcome.problem


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": [1]}'])
def test_a_damaged_list_file_is_refused_and_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "lists.json"
    path.write_text(text)
    with pytest.raises(AgentError, match=r"lists\.json"):
        Lists(path)
    assert path.read_text() == text

"""Signals, those of other packages, and what they read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from agent.context import Contribution, Round, Situation, TurnContext, signals
from agent.context.reading import turn_context
from agent.events import Expectation, ExpectSpeech


@dataclass
class Item:
    interaction_id: str
    kind: str
    text: str


TURN = TurnContext(
    rounds=(Round("i have to fill up", "Which brand?"), Round("call Meg", "Which Meg?")),
    screen=("Shell",), carried=("Blue Door", "Shell"),
    situation=Situation("places", "petrol station", ("Total",), "car", ("diesel",)))


def test_all_signals_together() -> None:
    reading = signals.read(signals.load(), TURN)
    assert reading.user == "call Meg. i have to fill up. petrol station. diesel"
    assert reading.agent == "Which Meg?. Which brand?. car"
    assert reading.names == ("Total", "Shell", "Blue Door", "call", "Meg")
    assert reading.kinds == {"place"} and not reading.failed
    assert set(reading.used) == {signal().name for signal in signals.OWN}


def test_an_empty_turn_says_nothing() -> None:
    reading = signals.read(signals.load(), TurnContext())
    assert reading.texts == ("", "") and reading.names == () and reading.used == ()


def test_signals_can_be_left_out() -> None:
    names = [signal.name for signal in signals.load(("skill", "replies"))]
    assert "skill" not in names and "replies" not in names and "user-texts" in names


def test_another_package_adds_a_signal_by_entry_point(monkeypatch: Any) -> None:
    class Weather:
        name = "weather"

        def read(self, turn: TurnContext) -> Contribution:
            return Contribution(agent="it is raining")

    class Point:
        def __init__(self, name: str, load: Any) -> None:
            self.name, self.load = name, load

    def broken() -> Any:
        raise ImportError("no such module")

    monkeypatch.setattr(signals, "entry_points", lambda group: [
        Point("weather", lambda: Weather), Point("broken", broken)])
    loaded = signals.load()
    assert loaded[-1].name == "weather" and len(loaded) == len(signals.OWN) + 1
    assert signals.read(loaded, TURN).agent.endswith("it is raining")


def test_stored_texts_become_rounds_lists_and_carried_names() -> None:
    items = [Item("d.0000", "said", "find coffee"), Item("d.0000", "reply", "I found two."),
             Item("d.0000", "screen", json.dumps(["Blue Door", "Bean"])),
             Item("d.0001", "said", "hm")]
    carried = [Item("e.0000", "places", json.dumps(["Rialto"])), items[2],
               Item("e.0000", "places", "{}"), Item("e.0000", "places", "not json")]
    turn = turn_context(items, carried, Situation(), ExpectSpeech(Expectation.NAME, ("A",)))
    assert turn.rounds == (Round("find coffee", "I found two."), Round("hm", ""))
    assert turn.screen == ("Blue Door", "Bean")
    assert turn.carried == ("Rialto", "Blue Door", "Bean")
    assert turn.expectation is Expectation.NAME and turn.alternatives == ("A",)


@pytest.mark.parametrize("text", ["x" * 50_000, "word " * 10_000, "\n\t" * 5_000])
def test_long_texts_are_cut(text: str) -> None:
    reading = signals.read(signals.load(), TurnContext((Round(text, text),)))
    assert len(reading.user) <= signals.MOST and len(reading.agent) <= signals.MOST


def test_nothing_private_is_in_a_repr() -> None:
    assert "Meg" not in repr(TURN) and "diesel" not in repr(TURN)
    assert "Meg" not in repr(signals.read(signals.load(), TURN))

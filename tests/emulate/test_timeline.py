"""The picture of the context windows."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from agent.emulate.timeline import draw, windows
from agent.events import ContextClosed, ContextOpened, ContextStep, Event, ReplyEnded, ReplyStarted


def conversation(*, ready: bool = True) -> list[Event]:
    steps: list[Event] = [
        ContextStep(3.0, "items", 0.004, 0.004, 3), ContextStep(3.0, "encoded", 0.006, 0.012, 2)]
    if ready:
        steps.append(ContextStep(3.1, "prepared", 0.08, 0.1, 300))
    outcome = "ready" if ready else "late"
    return [ReplyStarted(2.95, 0.1), ContextOpened(3.0, 0), *steps, ReplyEnded(4.8, True),
            ContextClosed(5.0, outcome, 2.0, 1.9 if ready else None)]


def test_a_window_is_timed_on_the_microphone_s_clock() -> None:
    (window,) = windows(conversation())
    assert window.reply == (pytest.approx(-0.05), pytest.approx(1.8))
    assert window.deadline == pytest.approx(2.0) and window.ready == pytest.approx(0.1)


def test_the_picture_shows_the_reply_the_steps_and_the_margin() -> None:
    picture = draw("Call <Meg>", windows(conversation()))
    texts = [e.text or "" for e in ET.fromstring(picture).iter() if e.tag.endswith("text")]
    assert {"Call <Meg>", "reply", "items", "encoded", "prepared", "margin 1900 ms",
            "microphone reopens", "turn 0: ready"} <= set(texts)


def test_a_late_window_has_no_margin() -> None:
    picture = draw("late", windows(conversation(ready=False)))
    assert "turn 0: late" in picture and "margin" not in picture


def test_each_window_has_its_panel_and_none_is_said_to_be_none() -> None:
    two = draw("two", windows([*conversation(), *conversation()]))
    assert two.count("turn 0: ready") == 2
    assert "no context window was opened" in draw("none", [])
    ET.fromstring(two)

"""A conversation begun at one device is carried on at another, by two whole agents."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.emulate.runner import Outcome, hold
from agent.emulate.scene import Scene, read_scene
from agent.events import DialogueClosed, DirectiveIssued, Event, FollowUpTimedOut, PlaceCall
from agent.sync.household.file import HouseholdFile
from agent.sync.household.membership import (
    Member,
    create,
    joined,
    new_id,
    new_private,
    public_of,
    with_members,
)
from agent.sync.household.ratchet import hour_of
from agent.sync.settings import Settings

RECORDINGS = Path(__file__).parents[2] / "scenes" / "recordings"

KITCHEN = f"""
title = "Kitchen"
[settings.dialogue]
follow_up = 1.5
[[step]]
play = "{RECORDINGS / "call-meg.flac"}"
[[step]]
until = "follow-up"
[[step]]
until = "idle"
[[step]]
pause = 2.0
"""

HALL = f"""
title = "Hall"
[[step]]
press = "press"
[[step]]
pause = 1.0
[[step]]
play = "{RECORDINGS / "bauer.flac"}"
[[step]]
until = "idle"
[[step]]
pause = 1.0
"""


@pytest.fixture(autouse=True)
def engines(model_path: Callable[[str], Path]) -> None:
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")


@pytest.fixture
def devices(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of two devices of one household."""
    first = create("Home", "kitchen", hour_of(time.time_ns() // 1_000_000))
    private = new_private()
    second = Member(new_id(), "hall", public_of(private), 1)
    members = joined(first.household.members, (second,))
    folders = tmp_path / "kitchen", tmp_path / "hall"
    kitchen = with_members(first, members)
    hall = replace(kitchen, device=second.id, private=private)
    for folder, membership in zip(folders, (kitchen, hall), strict=True):
        folder.mkdir(mode=0o700)
        HouseholdFile(folder).create(membership)
    return folders


def scene(folder: Path, text: str, sync: Settings) -> Scene:
    path = folder / "scene.toml"
    path.write_text(text)
    found = read_scene(path)
    return replace(found, settings=replace(found.settings, sync=sync))


def held(folder: Path, text: str, sync: Settings,
         watch: Callable[[Event], None] = lambda event: None) -> Outcome:
    return asyncio.run(hold(scene(folder, text, sync), fast=False, folder=folder, watch=[watch]))


def test_a_question_asked_in_the_kitchen_is_answered_in_the_hall(
        devices: tuple[Path, Path], cloud: Settings, stored: Callable[[str], Any]) -> None:
    kitchen, hall = devices
    asked = held(kitchen, KITCHEN, cloud)
    assert any(isinstance(event, FollowUpTimedOut) for event in asked.events)
    assert stored("interaction"), "the open question is in the cloud"
    answered = held(hall, HALL, cloud)
    assert answered.understood == "call Meg Bauer"
    assert any(isinstance(event, DirectiveIssued) and isinstance(event.directive, PlaceCall)
               for event in answered.events)


def test_without_the_household_s_question_the_same_answer_is_nothing(
        devices: tuple[Path, Path], cloud: Settings) -> None:
    answered = held(devices[1], HALL, cloud)
    assert "call" not in answered.understood
    assert any(isinstance(event, DialogueClosed) for event in answered.events)

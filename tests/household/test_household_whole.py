"""A whole agent that has no contacts of its own knows those of the household's other device."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agent.dialogue.catalogue import Contact, PhoneNumber
from agent.dialogue.catalogue.sharing import vcards
from agent.emulate.runner import hold
from agent.emulate.scene import read_scene
from agent.events import DirectiveIssued, PlaceCall
from agent.sync.catalogues import HouseholdCatalogues
from agent.sync.cloud import template
from agent.sync.dynamodb import DynamoDb
from agent.sync.household.file import HouseholdFile
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.membership import create
from agent.sync.household.ratchet import hour_of
from agent.sync.settings import Settings
from tests.household.conftest import another
from tests.sync.table_server import TableServer

RECORDINGS = Path(__file__).parents[2] / "scenes" / "recordings"
SCENE = f"""
title = "Hall"
[[step]]
pause = 6.0
[[step]]
play = "{RECORDINGS / "call-meg.flac"}"
[[step]]
until = "idle"
[[step]]
pause = 1.0
"""


@pytest.fixture
def sync(tmp_path: Path):
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIDTEST\n"
                           "aws_secret_access_key = secret\n")
    credentials.chmod(0o600)
    server = TableServer().start()
    for spec in template.tables("voice-agent"):
        server.service.call("CreateTable", spec.creation)
    yield Settings(enabled=True, region="local", endpoint=server.endpoint,
                   credentials=credentials)
    server.stop()


@pytest.mark.long
def test_one_of_two_of_the_name_is_called_without_a_question(
        tmp_path, sync, model_path: Callable[[str], Path]):
    for model in ("silero-vad", "moonshine-tiny-en"):
        model_path(model)
    if shutil.which("flite") is None:
        pytest.skip("flite is not installed")
    now = time.time_ns() // 1_000_000
    kitchen, hall = another(create("Elm Street", "Kitchen", hour_of(now)), "Hall")
    for name, membership in (("kitchen", kitchen), ("hall", hall)):
        (tmp_path / name).mkdir(mode=0o700)
        HouseholdFile(tmp_path / name, {}).create(membership)
    keyring = HouseholdKeyring.open(tmp_path / "kitchen", Life(300_000, 86_400_000), {})
    assert keyring
    shared = HouseholdCatalogues(lambda: None)
    shared.offer({"contacts": vcards([Contact("Meg Bauer", "Meg", "Bauer", (), (
        PhoneNumber("+15550100999", "mobile"),))])})
    shared.exchange(DynamoDb(sync, keyring.household), keyring, now)

    path = tmp_path / "scene.toml"
    path.write_text(SCENE)
    scene = read_scene(path)
    scene = replace(scene, settings=replace(scene.settings, sync=sync))
    outcome = asyncio.run(hold(scene, fast=False, folder=tmp_path / "hall"))
    calls = [event.directive for event in outcome.events if isinstance(event, DirectiveIssued)
             and isinstance(event.directive, PlaceCall)]
    # The samples have two Megs, about whom the agent would ask.
    assert [call.number for call in calls] == ["+15550100999"]

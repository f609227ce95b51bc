"""Documents and removals over DynamoDB's own engine."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from agent.sync.catalogues import HouseholdCatalogues
from agent.sync.cloud.check import Checker
from agent.sync.cloud.setup import set_up
from agent.sync.credentials import make_client
from agent.sync.dynamodb import DynamoDb
from agent.sync.household.generations import Generations, RemovedError
from agent.sync.household.shelf import Shelf
from agent.sync.settings import Settings

NOW = 500_000 * 3_600_000
CANARY = "Wilhelmina Canary-Featherstonehaugh"

pytestmark = pytest.mark.long


@pytest.fixture
def settings(tmp_path: Path, dynamodb_local: str):
    credentials = tmp_path / "credentials"
    credentials.write_text("[default]\naws_access_key_id = AKIDTEST\n"
                           "aws_secret_access_key = secret\n")
    credentials.chmod(0o600)
    found = Settings(enabled=True, endpoint=dynamodb_local, region="us-east-1",
                     credentials=credentials, tables=f"t{secrets.token_hex(4)}")
    assert [line for line in set_up(found) if line.endswith("made")]
    yield found
    client = make_client(found)
    for name in ("interaction", "item"):
        client.delete_table(TableName=found.table(name))


def test_tables_are_made_once_and_checked(settings, devices):
    (kitchen,) = devices("Kitchen")
    assert [line.partition(": ")[2] for line in set_up(settings)] == [
        "there already", "rows expire by expires"] * 2
    steps = list(Checker(settings, kitchen.keyring).run())
    assert [step.state for step in steps] == ["ok", "ok", "ok", "ok", "note"], steps


def test_catalogues_and_a_removal(settings, devices):
    shared = []
    for device in devices("Kitchen", "Hall", "Lost"):
        backend = DynamoDb(settings, device.keyring.household)
        shelf = Shelf(backend, device.keyring)
        shared.append((device, backend, Generations(shelf, device.keyring),
                       HouseholdCatalogues(lambda: None)))
    large = os.urandom(400_000).hex()

    def look(number: int, own: dict[str, str], now: int) -> dict[str, tuple[str, ...]]:
        device, backend, _, catalogues = shared[number]
        catalogues.offer(own)
        catalogues.exchange(backend, device.keyring, now)
        return dict(catalogues.documents())

    look(0, {"contacts": CANARY, "places": large}, NOW)
    look(2, {"contacts": "lost"}, NOW)
    assert look(1, {}, NOW) == {"contacts": ("lost", CANARY), "places": (large,)}
    shared[0][2].remove(shared[2][0].member, NOW)
    assert look(1, {}, NOW + 100_000) == {"contacts": (CANARY,), "places": (large,)}
    with pytest.raises(RemovedError):
        look(2, {"contacts": "lost"}, NOW + 100_000)
    look(0, {"contacts": "new"}, NOW + 100_000)
    assert look(1, {}, NOW + 200_000) == {"contacts": ("new",)}
    rows = make_client(settings).scan(TableName=settings.table("item"))["Items"]
    kinds = sorted(row["name"]["S"][:2] for row in rows)
    assert kinds == ["~d", "~g", "~i"]
    assert CANARY.encode() not in b"".join(
        value["B"] for row in rows for value in row.values() if "B" in value)

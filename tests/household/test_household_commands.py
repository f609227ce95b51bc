"""The household's and the cloud's commands, over two devices and a table service."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.cli import main
from agent.commands.household import _where
from agent.config import load
from agent.errors import AgentError
from agent.store import CatalogueEntry, ContextStore
from agent.sync.catalogues import HouseholdCatalogues
from agent.sync.cloud import template
from agent.sync.cloud.check import Checker
from agent.sync.credentials import make_client
from agent.sync.dynamodb import DynamoDb
from agent.sync.faults import CloudError, Kind
from agent.sync.household import discovery
from agent.sync.household.file import HouseholdFile
from agent.sync.household.generations import RemovedError
from agent.sync.household.keyring import ClockDoubtError, HouseholdKeyring, Life
from agent.sync.household.membership import create
from agent.sync.household.pairing import PairingError
from agent.sync.household.ratchet import hour_of
from tests.sync.table_server import TableServer

REPOSITORY = Path(__file__).resolve().parents[2]
CANARY = "Wilhelmina Canary-Featherstonehaugh"


@pytest.fixture
def service():
    server = TableServer().start()
    yield server
    server.stop()


def made(server: TableServer) -> None:
    """The tables, without a command's time."""
    for spec in template.tables("voice-agent"):
        server.service.call("CreateTable", spec.creation)


class Machine:
    """One device: its settings and state, and the command line there."""

    def __init__(self, folder: Path, endpoint: str, sync: bool = True) -> None:
        self.folder = folder
        folder.mkdir()
        self.config, credentials = folder / "config.toml", folder / "credentials"
        credentials.write_text("[default]\naws_access_key_id = AKIDTEST\n"
                               "aws_secret_access_key = secret\n")
        credentials.chmod(0o600)
        self.config.write_text(
            f'[store]\ndirectory = "{folder / "state"}"\n[sync]\n'
            f'enabled = {str(sync).lower()}\nregion = "local"\nendpoint = "{endpoint}"\n'
            f'credentials = "{credentials}"\n')

    def run(self, monkeypatch, *words: str) -> int:
        monkeypatch.setenv("VOICE_AGENT_CONFIG", str(self.config))
        return main(words)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "agent.cli", *words], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, cwd=REPOSITORY,
            env={**os.environ, "VOICE_AGENT_CONFIG": str(self.config)})

    @property
    def keyring(self) -> HouseholdKeyring:
        config = load(self.config)
        found = HouseholdKeyring.open(config.store.directory, Life.of(config.store.retention), {})
        assert found
        return found

    def exchange(self, own: dict[str, str]) -> dict[str, tuple[str, ...]]:
        keyring = self.keyring
        shared = HouseholdCatalogues(lambda: None)
        shared.offer(own)
        shared.exchange(DynamoDb(load(self.config).sync, keyring.household), keyring, 0)
        return dict(shared.documents())


@pytest.fixture
def kitchen(tmp_path, service) -> Machine:
    return Machine(tmp_path / "kitchen", service.endpoint)


@pytest.fixture
def hall(tmp_path, service) -> Machine:
    return Machine(tmp_path / "hall", service.endpoint)


def invited(machine: Machine) -> tuple[subprocess.Popen[str], list[str]]:
    """A waiting invitation, and the words that the other device is to be given."""
    waiting = machine.start("household", "invite", "--address", "127.0.0.1", "--port", "0")
    line = waiting.stdout.readline()
    found = re.search(r"voice-agent (household join \S+ \S+)", line)
    assert found, line + waiting.stderr.read()
    return waiting, found[1].split()


def test_from_nothing_to_two_devices_and_back_to_one(kitchen, hall, service, monkeypatch, capsys):
    assert kitchen.run(monkeypatch, "household", "create", "Elm Street", "--device",
                       "Kitchen") == 0
    assert kitchen.run(monkeypatch, "cloud", "setup") == 0
    assert kitchen.run(monkeypatch, "cloud", "check") == 0
    waiting, words = invited(kitchen)
    assert hall.run(monkeypatch, *words, "--device", "Hall") == 0
    told = waiting.communicate(timeout=20)[1]
    assert waiting.returncode == 0 and "“Hall” belongs to the household now" in told
    assert "with Kitchen" in capsys.readouterr().err

    assert kitchen.exchange({"contacts": CANARY}) == {}
    assert hall.exchange({"places": "Cafe"}) == {"contacts": (CANARY,)}
    assert kitchen.run(monkeypatch, "household", "show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert {(d["name"], d["this"]) for d in shown["devices"]} == {("Kitchen", True),
                                                                ("Hall", False)}
    held = json.dumps(service.service.tables, default=lambda v: getattr(v, "__dict__", repr(v)))
    assert shown["household"] in held
    for secret in (CANARY, "Elm Street", "Kitchen", "Cafe"):
        assert secret not in held

    assert kitchen.run(monkeypatch, "household", "remove", "hall", "--yes") == 0
    assert "Delete its cloud credentials" in capsys.readouterr().err
    with pytest.raises(RemovedError):
        hall.exchange({"places": "Cafe"})
    assert kitchen.exchange({"contacts": CANARY}) == {}
    assert kitchen.keyring.generation == 2
    assert hall.run(monkeypatch, "household", "leave", "--yes") == 0
    assert not (hall.folder / "state" / "household.key").exists()
    assert kitchen.run(monkeypatch, "household", "show") == 0
    out = capsys.readouterr().out
    assert "Kitchen" in out and "Hall" not in out


def test_a_wrong_code_is_one_sentence_on_both_sides(kitchen, hall, monkeypatch, capsys):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    waiting, words = invited(kitchen)
    code = words[-1]
    wrong = ("1" if code[0] == "0" else "0") + code[1:]
    assert hall.run(monkeypatch, *words[:-1], wrong) == 1
    assert "refused the code" in capsys.readouterr().err
    told = waiting.communicate(timeout=20)[1]
    assert waiting.returncode == 1
    assert "the code is wrong" in told and "Traceback" not in told
    assert not (hall.folder / "state" / "household.key").exists()


@pytest.mark.parametrize("words, message", [
    (("household", "show"), "belongs to no household"),
    (("household", "invite"), "belongs to no household"),
    (("household", "remove", "x"), "belongs to no household"),
    (("household", "leave", "--yes"), "belongs to no household"),
    (("household", "create", "   "), "1 to 64 printable characters"),
    (("household", "create", "a\x00b"), "1 to 64 printable characters"),
    (("household", "join", "10.0.0.1", "12345"), "a code is 8 digits"),
    (("household", "join", "10.0.0.1:99999", "12345678"), "99999 is no port"),
    (("household", "join", "here", "there", "12345678"), "more than one address"),
    (("household", "join", "ht tp", "12345678"), "is no address"),
    (("cloud", "policy"), "belongs to no household"),
    (("cloud", "policy", "--household", "x"), "is no household's id"),
    (("cloud", "check"), "belongs to no household"),
    (("cloud", "setup", "--tables", "a/b"), "cannot begin a table's name"),
    (("cloud", "setup", "--endpoint", "http://127.0.0.1:9"), "cannot be reached"),
])
def test_what_is_wrong_is_said_in_a_sentence(kitchen, monkeypatch, capsys, words, message):
    assert kitchen.run(monkeypatch, *words) == 1
    told = capsys.readouterr().err
    assert message in told
    assert "Traceback" not in told


@pytest.mark.parametrize("words, message", [
    (("household", "create", "Other"), "belongs to a household already"),
    (("household", "join", "127.0.0.1:9", "12345678"), "belongs to a household already"),
    (("household", "remove", "Attic"), "no device is called 'Attic'"),
    (("household", "remove", "Kitchen", "--yes"), "a device cannot remove itself"),
    (("household", "invite", "--minutes", "0"), "up to 60 minutes"),
    (("household", "invite", "--port", "70000"), "70000 is no port"),
    (("household", "invite", "--address", "203.0.113.9", "--port", "0"), "cannot listen"),
])
def test_what_a_household_refuses(kitchen, service, monkeypatch, capsys, words, message):
    kitchen.run(monkeypatch, "household", "create", "Elm Street", "--device", "Kitchen")
    made(service)
    assert kitchen.run(monkeypatch, *words) == 1
    assert message in capsys.readouterr().err


def test_nothing_is_removed_or_left_without_a_yes(kitchen, monkeypatch, capsys):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert kitchen.run(monkeypatch, "household", "leave") == 1
    assert "run it with --yes" in capsys.readouterr().err
    assert kitchen.keyring.generation == 1


def test_leaving_takes_what_the_others_shared_out_of_the_store(kitchen, monkeypatch):
    async def catalogue(*entries: CatalogueEntry) -> list[str]:
        async with await ContextStore.open(load(kitchen.config).store) as store:
            await store.put_catalogue("household", entries)
            return [entry.key for entry in await store.catalogue("household")]

    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    many = [CatalogueEntry(f"document {n}", CANARY.encode()) for n in range(300)]
    assert len(asyncio.run(catalogue(*many))) == 300
    assert kitchen.run(monkeypatch, "household", "leave", "--yes") == 0
    assert asyncio.run(catalogue()) == []


def test_a_removal_needs_the_cloud(tmp_path, monkeypatch, capsys):
    alone = Machine(tmp_path / "alone", "http://127.0.0.1:9", sync=False)
    alone.run(monkeypatch, "household", "create", "Elm Street")
    assert alone.run(monkeypatch, "household", "remove", "Hall", "--yes") == 1
    assert "sync is off" in capsys.readouterr().err


def test_the_file_of_a_household_is_private(kitchen, monkeypatch):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    for path in (kitchen.folder / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_to_join_is_read_as_people_write_it():
    assert _where(["192.168.1.20", "4711-0815"]) == ("192.168.1.20", 47823, "4711-0815")
    assert _where(["192.168.1.20:9", "4711", "0815"]) == ("192.168.1.20", 9, "47110815")
    assert _where(["[fe80::1%eth0]:9", "47110815"]) == ("fe80::1%eth0", 9, "47110815")
    assert _where(["kitchen.local"]) == ("kitchen.local", 47823, "")
    assert _where(["4711-0815"]) == ("", 47823, "4711-0815")


# --- finding the other device -------------------------------------------------------------------


def test_an_inviting_device_is_found_and_other_questions_get_no_answer():
    async def look():
        answering = await discovery.answer(4711, "127.0.0.1", 0)
        port = answering.get_extra_info("sockname")[1]
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.setblocking(False)
                for data in (b"", b"who are you", discovery.QUESTION,
                             discovery.QUESTION + bytes(9)):
                    asking.sendto(data, ("127.0.0.1", port))
                found = await discovery.find("127.0.0.1", port, wait_s=0.4)
                with pytest.raises(BlockingIOError):
                    asking.recv(100)
        finally:
            answering.close()
        return found

    assert asyncio.run(look()) == discovery.Place("127.0.0.1", 4711)


def test_nobody_invites_is_said():
    with pytest.raises(PairingError, match="no device in the local network invites"):
        asyncio.run(discovery.find("127.0.0.1", 9, wait_s=0.1))


def test_more_than_one_inviting_device_must_be_told_apart(monkeypatch):
    monkeypatch.setattr(discovery, "_ask", lambda *_: [
        discovery.Place("10.0.0.1", 1), discovery.Place("10.0.0.2", 1)])
    with pytest.raises(PairingError, match=r"10\.0\.0\.1:1, 10\.0\.0\.2:1"):
        asyncio.run(discovery.find())


# --- the cloud ----------------------------------------------------------------------------------


def test_setup_makes_the_tables_once_and_leaves_others_alone(kitchen, service, monkeypatch,
                                                            capsys):
    assert kitchen.run(monkeypatch, "cloud", "setup") == 0
    assert capsys.readouterr().err.count("made") == 2
    assert kitchen.run(monkeypatch, "cloud", "setup") == 0
    told = capsys.readouterr().err
    assert told.count("there already") == 2 and told.count("rows expire by expires") == 2


def test_a_table_with_other_keys_is_left_as_it_is(kitchen, service, monkeypatch, capsys):
    client = make_client(load(kitchen.config).sync)
    client.create_table(TableName="voice-agent-interaction", BillingMode="PAY_PER_REQUEST",
                        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
    assert kitchen.run(monkeypatch, "cloud", "setup") == 1
    assert "with other keys: id instead of household, name" in capsys.readouterr().err
    assert client.list_tables()["TableNames"] == ["voice-agent-interaction"]


@pytest.mark.parametrize("spoil, message", [
    (lambda s: s.gate.expired.add("AKIDTEST"), "credentials have expired"),
    (lambda s: s.gate.refused.add("AKIDTEST"), "credentials do not allow"),
    (lambda s: s.gate.secrets.clear(), "does not take this device's credentials"),
    (lambda s: setattr(s.gate, "region", "elsewhere"), "another region"),
    (lambda s: s.service.tables.clear(), "no such tables"),
    (lambda s: setattr(s.gate, "now", lambda: 1.9e9), "clock is too far off"),
])
def test_check_names_what_is_wrong(kitchen, service, monkeypatch, capsys, spoil, message):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    made(service)
    spoil(service)
    capsys.readouterr()
    assert kitchen.run(monkeypatch, "cloud", "check", "--json") == 1
    steps = json.loads(capsys.readouterr().out)
    assert steps[-1]["state"] == "failed" and message in steps[-1]["detail"]
    assert steps[-1]["mend"]


def test_check_leaves_nothing_behind(kitchen, service,
                                                                       monkeypatch, capsys):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    made(service)
    capsys.readouterr()
    assert kitchen.run(monkeypatch, "cloud", "check", "--json") == 0
    assert json.loads(capsys.readouterr().out)[-1]["state"] == "note"
    assert "~p" not in repr([vars(t) if hasattr(t, "__dict__") else t
                             for t in service.service.tables.values()])


def test_check_settles_whether_the_clock_is_right_after_a_long_time_off(
        kitchen, service, monkeypatch, capsys):
    now = hour_of(time.time_ns() // 1_000_000)
    HouseholdFile(kitchen.folder / "state", {}).create(
        create("Elm Street", "Kitchen", now - 100 * 24))
    made(service)
    with pytest.raises(ClockDoubtError, match="100 days ahead"):
        kitchen.keyring.epoch(time.time_ns() // 1_000_000)
    assert kitchen.run(monkeypatch, "cloud", "check") == 0
    assert kitchen.keyring.membership.household.chain.hour - now in (0, 1)


class Narrow:
    """A backend whose credentials are kept to one household, or are not."""

    def __init__(self, backend: DynamoDb, refuses: bool) -> None:
        self._backend, self._refuses = backend, refuses
        self.transact, self.query = backend.transact, backend.query

    def get(self, table, keys):
        if self._refuses:
            raise CloudError(Kind.REFUSED, "this device's credentials do not allow it")
        return self._backend.get(table, keys)


@pytest.mark.parametrize("narrow, state", [(True, "ok"), (False, "failed")])
def test_check_sees_whether_rights_are_kept_to_the_household(kitchen, monkeypatch, service,
                                                             narrow, state):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    made(service)
    keyring, settings = kitchen.keyring, load(kitchen.config).sync

    def make(asked, household, on_date):
        # As at AWS: no endpoint of one's own is set, and the policy alone decides.
        backend = DynamoDb(settings, household, on_date)
        return Narrow(backend, narrow and household != keyring.household)

    steps = list(Checker(replace(settings, endpoint=""), keyring, make).run())
    assert [step.state for step in steps[:-1]] == ["ok"] * 4
    assert steps[-1].state == state


def test_the_policy_is_the_template_s(kitchen, monkeypatch, capsys):
    kitchen.run(monkeypatch, "household", "create", "Elm Street")
    capsys.readouterr()
    assert kitchen.run(monkeypatch, "cloud", "policy", "--region", "eu-central-1",
                       "--account", "111122223333") == 0
    policy = json.loads(capsys.readouterr().out)
    (statement,) = policy["Statement"]
    assert statement["Resource"] == [
        "arn:aws:dynamodb:eu-central-1:111122223333:table/voice-agent-interaction",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/voice-agent-item"]
    assert statement["Condition"]["ForAllValues:StringEquals"]["dynamodb:LeadingKeys"] == [
        kitchen.keyring.household]
    assert kitchen.run(monkeypatch, "cloud", "template") == 0
    assert capsys.readouterr().out == template.PATH.read_text(encoding="utf-8")


def test_join_without_a_code_asks_for_it(hall, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdin, "readline", lambda: "12\n", raising=False)
    assert hall.run(monkeypatch, "household", "join", "127.0.0.1:9") == 1
    assert "a code is 8 digits" in capsys.readouterr().err
    with pytest.raises(AgentError):
        _where(["a", "b"])

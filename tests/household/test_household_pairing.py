"""Pairing by a short code: who has it gets in, once; nobody else learns or changes anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import AgentError
from agent.sync.household import inviting, pairing
from agent.sync.household.file import HouseholdFile, HouseholdFileError
from agent.sync.household.inviting import Inviter
from agent.sync.household.joining import join
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import HouseholdKeyring, Life
from agent.sync.household.membership import (
    MAX_MEMBERS,
    Member,
    create,
    joined,
    new_id,
    new_private,
    public_of,
    with_members,
)
from agent.sync.household.pairing import (
    GarbageError,
    Invitation,
    Inviting,
    Joining,
    PairingError,
    WrongCodeError,
    clean_code,
    new_code,
)
from agent.sync.household.ratchet import hour_of

CODE = "4711-0815"
LIFE = Life(300_000, 86_400_000)


@pytest.fixture
def kitchen(tmp_path) -> HouseholdFile:
    file = HouseholdFile(tmp_path / "kitchen", {})
    file.create(create("Elm Street", "Kitchen", hour_of(round(time.time() * 1000))))
    return file


@pytest.fixture
def hall(tmp_path) -> HouseholdFile:
    folder = tmp_path / "hall"
    folder.mkdir()
    return HouseholdFile(folder, {})


@asynccontextmanager
async def invitation(file: HouseholdFile, **kwargs) -> AsyncIterator[tuple[int, asyncio.Task]]:
    inviter = Inviter(file, CODE, **{"lifetime_s": 10, "patience_s": 5, **kwargs})
    port = await inviter.listen("127.0.0.1", 0)
    waiting = asyncio.ensure_future(inviter.member())
    try:
        yield port, waiting
    finally:
        waiting.cancel()
        with contextlib.suppress(asyncio.CancelledError, AgentError):
            await waiting


def test_a_second_device_joins_and_has_the_same_keys(kitchen, hall):
    async def pair():
        async with invitation(kitchen) as (port, waiting):
            mine = await join(hall, "127.0.0.1", port, "4711 0815", "Hall")
            return mine, await waiting

    mine, seen = asyncio.run(pair())
    assert seen == mine.me and seen.name == "Hall"
    theirs = kitchen.read()
    assert hall.read() == mine
    assert mine.household == theirs.household
    assert [m.name for m in sorted(theirs.household.members, key=lambda m: m.name)] == [
        "Hall", "Kitchen"]
    now = round(time.time() * 1000)
    rings = [HouseholdKeyring(f, KeptKeys(None, ""), LIFE) for f in (kitchen, hall)]
    one, two = ((r.household, r.name("item", "x"), r.epoch(now), r.key(r.epoch(now), "text"))
                for r in rings)
    assert one == two
    assert rings[0].device != rings[1].device


def test_a_wrong_code_ends_the_invitation(kitchen, hall):
    before = kitchen.read()

    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            with pytest.raises(WrongCodeError, match="refused the code"):
                await join(hall, "127.0.0.1", port, "4711-0816", "Hall")
            with pytest.raises(WrongCodeError, match="the code is wrong"):
                await waiting
            with pytest.raises(PairingError, match="no device answers"):
                await join(hall, "127.0.0.1", port, CODE, "Hall")

    asyncio.run(attempts())
    assert kitchen.read() == before
    assert hall.find() is None


def test_a_code_serves_one_device(kitchen, hall, tmp_path):
    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            await join(hall, "127.0.0.1", port, CODE, "Hall")
            await waiting
            with pytest.raises(PairingError, match="no device answers"):
                await join(HouseholdFile(tmp_path, {}), "127.0.0.1", port, CODE, "Attic")

    asyncio.run(attempts())
    assert len(kitchen.read().household.members) == 2


def test_of_two_devices_with_the_code_at_the_same_time_one_gets_in(kitchen, hall, tmp_path):
    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            attic = HouseholdFile(tmp_path, {})
            outcomes = await asyncio.gather(
                join(hall, "127.0.0.1", port, CODE, "Hall"),
                join(attic, "127.0.0.1", port, CODE, "Attic"), return_exceptions=True)
            await waiting
            return outcomes

    outcomes = asyncio.run(attempts())
    assert sum(isinstance(outcome, PairingError) for outcome in outcomes) == 1
    assert len(kitchen.read().household.members) == 2


def test_an_invitation_that_nobody_takes_is_over_in_time(kitchen):
    async def wait():
        async with invitation(kitchen, lifetime_s=0.05) as (port, waiting):
            with pytest.raises(PairingError, match="nobody joined within"):
                await waiting
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(wait())


def test_silent_and_strange_callers_do_not_hold_up_the_right_one(kitchen, hall):
    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
            for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\x05hello", b"\xff" * 400,
                            b"\0\0\0\x37" + pairing.HELLO + bytes(33)):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(garbage)
                writer.write_eof()
                await asyncio.sleep(0.02)
                writer.close()
            await join(hall, "127.0.0.1", port, CODE, "Hall")
            for _, writer in silent:
                writer.close()
            return await waiting

    assert asyncio.run(attempts()).name == "Hall"


@given(st.lists(st.binary(max_size=80) | st.binary(max_size=60).map(
    lambda data: len(data).to_bytes(4, "big") + data) | st.binary(max_size=40).map(
        lambda data: (len(pairing.HELLO) + 33).to_bytes(4, "big") + pairing.HELLO + b"A" + data),
    min_size=1, max_size=4))
@settings(max_examples=12)
def test_whatever_bytes_come_the_right_device_still_gets_in(tmp_path_factory, streams):
    folder = tmp_path_factory.mktemp("home")
    kitchen = HouseholdFile(folder / "kitchen", {})
    kitchen.create(create("Elm Street", "Kitchen", hour_of(round(time.time() * 1000))))

    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            for stream in streams:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(stream)
                writer.write_eof()
                with contextlib.suppress(OSError):
                    await reader.read()
                writer.close()
            await join(HouseholdFile(folder, {}), "127.0.0.1", port, CODE, "Hall")
            return await waiting

    assert asyncio.run(attempts()).name == "Hall"


@given(st.lists(st.binary(max_size=120), max_size=4))
@settings(max_examples=12)
def test_whatever_bytes_an_inviting_device_sends_nothing_is_kept(tmp_path_factory, messages):
    hall = HouseholdFile(tmp_path_factory.mktemp("hall"), {})

    async def attempt():
        async def answer(reader, writer):
            for message in messages:
                writer.write(len(message).to_bytes(4, "big") + message)
            with contextlib.suppress(OSError):
                writer.write_eof()
                await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        try:
            await join(hall, "127.0.0.1", server.sockets[0].getsockname()[1], CODE, "Hall",
                       patience_s=2)
        finally:
            server.close()

    with pytest.raises(PairingError):
        asyncio.run(attempt())
    assert hall.find() is None


def test_too_many_callers_end_the_invitation(kitchen, monkeypatch):
    monkeypatch.setattr(inviting, "CALLERS", 5)

    async def attempts():
        async with invitation(kitchen) as (port, waiting):
            for _ in range(5):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"\xff" * 8)
                writer.close()
            with pytest.raises(PairingError, match="too many connections"):
                await waiting

    asyncio.run(attempts())


# --- somebody in between ------------------------------------------------------------------------


@asynccontextmanager
async def relay(port: int, meddle: Callable[[bytes, int], bytes]) -> AsyncIterator[int]:
    """Passes bytes on both ways through ``meddle``, which is told how many went before."""
    tasks = []
    passed = 0

    async def pump(reader, writer):
        nonlocal passed
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                altered = meddle(data, passed)
                passed += len(data)
                writer.write(altered)
                await writer.drain()
            writer.close()

    async def call(reader, writer):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        tasks.append(asyncio.ensure_future(pump(reader, there_writer)))
        tasks.append(asyncio.ensure_future(pump(there_reader, writer)))

    server = await asyncio.start_server(call, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()


def test_an_eavesdropper_learns_neither_code_nor_secrets_nor_names(kitchen, hall):
    heard = bytearray()

    def listen(data: bytes, _: int) -> bytes:
        heard.extend(data)
        return data

    async def pair():
        async with invitation(kitchen) as (port, waiting), relay(port, listen) as between:
            await join(hall, "127.0.0.1", between, CODE, "Hall")
            await waiting

    asyncio.run(pair())
    shared = kitchen.read().household
    secrets = [CODE, "47110815", "Elm Street", "Kitchen", "Hall", shared.id, hall.read().device]
    for secret in (shared.chain.secret, shared.name_key, shared.document_key):
        assert secret not in heard
        secrets.append(secret.hex())
    assert len(heard) > 500
    assert not any(secret.encode().lower() in bytes(heard).lower() for secret in secrets)


def test_a_byte_changed_on_the_way_is_never_accepted(kitchen, hall):
    length = 0

    def count(data: bytes, before: int) -> bytes:
        nonlocal length
        length = before + len(data)
        return data

    async def pair(meddle, target):
        async with invitation(kitchen, patience_s=0.3) as (port, waiting), \
                relay(port, meddle) as between:
            mine = await join(target, "127.0.0.1", between, CODE, "Hall", patience_s=0.5)
            await asyncio.wait_for(waiting, 1)
            return mine

    asyncio.run(pair(count, hall))
    hall.delete()
    # The last message only says that all went well: all before it must refuse.
    for position in sorted({*range(0, length - 24, 83), *range(0, 120, 11)}):
        def flip(data: bytes, before: int, position=position) -> bytes:
            place = position - before
            if 0 <= place < len(data):
                return data[:place] + bytes([data[place] ^ 1]) + data[place + 1:]
            return data

        with pytest.raises(AgentError):
            asyncio.run(pair(flip, hall))
        assert hall.find() is None, position


# --- messages -----------------------------------------------------------------------------------


def entry(name: str = "Hall") -> Member:
    return Member(new_id(), name, public_of(new_private()), 1)


def proved() -> tuple[Joining, Inviting, bytes]:
    joiner, inviter = Joining(CODE), Inviting(CODE)
    return joiner, inviter, inviter.check(joiner.prove(inviter.answer(joiner.hello())))


@given(st.binary(max_size=200))
@settings(max_examples=15)
def test_any_bytes_at_any_step_are_refused_in_one_way(data):
    with pytest.raises(GarbageError):
        Inviting(CODE).answer(data)
    with pytest.raises(PairingError):
        Joining(CODE).prove(data)
    joiner, inviter, proof = proved()
    with pytest.raises(WrongCodeError):
        joiner.introduce(data, entry())
    with pytest.raises(GarbageError):
        inviter.meet(data)
    joiner.introduce(proof, entry())
    with pytest.raises(GarbageError):
        joiner.receive(data)


PROVED = proved()


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=70),
                    lambda inner: st.lists(inner, max_size=3)
                    | st.dictionaries(st.sampled_from(["id", "name", "public", "version", "x"]),
                                      inner, max_size=4), max_leaves=8))
@settings(max_examples=150)
def test_a_device_with_the_code_cannot_send_nonsense(value):
    joiner, inviter, _ = PROVED
    with pytest.raises(GarbageError):
        inviter.meet(joiner._channel.seal(json.dumps(value).encode()))
    with pytest.raises(GarbageError):
        joiner.receive(inviter._channel.seal(json.dumps({"household": value,
                                                         "now_ms": 1}).encode()))


def test_a_message_out_of_its_turn_is_refused():
    joiner, inviter, proof = proved()
    first = joiner.introduce(proof, entry())
    inviter.meet(first)
    with pytest.raises(GarbageError):
        inviter.finished(first)
    with pytest.raises(GarbageError, match="before its turn"):
        Inviting(CODE).meet(first)


def test_a_reflected_message_proves_nothing():
    joiner = Joining(CODE)
    hello = joiner.hello()
    with pytest.raises(PairingError):
        joiner.prove(hello[len(pairing.HELLO):])


def test_codes_are_random_digits_and_typed_as_people_type():
    codes = {new_code() for _ in range(200)}
    assert len(codes) == 200
    assert all(re.fullmatch(r"\d{4}-\d{4}", code) for code in codes)
    assert clean_code(" 4711-0815 ") == clean_code("47110815") == clean_code("4711 0815")
    for wrong in ("", "4711", "4711-081x", "4711-08155", "４７１１-0815"):
        with pytest.raises(PairingError, match="8 digits"):
            clean_code(wrong)


# --- what must fit ------------------------------------------------------------------------------


def test_clocks_that_differ_are_told_before_anything_is_kept(kitchen, hall):
    async def attempt():
        async with invitation(kitchen) as (port, _):
            await join(hall, "127.0.0.1", port, CODE, "Hall", clock=lambda: time.time() - 3630)

    with pytest.raises(PairingError, match="clocks of the two devices differ by 60 minutes"):
        asyncio.run(attempt())
    assert hall.find() is None


def test_a_device_of_another_household_must_leave_it_first(kitchen):
    with pytest.raises(HouseholdFileError, match="belongs to a household already"):
        asyncio.run(join(kitchen, "127.0.0.1", 1, CODE, "Kitchen"))


def test_a_full_household_says_so(kitchen, hall):
    many = [entry(f"Room {n}") for n in range(MAX_MEMBERS - 1)]
    kitchen.change(lambda m: with_members(m, joined(m.household.members, many)))

    async def attempt():
        async with invitation(kitchen, patience_s=0.5) as (port, waiting):
            with pytest.raises(PairingError):
                await join(hall, "127.0.0.1", port, CODE, "Hall", patience_s=0.5)
            await waiting

    with pytest.raises(PairingError, match="at most 64 devices"):
        asyncio.run(attempt())


def test_a_port_in_use_is_told(kitchen):
    async def attempt():
        async with invitation(kitchen) as (port, _):
            await Inviter(kitchen, CODE).listen("127.0.0.1", port)

    with pytest.raises(PairingError, match="cannot listen"):
        asyncio.run(attempt())


def test_nothing_secret_shows_in_a_repr(kitchen):
    membership = kitchen.read()
    text = repr(membership) + repr(Invitation(membership.household, 0)) + repr(
        replace(membership, former_private=membership.private))
    for secret in ("Elm Street", "Kitchen", repr(membership.private)[2:-1],
                   repr(membership.household.chain.secret)[2:-1]):
        assert secret not in text

"""The hourly keys of a household: the same on every device, and gone when their time is over."""

from __future__ import annotations

import hmac
import os
import shutil
import stat
import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store import files
from agent.sync.household import file as file_module
from agent.sync.household.file import HouseholdFile, HouseholdFileError, NoHouseholdError
from agent.sync.household.kept import KeptKeys
from agent.sync.household.keyring import ClockDoubtError, HouseholdKeyring, Life
from agent.sync.household.membership import Membership, create
from agent.sync.household.ratchet import EPOCH_MS, Chain
from agent.sync.keys import EpochGoneError, EpochUnknownError, Purpose

HOUR = 500_000
VECTOR = "41e03c37436de3923a39d79d768da5b5b7a1d5f4aa751fc35848c374297c9fd9"
"""The chain three hours after 000102…1f in generation 3."""
NO_CREDENTIAL: Mapping[str, str] = {}
DAY = Life(text_ms=300_000, row_ms=24 * EPOCH_MS)
PURPOSES: tuple[Purpose, ...] = ("text", "row")


def at(hour: float) -> int:
    return round((HOUR + hour) * EPOCH_MS)


def device(folder: Path, membership: Membership, kept: KeptKeys | None = None,
           life: Life = DAY) -> HouseholdKeyring:
    folder.mkdir(exist_ok=True)
    file = HouseholdFile(folder, NO_CREDENTIAL)
    if file.find() is None:
        file.create(membership)
    return HouseholdKeyring(file, kept or KeptKeys(None, "boot"), life)


def household() -> Membership:
    return create("Home", "Kitchen", HOUR)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60), st.integers(-3, 2)), max_size=25))
@settings(max_examples=30)
def test_two_devices_agree_on_every_key_in_whatever_order_they_ask(tmp_path_factory, steps):
    folder = tmp_path_factory.mktemp("devices")
    membership = household()
    pair = (device(folder / "a", membership), device(folder / "b", membership))
    seen: dict[tuple[int, Purpose], bytes] = {}
    for which, hour, offset in steps:
        keyring = pair[which]
        epoch = keyring.epoch(at(hour))
        for purpose in PURPOSES:
            try:
                key = keyring.key(epoch + offset, purpose)
            except (EpochGoneError, EpochUnknownError):
                assert offset != 0
                continue
            assert seen.setdefault((epoch + offset, purpose), key) == key
    assert len(set(seen.values())) == len(seen)


def test_a_key_is_gone_once_all_under_it_has_expired(tmp_path):
    keyring = device(tmp_path, household())
    first = keyring.epoch(at(0))
    keyring.epoch(at(1))
    assert len(keyring.key(first, "text")) == 32
    keyring.epoch(at(1.2))
    with pytest.raises(EpochGoneError):
        keyring.key(first, "text")
    assert len(keyring.key(first, "row")) == 32
    keyring.epoch(at(25.2))
    with pytest.raises(EpochGoneError):
        keyring.key(first, "row")


def test_what_is_on_disk_later_cannot_make_an_earlier_key(tmp_path):
    keyring = device(tmp_path / "a", household())
    first = keyring.epoch(at(0))
    keys = [keyring.key(first, purpose) for purpose in PURPOSES]
    keyring.epoch(at(30))
    thief = HouseholdKeyring(HouseholdFile(tmp_path / "a", NO_CREDENTIAL),
                             KeptKeys(None, "other boot"), DAY)
    for purpose in PURPOSES:
        with pytest.raises(EpochGoneError):
            thief.key(first, purpose)
    held = (tmp_path / "a" / "household.key").read_bytes()
    assert not any(key in held or key.hex().encode() in held for key in keys)


def test_a_device_that_was_off_catches_up_and_has_the_hours_that_still_count(tmp_path):
    membership = household()
    awake, asleep = device(tmp_path / "a", membership), device(tmp_path / "b", membership)
    epochs = [awake.epoch(at(hour)) for hour in range(48)]
    asleep.epoch(at(47))
    for epoch in epochs[-24:]:
        assert asleep.key(epoch, "row") == awake.key(epoch, "row")
    with pytest.raises(EpochGoneError):
        asleep.key(epochs[0], "row")


def test_one_hour_ahead_is_known_and_two_are_not(tmp_path):
    membership = household()
    slow, fast = device(tmp_path / "a", membership), device(tmp_path / "b", membership)
    slow.epoch(at(0))
    ahead = fast.epoch(at(1))
    assert slow.key(ahead, "text") == fast.key(ahead, "text")
    with pytest.raises(EpochUnknownError):
        slow.key(fast.epoch(at(2)), "text")


def test_a_clock_set_back_never_steps_the_chain_back(tmp_path):
    keyring = device(tmp_path / "a", household())
    epoch = keyring.epoch(at(100))
    assert keyring.epoch(at(-5000)) == epoch
    # Ahead by some hours and put right: the hour that it really is can still be sealed under.
    other = device(tmp_path / "b", household())
    now = other.epoch(at(0))
    other.epoch(at(5))
    assert other.epoch(at(5) - 10 * EPOCH_MS) == now + 5
    longer = device(tmp_path / "c", household(), life=Life(24 * EPOCH_MS, 24 * EPOCH_MS))
    now = longer.epoch(at(0))
    longer.epoch(at(5))
    assert longer.epoch(at(0.5)) == now


def test_a_clock_that_says_next_century_needs_to_be_confirmed(tmp_path):
    keyring = device(tmp_path, household())
    epoch = keyring.epoch(at(0))
    with pytest.raises(ClockDoubtError, match="days ahead"):
        keyring.epoch(at(24 * 365 * 73))
    assert keyring.epoch(at(0)) == epoch
    assert keyring.epoch(at(24 * 31)) == epoch + 24 * 31
    assert keyring.confirm(at(24 * 365)) == epoch + 24 * 365


def test_a_restarted_agent_goes_on_and_a_rebooted_one_has_lost_the_past(tmp_path):
    memory = tmp_path / "memory"
    memory.mkdir(mode=0o700)
    membership = household()
    keyring = device(tmp_path / "a", membership, KeptKeys(memory, "boot 1"))
    past = keyring.epoch(at(0))
    key = keyring.key(past, "row")
    keyring.epoch(at(2))
    assert all(stat.S_IMODE(p.stat().st_mode) == 0o600 for p in memory.iterdir())
    restarted = device(tmp_path / "a", membership, KeptKeys(memory, "boot 1"))
    assert restarted.key(past, "row") == key
    rebooted = device(tmp_path / "a", membership, KeptKeys(memory, "boot 2"))
    with pytest.raises(EpochGoneError):
        rebooted.key(past, "row")
    with pytest.raises(EpochGoneError):
        restarted.key(past, "row")  # destroyed on sight, for the process that had it as well


@pytest.mark.parametrize("crash_at", range(30))
def test_a_crash_at_any_step_of_the_chain_loses_nothing(tmp_path, monkeypatch, crash_at):
    memory = tmp_path / "memory"
    memory.mkdir(mode=0o700)
    membership = household()
    keyring = device(tmp_path / "a", membership, KeptKeys(memory, "boot"))
    sound = device(tmp_path / "b", membership)
    epoch = keyring.epoch(at(0))

    count = 0

    def crashing(real):
        def call(*args, **kwargs):
            nonlocal count
            count += 1
            if count > crash_at:
                raise KeyboardInterrupt
            return real(*args, **kwargs)
        return call

    with monkeypatch.context() as patch:
        for name in ("open", "write", "fsync"):
            patch.setattr(os, name, crashing(getattr(os, name)))
        patch.setattr(Path, "rename", crashing(Path.rename))
        patch.setattr(files, "sync_folder", crashing(files.sync_folder))
        try:
            keyring.epoch(at(1))
            keyring.epoch(at(2))
        except KeyboardInterrupt:
            pass
        else:
            assert crash_at >= 20
    again = device(tmp_path / "a", membership, KeptKeys(memory, "boot"))
    now = again.epoch(at(2))
    assert now == sound.epoch(at(2)) == epoch + 2
    for hour in range(3):
        assert again.key(epoch + hour, "row") == sound.key(epoch + hour, "row")


def test_names_hide_their_ids_and_outlive_hours_and_generations(tmp_path):
    membership = household()
    keyring = device(tmp_path / "a", membership)
    name = keyring.name("interaction", "dialogue.0001")
    assert len(name) == 43 and "dialogue" not in name
    assert name != keyring.name("item", "dialogue.0001")
    keyring.epoch(at(100))
    assert keyring.name("interaction", "dialogue.0001") == name
    assert device(tmp_path / "b", membership).name("interaction", "dialogue.0001") == name
    assert device(tmp_path / "c", household()).name("interaction", "dialogue.0001") != name


def test_threads_and_processes_step_the_same_chain(tmp_path):
    membership = household()
    one = device(tmp_path, membership)
    two = device(tmp_path, membership)
    threads = [threading.Thread(target=lambda k=k, n=n: k.epoch(at(n)))
               for n in range(20) for k in (one, two)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert one.epoch(at(20)) == two.epoch(at(20)) == HOUR + 20
    assert one.key(HOUR + 20, "text") == two.key(HOUR + 20, "text")


def expand(secret: bytes, label: bytes, *numbers: int) -> bytes:
    """One block of HKDF-Expand (RFC 5869, 2.3), from the description of the format alone."""
    info = b"l" + len(label).to_bytes(4, "big") + label
    for number in numbers:
        info += b"i" + (8).to_bytes(4, "big") + number.to_bytes(8, "big")
    return hmac.digest(secret, info + b"\x01", "sha256")


def test_the_ratchet_is_as_it_is_described():
    chain = Chain(3, HOUR, bytes(range(32)))
    for _ in range(3):
        for purpose in PURPOSES:
            label = f"voice-agent household {purpose} 1".encode()
            assert chain.key(purpose) == expand(chain.secret, label, 3, chain.hour)
        step = expand(chain.secret, b"voice-agent household step 1", 3, chain.hour)
        chain = chain.next()
        assert chain == Chain(3, chain.hour, step)
    assert chain.secret.hex() == VECTOR


# --- the file -----------------------------------------------------------------------------------


def test_the_file_is_private_and_sealed_where_a_credential_is_given(tmp_path):
    device(tmp_path / "a", household())
    path = tmp_path / "a" / "household.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (tmp_path / file_module.CREDENTIAL).write_bytes(os.urandom(32))
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    membership = household()
    file = HouseholdFile(tmp_path / "b", environ)
    file.create(membership)
    held = file.path.read_bytes()
    assert membership.household.chain.secret.hex().encode() not in held and b"Kitchen" not in held
    assert HouseholdFile(tmp_path / "b", environ).read() == membership
    with pytest.raises(HouseholdFileError, match="sealed by the systemd credential"):
        HouseholdFile(tmp_path / "b", NO_CREDENTIAL).read()
    (tmp_path / file_module.CREDENTIAL).write_bytes(os.urandom(32))
    with pytest.raises(HouseholdFileError, match="not sealed by this credential"):
        HouseholdFile(tmp_path / "b", environ).read()


def test_a_plain_file_is_sealed_at_the_next_step_once_there_is_a_credential(tmp_path):
    device(tmp_path / "a", household())
    (tmp_path / file_module.CREDENTIAL).write_bytes(os.urandom(32))
    file = HouseholdFile(tmp_path / "a", {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    HouseholdKeyring(file, KeptKeys(None, ""), DAY).epoch(at(1))
    assert b"Kitchen" not in file.path.read_bytes()


@pytest.mark.parametrize("spoil, message", [
    (lambda p: p.chmod(0o644), "can be read by others"),
    (lambda p: p.write_bytes(b""), "no household file"),
    (lambda p: p.write_bytes(p.read_bytes()[:-40]), "is damaged"),
    (lambda p: p.write_bytes(p.read_bytes().replace(b"generation", b"geheration")), "is damaged"),
    (lambda p: (p.unlink(), p.symlink_to("/dev/null")), "cannot be read"),
])
def test_a_file_that_cannot_be_used_is_left_as_it_is(tmp_path, spoil, message):
    device(tmp_path, household())
    path = tmp_path / "household.key"
    spoil(path)
    before = path.read_bytes()
    with pytest.raises(HouseholdFileError, match=message):
        HouseholdFile(tmp_path, NO_CREDENTIAL).change(lambda m: replace(m, removed=True))
    assert path.read_bytes() == before


def test_a_second_household_is_refused_and_a_forgotten_one_leaves_nothing(tmp_path):
    keyring = device(tmp_path, household())
    with pytest.raises(HouseholdFileError, match="belongs to a household already"):
        HouseholdFile(tmp_path, NO_CREDENTIAL).create(household())
    assert keyring.forget()
    assert not (tmp_path / "household.key").exists()
    with pytest.raises(NoHouseholdError):
        keyring.epoch(at(0))
    assert not keyring.forget()
    shutil.rmtree(tmp_path)

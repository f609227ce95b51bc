"""Documents of a household in a cloud table, and what a removed device can still do: nothing."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.sync.faults import CloudError, Kind
from agent.sync.household import index as index_module
from agent.sync.household.generations import NoSuchDeviceError, RemovedError
from agent.sync.household.index import Entry, Index
from agent.sync.household.membership import MalformedError, Member
from agent.sync.household.packing import DocumentTooLargeError
from agent.sync.household.ratchet import EPOCH_MS
from agent.sync.household.sealer import ReplayedError
from agent.sync.keys import EpochGoneError

NOW = 500_000 * EPOCH_MS + 1000
CANARY = b"Wilhelmina Canary-Featherstonehaugh +15550109999"


def everything(device) -> dict[tuple[str, str], bytes]:
    device.generations.follow()
    seen = device.shelf.read()
    return {entry.id: device.shelf.fetch(entry) for entry in seen.index.entries}


def test_what_one_device_publishes_the_other_reads_and_the_cloud_cannot(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    kitchen.shelf.publish({"contacts": CANARY, "places": b"Cafe"})
    hall.shelf.publish({"contacts": b"Other"})
    me, other = kitchen.keyring.device, hall.keyring.device
    for device in (kitchen, hall):
        assert everything(device) == {(me, "contacts"): CANARY, (me, "places"): b"Cafe",
                                      (other, "contacts"): b"Other"}
    for secret in (CANARY, b"Canary", b"Kitchen", b"Elm Street", b"contacts", me.encode(),
                   other.encode()):
        assert secret not in cloud.content


def test_looking_for_changes_is_one_request(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    kitchen.shelf.publish({"contacts": CANARY})
    cloud.requests.clear()
    hall.generations.follow()
    assert cloud.requests == ["get"]


def test_a_replaced_document_leaves_no_parts_behind(devices, cloud):
    (kitchen,) = devices("Kitchen")
    large = os.urandom(800_000)
    kitchen.shelf.publish({"contacts": large})
    assert len(cloud.keys("d")) == 3
    assert everything(kitchen) == {(kitchen.keyring.device, "contacts"): large}
    kitchen.shelf.publish({"contacts": b"small", "places": b"x"})
    assert len(cloud.keys("d")) == 2
    kitchen.shelf.publish({}, gone=["contacts", "places"])
    assert cloud.keys("d") == []
    assert everything(kitchen) == {}


def test_a_document_that_cannot_fit_is_refused_and_nothing_is_written(devices, cloud):
    (kitchen,) = devices("Kitchen")
    with pytest.raises(DocumentTooLargeError, match="contacts are too large"):
        kitchen.shelf.publish({"contacts": os.urandom(1_000_000)})
    assert cloud.rows == {}


def test_devices_that_write_at_the_same_time_lose_nothing(devices, cloud):
    several = devices("Kitchen", "Hall", "Attic")
    threads = [threading.Thread(target=lambda d=d, n=n: d.shelf.publish({f"doc-{n}": b"x"}))
               for d in several for n in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(everything(several[0])) == 6
    versions = [e.version for e in several[0].shelf.read().index.entries]
    assert len(set(versions)) == 6


def test_a_lost_answer_is_no_lost_write(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")

    def lose(what):
        if what == "transact":
            cloud.after = lambda what: None
            raise CloudError(Kind.SLOW, "the cloud table does not answer in time")

    cloud.after = lose
    kitchen.shelf.publish({"contacts": CANARY})
    assert everything(hall) == {(kitchen.keyring.device, "contacts"): CANARY}


def test_a_cloud_that_cannot_be_reached_is_told(devices, cloud):
    (kitchen,) = devices("Kitchen")

    def fail(what):
        raise CloudError(Kind.UNREACHABLE, "the cloud table cannot be reached")

    cloud.before = fail
    with pytest.raises(CloudError, match="cannot be reached"):
        kitchen.shelf.publish({"contacts": CANARY})


# --- a cloud that lies --------------------------------------------------------------------------


def alter(row, **change):
    return replace(row, **change)


def flipped(row, place):
    blob = bytearray(row.blobs["sealed"])
    blob[place] ^= 1
    return replace(row, blobs={"sealed": bytes(blob)})


@pytest.mark.parametrize("spoil", [
    lambda row: flipped(row, 0), lambda row: flipped(row, -1), lambda row: flipped(row, 20),
    lambda row: replace(row, blobs={}), lambda row: replace(row, blobs={"sealed": b""}),
    lambda row: replace(row, version=row.version + 1),
])
@pytest.mark.parametrize("kind", ["i", "d"])
def test_an_altered_record_is_refused(devices, cloud, kind, spoil):
    kitchen, hall = devices("Kitchen", "Hall")
    kitchen.shelf.publish({"contacts": CANARY})
    (key,) = cloud.keys(kind)
    before = cloud.rows["item", key]
    cloud.rows["item", key] = spoil(before)
    if kind == "d" and cloud.rows["item", key].blobs == before.blobs:
        return  # a part's version is bound by the index, and what the row says of it not used
    with pytest.raises(ReplayedError):
        everything(hall)


def test_parts_that_were_exchanged_or_taken_away_are_refused(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    kitchen.shelf.publish({"contacts": CANARY, "places": b"Cafe"})
    one, two = (("item", key) for key in cloud.keys("d"))
    rows = dict(cloud.rows)
    cloud.rows[one] = replace(rows[two], key=one[1])
    cloud.rows[two] = replace(rows[one], key=two[1])
    with pytest.raises(ReplayedError):
        everything(hall)
    cloud.rows = dict(rows)
    del cloud.rows[one]
    with pytest.raises(ReplayedError):
        everything(hall)


def test_an_index_of_yesterday_is_refused(devices, cloud):
    kitchen, hall = devices("Kitchen", "Hall")
    kitchen.shelf.publish({"contacts": b"old"})
    yesterday = dict(cloud.rows)
    kitchen.shelf.publish({"contacts": b"new"})
    serial = hall.shelf.read().index.serial
    cloud.rows = yesterday
    with pytest.raises(ReplayedError):
        hall.shelf.read(at_least=serial)
    cloud.rows = {}
    with pytest.raises(ReplayedError):
        hall.shelf.read(at_least=serial)


# --- removal ------------------------------------------------------------------------------------


def test_the_others_follow_a_removal_and_the_removed_device_cannot(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    kitchen.shelf.publish({"contacts": CANARY})
    lost.shelf.publish({"places": b"of the lost one"})
    hall.shelf.publish({"devices": b"lamp"})
    before = [d.keyring.membership for d in (kitchen, hall)]
    kitchen.generations.remove(lost.member, NOW)

    assert kitchen.keyring.generation == 2
    assert hall.generations.follow()[1] == 1
    for device, old in zip((kitchen, hall), before, strict=True):
        new = device.keyring.membership
        assert new.household.chain.secret != old.household.chain.secret
        assert new.household.document_key != old.household.document_key
        assert new.household.name_key == old.household.name_key
        assert new.private != old.private
        assert lost.keyring.device not in {m.id for m in new.household.members}
    assert everything(hall) == everything(kitchen) == {
        (kitchen.keyring.device, "contacts"): CANARY, (hall.keyring.device, "devices"): b"lamp"}
    epoch = hall.keyring.epoch(NOW)
    assert hall.keyring.key(epoch, "text") == kitchen.keyring.key(kitchen.keyring.epoch(NOW),
                                                                  "text")
    with pytest.raises(RemovedError, match="removed from the household"):
        lost.generations.follow()
    with pytest.raises(ReplayedError):
        lost.shelf.read()
    assert lost.keyring.generation == 1
    assert lost.keyring.key(epoch, "text") != hall.keyring.key(epoch, "text")


def test_keys_of_the_old_generation_are_thrown_away(devices):
    kitchen, lost = devices("Kitchen", "Lost")
    first = kitchen.keyring.epoch(NOW)
    kitchen.keyring.epoch(NOW + EPOCH_MS)
    kitchen.keyring.key(first, "row")
    kitchen.generations.remove(lost.member, NOW + EPOCH_MS)
    with pytest.raises(EpochGoneError):
        kitchen.keyring.key(first, "row")


def test_a_device_that_slept_through_several_removals_follows_them_all(devices):
    kitchen, hall, asleep, *lost = devices("Kitchen", "Hall", "Asleep", "Lost 1", "Lost 2",
                                           "Lost 3", "Lost 4")
    kitchen.shelf.publish({"contacts": CANARY})
    # The remover's key is new after each removal, and the sleeping device learns of it on the way.
    for remover, victim in zip((kitchen, hall, kitchen, hall), lost, strict=True):
        remover.generations.follow()
        remover.shelf.publish({})
        remover.generations.remove(victim.member, NOW)
    assert asleep.generations.follow()[1] == 4
    assert everything(asleep) == {(kitchen.keyring.device, "contacts"): CANARY}
    names = {m.name for m in asleep.keyring.membership.household.members}
    assert names == {"Kitchen", "Hall", "Asleep"}
    kitchen.generations.follow()
    assert kitchen.keyring.key(kitchen.keyring.epoch(NOW), "row") == asleep.keyring.key(
        asleep.keyring.epoch(NOW), "row")


def test_a_device_whose_new_key_nobody_knows_yet_is_still_reached(devices):
    kitchen, hall, *lost = devices("Kitchen", "Hall", "Lost 1", "Lost 2", "Lost 3")
    for victim in lost:
        kitchen.generations.remove(victim.member, NOW)
        assert hall.generations.follow()[1] == 1  # and never publishes its new key
        hall.keyring.epoch(NOW + 30 * 24 * EPOCH_MS)
    assert hall.keyring.generation == kitchen.keyring.generation == 4


def test_the_key_before_is_thrown_away_a_day_after_the_new_one_is_known(devices):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    kitchen.generations.remove(lost.member, NOW)
    hall.generations.follow()
    hall.shelf.publish({})
    hall.keyring.epoch(NOW + 23 * EPOCH_MS)
    assert hall.keyring.membership.former_private
    hall.keyring.epoch(NOW + 24 * EPOCH_MS)
    assert not hall.keyring.membership.former_private
    kitchen.keyring.epoch(NOW + 24 * EPOCH_MS)
    assert not kitchen.keyring.membership.former_private


def test_a_key_on_a_card_that_is_found_later_does_not_open_the_generation_in_use(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    kitchen.generations.remove(lost.member, NOW)
    record = cloud.rows["item", cloud.keys("g")[0]]
    hall.generations.follow()
    hall.shelf.publish({})
    hall.keyring.epoch(NOW + 24 * EPOCH_MS)
    membership = hall.keyring.membership
    household = replace(membership.household, chain=replace(
        membership.household.chain, generation=1))
    assert hall.generations._opened(record, replace(membership, household=household), 2) is None


def test_of_two_removals_at_the_same_time_one_holds_and_both_can_go_on(devices, cloud):
    kitchen, hall, lost, stolen = devices("Kitchen", "Hall", "Lost", "Stolen")
    kitchen.shelf.publish({"contacts": CANARY})
    raced = False

    def race(what):
        nonlocal raced
        if what == "transact" and not raced:
            raced = True
            hall.generations.remove(stolen.member, NOW)

    cloud.before = race
    with pytest.raises(CloudError, match="changed the household just now"):
        kitchen.generations.remove(lost.member, NOW)
    assert kitchen.keyring.generation == 1
    kitchen.generations.remove(lost.member, NOW)
    hall.generations.follow()
    assert kitchen.keyring.generation == hall.keyring.generation == 3
    assert everything(hall) == everything(kitchen) == {
        (kitchen.keyring.device, "contacts"): CANARY}
    assert len(cloud.keys("d")) == 1


def test_a_removal_whose_answer_was_lost_is_found_done(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    kitchen.shelf.publish({"contacts": CANARY})
    away = False

    def lose(what):
        nonlocal away
        if what == "transact" and len(cloud.keys("g")) == 1:
            away = True

    def fail(what):
        if away:
            raise CloudError(Kind.UNREACHABLE, "the cloud table cannot be reached")

    cloud.after, cloud.before = lambda w: (lose(w), fail(w)), fail
    with pytest.raises(CloudError):
        kitchen.generations.remove(lost.member, NOW)
    cloud.after = cloud.before = lambda what: None
    assert kitchen.keyring.generation == 1
    kitchen.generations.follow()
    kitchen.shelf.publish({})
    hall.generations.follow()
    hall.shelf.publish({})
    assert kitchen.keyring.generation == hall.keyring.generation == 2
    # And the key that was lost with the answer is not the one that the others wrap to.
    hall_member = hall.keyring.membership.household.member(kitchen.keyring.device)
    hall.generations.follow()
    hall.shelf.learn(hall.shelf.read().index)
    hall_member = hall.keyring.membership.household.member(kitchen.keyring.device)
    assert hall_member == kitchen.member


def test_a_device_cannot_remove_itself_or_a_stranger(devices):
    kitchen, _ = devices("Kitchen", "Hall")
    with pytest.raises(NoSuchDeviceError, match="cannot remove itself"):
        kitchen.generations.remove(kitchen.member, NOW)
    with pytest.raises(NoSuchDeviceError, match="no device of this household"):
        kitchen.generations.remove(Member("0" * 32, "Garage", bytes(32), 1), NOW)


def test_only_a_device_of_the_household_can_make_a_generation(devices, cloud):
    kitchen, hall, lost = devices("Kitchen", "Hall", "Lost")
    kitchen.generations.remove(lost.member, NOW)
    (key,) = cloud.keys("g")
    record = cloud.rows["item", key]
    wraps = record.blobs["wraps"]
    for spoiled in (b"", b"{}", b"[]", wraps[:-30], wraps.replace(b"A", b"B"), b"\xff" * 9):
        cloud.rows["item", key] = replace(record, blobs={**record.blobs, "wraps": spoiled})
        with pytest.raises(RemovedError):
            hall.generations.follow()
    cloud.rows["item", key] = replace(record, blobs={"wraps": wraps, "roster": b"x" * 60})
    with pytest.raises(RemovedError):
        hall.generations.follow()
    cloud.rows["item", key] = record
    assert hall.generations.follow()[1] == 1


# --- the index ----------------------------------------------------------------------------------


@given(st.binary(max_size=300) | st.recursive(
    st.none() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(
        st.sampled_from(["serial", "members", "documents"]), inner, max_size=3),
    max_leaves=12).map(lambda v: __import__("json").dumps(v).encode()))
def test_any_bytes_are_an_index_or_refused(data):
    try:
        found = index_module.decode(data)
    except MalformedError:
        return
    assert index_module.decode(index_module.encode(found)) == found


def test_an_index_comes_back_as_it_was():
    entries = tuple(Entry(f"{n:032x}", name, n, f"{n:032x}", 1)
                    for n, name in enumerate(("contacts", "devices")))
    index = Index(7, (Member("a" * 32, "Küche", bytes(32), 3),), entries)
    assert index_module.decode(index_module.encode(index)) == index
    assert index.next_version == 2
    for first, second in itertools.permutations(entries):
        assert (first.order > second.order) == (first.version > second.version)

"""Two devices, one conversation: what one says the other can open, while it lives."""

from __future__ import annotations

from typing import Any

from agent.store import deleting, interactions
from agent.sync.keys import EpochGoneError, EpochUnknownError

D = "6b49d200" + "ab" * 8


def test_what_was_said_in_the_kitchen_is_known_in_the_hall(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "call meg", event="utterance intent:call")
    kitchen.say(D, 0, "meg jones or meg bauer?", "reply", "speak expect-speech")
    assert kitchen.push() == 1
    (changed,) = hall.pull(full=False)
    assert changed.expects_speech and changed.events[-1] == "expect-speech"
    assert hall.texts(D) == ["call meg", "meg jones or meg bauer?"]
    assert hall.content() == kitchen.content()
    assert hall.pull(full=False) == () and hall.push() == 0


def test_versions_of_one_interaction_go_as_one(household: Any) -> None:
    (kitchen,) = household("kitchen")
    for n in range(10):
        kitchen.say(D, 0, f"text {n}")
    before = kitchen.backend.requests
    assert kitchen.push() == 1
    assert kitchen.backend.requests - before == 1
    kitchen.say(D, 0, "one more")
    assert kitchen.push() == 1 and kitchen.push() == 0
    assert kitchen.backend.requests - before == 2


def test_a_hundred_interactions_take_few_requests(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    for n in range(100):
        kitchen.say(D, n, f"text {n}")
        kitchen.say(D, n, f"reply {n}", "reply", "speak")
    before = kitchen.backend.requests
    assert kitchen.push() == 100
    assert kitchen.backend.requests - before <= 6
    assert len(hall.pull()) == 100
    assert hall.content() == kitchen.content()


def test_a_turn_with_more_texts_than_a_transaction_takes_goes_all_the_same(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    for n in range(3):
        interactions.append(kitchen.session, D, 0, "display",
                            [interactions.NewItem("screen", f"{n} {k} " + "x" * 9000)
                             for k in range(50)])
    assert kitchen.push() == 1
    hall.pull()
    assert len(hall.texts(D)) == 150 and hall.content() == kitchen.content()


def test_the_hall_answers_the_kitchens_question(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "which meg?", "reply", "speak expect-speech")
    kitchen.push()
    hall.pull()
    hall.say(D, 1, "bauer")
    hall.say(D, 0, "noted", "consulted", "note")
    assert hall.push() == 2
    assert {r.turn for r in kitchen.pull()} == {0, 1}
    assert kitchen.texts(D, 0) == ["which meg?", "noted"] and kitchen.texts(D, 1) == ["bauer"]
    assert kitchen.content() == hall.content()


def test_a_text_deleted_here_goes_there_and_from_the_cloud(household: Any, stored: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "secret words")
    kitchen.say(D, 0, "places", "places", "display")
    kitchen.push()
    hall.pull()
    assert len(stored("item")[kitchen.ring.household]) == 2
    interactions.close_dialogue(kitchen.session, D)
    assert kitchen.push() == 1
    assert len(stored("item")[kitchen.ring.household]) == 1
    hall.pull()
    assert hall.texts(D) == ["places"] == kitchen.texts(D)
    assert hall.session.connection.execute("SELECT count(*) FROM item").fetchone() == (1,)


def test_a_deleted_interaction_stays_deleted(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D)
    kitchen.push()
    hall.pull()
    deleting.delete(kitchen.session, D, 0)
    hall.say(D, 0, "too late")
    kitchen.push()
    hall.push()
    hall.pull()
    kitchen.pull()
    assert hall.row(D) is None and kitchen.row(D) is None
    for device in (kitchen, hall):
        assert device.session.connection.execute("SELECT count(*) FROM item").fetchone() == (0,)


def test_both_add_at_once_and_both_keep_everything(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "first")
    kitchen.push()
    hall.pull()
    kitchen.say(D, 0, "from the kitchen")
    hall.say(D, 0, "from the hall")
    kitchen.push()
    hall.push()
    kitchen.pull()
    assert sorted(kitchen.texts(D)) == ["first", "from the hall", "from the kitchen"]
    assert kitchen.content() == hall.content()
    assert kitchen.push() == 0 and hall.push() == 0


def test_a_restarted_device_sends_nothing_twice(household: Any, stored: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    for n in range(20):
        kitchen.say(D, n, f"text {n}")
    kitchen.push()
    kitchen.restart()
    assert kitchen.push() == 0
    kitchen.say(D, 3, "more")
    assert kitchen.push() == 1
    hall.pull()
    assert hall.content() == kitchen.content()
    assert len(stored("item")[kitchen.ring.household]) == 21


def test_a_rebooted_device_gets_back_what_the_others_still_know(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "call meg")
    kitchen.push()
    hall.pull()
    kitchen.reboot()
    assert kitchen.texts(D) == []
    kitchen.pull()
    assert kitchen.texts(D) == ["call meg"]


def test_two_devices_that_begin_the_same_turn_agree(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "from the kitchen")
    hall.say(D, 0, "from the hall")
    kitchen.push()
    hall.push()
    for device in (kitchen, hall, kitchen, hall):
        device.pull()
        device.push()
    assert kitchen.content() == hall.content()
    assert sorted(kitchen.texts(D)) == ["from the hall", "from the kitchen"]


def test_households_see_nothing_of_each_other(household: Any) -> None:
    kitchen, = household("kitchen")
    other, = household("kitchen", secret=b"household two")
    kitchen.say(D)
    kitchen.push()
    assert other.pull() == () and other.row(D) is None


def test_a_chain_of_keys_is_stepped_before_anything_is_opened(household: Any) -> None:
    """A device that was off has keys of an earlier hour until it looks at the clock."""
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "call meg")
    kitchen.push()
    stepped: list[int] = []
    key, epoch = hall.ring.key, hall.ring.epoch

    def step(now_ms: int) -> int:
        stepped.append(now_ms)
        return int(epoch(now_ms))

    def key_once_stepped(number: int, purpose: Any) -> bytes:
        if not stepped:
            raise EpochUnknownError("of a later hour")
        return bytes(key(number, purpose))

    hall.ring.epoch, hall.ring.key = step, key_once_stepped
    assert len(hall.pull(full=False)) == 1
    assert hall.texts(D) == ["call meg"]


def forget_keys(device: Any) -> None:
    """The keys of all hours until now are gone, as after a reboot."""
    key, now = device.ring.key, device.ring.epoch(device.world.now)

    def after(epoch: int, purpose: Any) -> bytes:
        if epoch <= now:
            raise EpochGoneError("gone with the reboot")
        return bytes(key(epoch, purpose))

    device.ring.key = after


def test_a_tombstone_that_a_rebooted_device_cannot_open_is_not_written_over(
        household: Any, world: Any) -> None:
    kitchen, hall, study = household("kitchen", "hall", "study")
    kitchen.say(D)
    kitchen.push()
    hall.pull()
    deleting.delete(hall.session, D, 0)
    hall.push()
    forget_keys(kitchen)
    kitchen.reboot()
    world.pass_s(3600)
    kitchen.say(D, 0, "does not know of the deletion")
    assert kitchen.push() == 0
    assert "deleted it" in kitchen.status.report.aside[0].what
    assert study.pull() == () or study.row(D) is None
    assert study.texts(D) == [] and hall.row(D) is None


def test_a_row_that_a_rebooted_device_cannot_open_is_replaced_and_then_joined(
        household: Any, world: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "kept an hour", "other")
    kitchen.push()
    hall.pull()
    hall.say(D, 0, "of the hall", "places", "display")
    hall.push()
    forget_keys(kitchen)
    kitchen.reboot()
    world.pass_s(120)
    kitchen.say(D, 0, "after the reboot", "places", "display")
    kitchen.push()
    for device in (hall, kitchen, hall):
        device.pull()
        device.push()
    assert kitchen.content() == hall.content()
    assert "after the reboot" in hall.texts(D)


def test_after_a_device_was_removed_the_others_go_on_under_new_keys(household: Any) -> None:
    kitchen, hall, lost = household("kitchen", "hall", "lost")
    kitchen.say(D, 0, "before")
    kitchen.push()
    lost.pull()
    assert lost.texts(D) == ["before"]
    kitchen.ring.generation = hall.ring.generation = 2
    assert hall.pull() == () and hall.status.report.refused_altered == 0
    kitchen.restart()
    kitchen.say(D, 0, "after")
    kitchen.push()
    hall.pull()
    assert hall.texts(D) == ["before", "after"]
    assert lost.pull() == () and lost.texts(D) == ["before"]
    assert lost.status.report.unreadable == 1
    # And what the removed device would still write replaces nothing.
    lost.say(D, 0, "of the lost one")
    assert lost.push() == 0 and len(lost.status.report.aside) == 1
    hall.pull()
    assert hall.texts(D) == ["before", "after"]

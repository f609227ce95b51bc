"""What has expired or was deleted never comes back: late cloud, wrong clocks, a month away."""

from __future__ import annotations

from typing import Any

import pytest

from agent.store import deleting, sweep

D = "6b49d200" + "aa" * 8
DAY = 86_400


def rows_in(device: Any, table: str) -> int:
    return int(device.session.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_expired_rows_that_the_cloud_still_has_are_not_taken(household: Any, stored: Any,
                                                             world: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D)
    kitchen.push()
    world.pass_s(DAY + 5)
    assert len(stored("interaction")[kitchen.ring.household]) == 1
    assert hall.pull() == () and rows_in(hall, "interaction") == 0
    assert kitchen.row(D) is None and kitchen.push() == 0


def test_a_text_expires_at_every_device_when_it_expires_where_it_was_said(
        household: Any, world: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D)
    world.pass_s(200)
    kitchen.push()
    hall.pull()
    world.pass_s(97)
    assert kitchen.texts(D) == hall.texts(D) == ["hello"]
    world.pass_s(6)
    assert kitchen.texts(D) == hall.texts(D) == []
    late, = household("late")
    late.pull()
    assert late.row(D) is not None and late.texts(D) == []


def test_what_has_expired_before_it_could_be_sent_is_dropped(household: Any, world: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0)
    world.pass_s(400)
    kitchen.say(D, 1)
    assert kitchen.push() == 2
    hall.pull()
    assert hall.texts(D, 0) == [] and hall.texts(D, 1) == ["hello"]
    kitchen.say(D, 2)
    world.pass_s(DAY + 5)
    assert kitchen.push() == 0


def test_a_device_that_was_off_for_a_month_brings_nothing_back(household: Any,
                                                               world: Any) -> None:
    """Deleted or expired, its copy is dead by its own clock before it may send anything."""
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "to be deleted")
    kitchen.say(D, 1, "to expire")
    kitchen.push()
    hall.pull()
    hall.say(D, 0, "an edit never sent")
    hall.say(D, 1, "another")
    deleting.delete(kitchen.session, D, 0)
    kitchen.push()
    hall.power_off()
    world.pass_s(30 * DAY)
    hall.boot()
    assert hall.push() == 0
    kitchen.pull()
    hall.pull()
    for device in (kitchen, hall):
        sweep.run(device.session)
        assert device.row(D, 0) is None and device.row(D, 1) is None
        assert rows_in(device, "interaction") == rows_in(device, "item") == 0


def test_not_even_when_its_clock_stood_still(household: Any, world: Any) -> None:
    """No battery: it boots with the time of a month ago, and the cloud takes no such signature.

    Once the network has set the clock, the store's second judge lets the old rows go.
    """
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D, 0, "to be deleted")
    kitchen.push()
    hall.pull()
    hall.say(D, 0, "an edit never sent")
    deleting.delete(kitchen.session, D, 0)
    kitchen.push()
    hall.power_off()
    world.pass_s(30 * DAY)
    hall.clocks.wrong = -30 * DAY * 1000
    hall.boot()
    assert hall.row(D) is not None  # it cannot know better
    hall.clocks.wrong = 0
    assert hall.row(D) is None and hall.push() == 0


def test_within_its_life_a_tombstone_is_there_for_whoever_was_away(household: Any,
                                                                   world: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    kitchen.say(D)
    kitchen.push()
    hall.pull()
    deleting.delete(kitchen.session, D, 0)
    kitchen.push()
    world.pass_s(DAY - 30)
    hall.say(D, 0, "late edit")
    hall.push()
    hall.pull()
    kitchen.pull()
    assert hall.row(D) is None and kitchen.row(D) is None


@pytest.mark.parametrize("wrong_s", [-240, 240])
def test_a_clock_that_is_minutes_off_keeps_no_text_longer(household: Any, world: Any,
                                                          wrong_s: int) -> None:
    """Up to what a signature tolerates, the cloud's Date header puts the clock right."""
    kitchen, hall = household("kitchen", "hall")
    date = _http_date(world.now // 1000)
    hall.clocks.wrong = wrong_s * 1000
    hall.ring.now = lambda: world.now
    for device in (kitchen, hall):
        device.house.clock.note(date)
    hall.say(D)
    hall.push()
    kitchen.pull()
    world.pass_s(296)
    assert kitchen.texts(D) == ["hello"]
    world.pass_s(8)
    assert kitchen.texts(D) == []


def test_a_cloud_with_a_wrong_clock_is_not_believed(household: Any, world: Any) -> None:
    kitchen, = household("kitchen")
    for shift in (-DAY, DAY, 10 * 365 * DAY):
        kitchen.house.clock.note(_http_date(world.now // 1000 + shift))
        assert kitchen.house.clock.now_ms() == world.now
    for nonsense in ("", "yesterday", "Mon, 99 Foo 2026", "\x00"):
        kitchen.house.clock.note(nonsense)
    assert kitchen.house.clock.now_ms() == world.now


def test_a_timeline_that_began_wrong_is_put_right_on_the_way(household: Any, world: Any) -> None:
    """A board boots with a clock hours behind; its store's times stay so until the next boot."""
    kitchen, hall = household("kitchen", "hall")
    hall.clocks.wrong = -5 * 3600 * 1000
    hall.restart()
    hall.clocks.reboot()
    hall.restart()
    hall.clocks.wrong = 0
    hall.say(D, 0, "from the hall")
    hall.push()
    assert len(kitchen.pull()) == 1
    assert kitchen.texts(D) == ["from the hall"]
    world.pass_s(301)
    assert kitchen.texts(D) == []


def _http_date(seconds: float) -> str:
    from email.utils import formatdate
    return formatdate(seconds, usegmt=True)

"""A drain: what cannot be taken is set aside, what was taken unheard is not sent twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from agent.sync import wire
from agent.sync.diagnosis import fault
from agent.sync.faults import CloudError, Kind
from agent.sync.records import Action, Put

D = "6b49d200" + "bc" * 8


class Between:
    """A backend whose transactions a test may refuse before, or lose after, they are done."""

    def __init__(self, backend: Any, before: Callable[[Sequence[Action]], None],
                 after: Callable[[Sequence[Action]], None] = lambda actions: None) -> None:
        self.backend, self.before, self.after = backend, before, after
        self.calls = 0

    def transact(self, actions: Sequence[Action], token: str) -> None:
        self.calls += 1
        self.before(actions)
        self.backend.transact(actions, token)
        self.after(actions)

    def query(self, *args: Any) -> Any:
        return self.backend.query(*args)

    def get(self, *args: Any) -> Any:
        return self.backend.get(*args)


def keys(actions: Sequence[Action]) -> set[str]:
    return {a.record.key if isinstance(a, Put) else a.key for a in actions}


def put_between(device: Any, between: Between) -> None:
    import dataclasses

    from agent.sync.pushing import Pusher
    device.house = dataclasses.replace(device.house, backend=between)
    device.pusher = Pusher(device.house)


def test_one_row_that_the_cloud_calls_wrong_does_not_hold_up_the_others(household: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    bad = {wire.row_name(kitchen.ring, f"{D}.0003"), wire.row_name(kitchen.ring, f"{D}.0011")}

    def refuse(actions: Sequence[Action]) -> None:
        if keys(actions) & bad:
            raise fault(Kind.INVALID, "ValidationException")

    between = Between(kitchen.backend, refuse)
    put_between(kitchen, between)
    for turn in range(20):
        kitchen.say(D, turn, f"text {turn}")
    assert kitchen.push() == 18
    assert between.calls <= 20  # found by halving
    report = kitchen.status.report
    assert {a.name for a in report.aside} == {name[:16] for name in bad}
    assert all("ValidationException" in a.what for a in report.aside)
    calls = between.calls
    assert kitchen.push() == 0 and between.calls == calls
    # A new version is tried once, and so is everything when it is looked at again.
    kitchen.say(D, 3, "another")
    kitchen.push()
    assert between.calls == calls + 1
    bad.clear()
    kitchen.pusher.look_again()
    assert kitchen.push() == 2 and report.aside == []
    hall.pull()
    assert hall.content() == kitchen.content()


@pytest.mark.parametrize("texts", [1, 3])
def test_a_reply_that_was_lost_costs_one_more_request_and_nothing_twice(
        household: Any, stored: Any, texts: int) -> None:
    kitchen, hall = household("kitchen", "hall")
    lost = [True]

    def lose(actions: Sequence[Action]) -> None:
        if lost.pop() if lost else False:
            raise fault(Kind.SLOW)

    put_between(kitchen, Between(kitchen.backend, lambda actions: None, lose))
    for turn in range(5):
        for n in range(texts):
            kitchen.say(D, turn, f"text {turn} {n}")
    with pytest.raises(CloudError):
        kitchen.push()
    assert kitchen.push() == 5 and kitchen.push() == 0
    assert len(stored("item")[kitchen.ring.household]) == 5 * texts
    hall.pull()
    assert hall.content() == kitchen.content()


def test_an_edit_after_a_lost_reply_finds_its_own_text_and_adds_to_it(household: Any,
                                                                      stored: Any) -> None:
    kitchen, hall = household("kitchen", "hall")
    lost = [True]

    def lose(actions: Sequence[Action]) -> None:
        if lost.pop() if lost else False:
            raise fault(Kind.SLOW)

    put_between(kitchen, Between(kitchen.backend, lambda actions: None, lose))
    kitchen.say(D, 0, "first")
    with pytest.raises(CloudError):
        kitchen.push()
    kitchen.restart()
    kitchen.say(D, 0, "second")
    assert kitchen.push() == 1
    assert len(stored("item")[kitchen.ring.household]) == 2
    hall.pull()
    assert hall.texts(D) == ["first", "second"]


def test_what_went_through_before_a_fault_is_not_sent_again(household: Any) -> None:
    kitchen, _ = household("kitchen", "hall")
    count = [0]

    def stop(actions: Sequence[Action]) -> None:
        count[0] += 1
        if count[0] == 3:
            raise fault(Kind.THROTTLED)

    put_between(kitchen, Between(kitchen.backend, stop))
    for turn in range(200):
        kitchen.say(D, turn, f"text {turn}")
    with pytest.raises(CloudError):
        kitchen.push()
    sent = kitchen.status.report.sent
    assert sent == 50
    assert kitchen.push() == 200 - sent


def test_a_backlog_makes_way_for_a_turn(household: Any) -> None:
    from agent.sync.pushing import Pusher
    kitchen, _ = household("kitchen", "hall")
    for turn in range(60):
        kitchen.say(D, turn, f"text {turn}")
    asked: list[int] = []

    def in_turn() -> bool:
        asked.append(kitchen.status.report.sent)
        return len(asked) < 10

    assert Pusher(kitchen.house, in_turn=in_turn).drain() == 60
    assert asked[:10] == [25] * 10  # the first batch had gone, and the rest waited


def test_a_late_copy_of_an_old_attempt_changes_nothing(household: Any) -> None:
    """A request that was on its way for minutes arrives when its row has long gone on."""
    kitchen, hall = household("kitchen", "hall")
    caught: list[Sequence[Action]] = []
    put_between(kitchen, Between(kitchen.backend, lambda actions: caught.append(actions)))
    kitchen.say(D, 0, "first")
    kitchen.push()
    kitchen.say(D, 0, "second")
    kitchen.push()
    from agent.store import deleting
    deleting.delete(kitchen.session, D, 0)
    kitchen.push()
    for attempt in caught[:2]:
        with pytest.raises(CloudError):
            hall.backend.transact(attempt, "another token")
    hall.pull()
    assert hall.row(D) is None

"""A cloud that lies: what was swapped, edited, moved or replayed is refused, counted and healed."""

from __future__ import annotations

import base64
import copy
from typing import Any

import pytest

from agent.sync.records import Record

D = "6b49d200" + "ef" * 8


@pytest.fixture
def pair(household: Any) -> Any:
    """The kitchen has said two things in two turns, and the cloud has them."""
    kitchen, hall = household("kitchen", "hall")
    for turn in range(2):
        kitchen.say(D, turn, f"words {turn}")
        kitchen.say(D, turn, f"reply {turn}", "reply", "speak expect-speech")
    kitchen.push()
    return kitchen, hall


def rows_of(stored: Any, table: str, device: Any) -> Any:
    return stored(table)[device.ring.household]


def flip(value: dict[str, str], at: int = -1) -> None:
    data = bytearray(base64.b64decode(value["B"]))
    data[at] ^= 1
    value["B"] = base64.b64encode(bytes(data)).decode()


@pytest.mark.parametrize("attribute", ["text", "about"])
@pytest.mark.parametrize("at", [0, 20, -1])
def test_an_edited_text_is_refused(pair: Any, stored: Any, attribute: str, at: int) -> None:
    _, hall = pair
    for item in rows_of(stored, "item", hall).values():
        flip(item[attribute], at)
    hall.pull()
    assert hall.texts(D, 0) == [] and hall.texts(D, 1) == []
    assert hall.status.report.refused_altered == 4
    hall.pull()
    assert hall.status.report.refused_altered == 4


def test_two_texts_that_were_swapped_are_refused(pair: Any, stored: Any) -> None:
    _, hall = pair
    items = list(rows_of(stored, "item", hall).values())
    first, second = items[0], items[-1]
    for name in ("text", "about", "op", "expires"):
        first[name], second[name] = second[name], first[name]
    hall.pull()
    assert len(hall.texts(D, 0) + hall.texts(D, 1)) == 2
    assert hall.status.report.refused_altered == 2


def test_the_text_of_one_under_the_description_of_another_is_refused(pair: Any,
                                                                     stored: Any) -> None:
    _, hall = pair
    items = list(rows_of(stored, "item", hall).values())
    items[0]["text"], items[1]["text"] = items[1]["text"], items[0]["text"]
    hall.pull()
    assert len(hall.texts(D, 0) + hall.texts(D, 1)) == 2
    assert hall.status.report.refused_altered == 2


@pytest.mark.parametrize("change", [
    lambda row: flip(row["row"]), lambda row: flip(row["key"]), lambda row: flip(row["row"], 3),
    lambda row: flip(row["row"], 12),
    lambda row: row.update(version={"N": "9"}), lambda row: row.update(op={"S": "x" * 32}),
    lambda row: row.update(expires={"N": "1900000000"}), lambda row: row.pop("expires"),
    lambda row: row.update(deleted={"BOOL": True}), lambda row: row.pop("row"),
    lambda row: row.update(version={"N": "1"})],
    ids=["row", "key", "generation", "epoch", "version", "op", "expiry", "no-expiry",
         "tombstone", "no-row", "old-version"])
def test_an_edited_row_is_refused(pair: Any, stored: Any, change: Any) -> None:
    _, hall = pair
    for row in rows_of(stored, "interaction", hall).values():
        change(row)
    assert hall.pull() == ()
    assert hall.row(D, 0) is None
    report = hall.status.report
    # A wrong generation or epoch asks for a key that is not there.
    assert report.refused_altered + report.unreadable == 2
    hall.pull()
    assert report.refused_altered + report.unreadable == 2


def test_two_rows_that_were_swapped_are_refused(pair: Any, stored: Any) -> None:
    _, hall = pair
    first, second = rows_of(stored, "interaction", hall).values()
    for name in ("row", "key", "op", "version", "expires"):
        first[name], second[name] = second[name], first[name]
    assert hall.pull() == () and hall.status.report.refused_altered == 2


def test_an_older_state_is_refused_and_the_cloud_healed(pair: Any, stored: Any) -> None:
    kitchen, hall = pair
    rows = rows_of(stored, "interaction", hall)
    old = copy.deepcopy(rows)
    kitchen.say(D, 0, "newer words")
    kitchen.push()
    hall.pull()
    before = hall.content()
    rows.update(old)
    assert hall.pull() == ()
    assert hall.status.report.refused_replayed == 1
    assert hall.content() == before
    # Refused by a restarted device too, by what its store remembers.
    hall.restart()
    assert hall.pull() == ()
    assert hall.status.report.refused_replayed == 1 and hall.content() == before
    # The next edit puts the cloud right.
    kitchen.say(D, 0, "still newer")
    kitchen.push()
    hall.pull()
    assert hall.texts(D, 0) == ["words 0", "reply 0", "newer words", "still newer"]


def test_a_damaged_row_is_written_over_by_the_next_edit(pair: Any, stored: Any) -> None:
    kitchen, hall = pair
    for row in rows_of(stored, "interaction", hall).values():
        flip(row["row"])
        row["op"] = {"S": "y" * 32}
    kitchen.say(D, 0, "more")
    kitchen.push()
    assert kitchen.status.report.refused_altered == 1
    hall.pull()
    assert hall.texts(D, 0) == ["words 0", "reply 0", "more"]


def test_texts_that_nobody_asked_for_are_not_taken(pair: Any) -> None:
    _, hall = pair
    ask = hall.backend.get
    hall.backend.get = lambda table, keys: [
        *ask(table, keys), *ask(table, keys), Record("item", "x#y", 1, "00", 0)]
    assert len(hall.pull()) == 2
    assert hall.texts(D, 0) == ["words 0", "reply 0"]


def test_a_row_of_another_household_is_refused(pair: Any, household: Any, stored: Any) -> None:
    kitchen, _ = pair
    other, = household("other", secret=b"household two")
    stored("interaction")[other.ring.household] = copy.deepcopy(
        rows_of(stored, "interaction", kitchen))
    for row in stored("interaction")[other.ring.household].values():
        row["household"] = {"S": other.ring.household}
    assert other.pull() == () and other.status.report.refused_altered == 2


def test_a_row_that_nobody_can_replace_is_set_aside(pair: Any, stored: Any) -> None:
    kitchen, _ = pair
    for row in rows_of(stored, "interaction", kitchen).values():
        row["version"] = {"N": "99999"}
        row["op"] = {"S": "z" * 32}
    kitchen.say(D, 0, "more")
    kitchen.say(D, 7, "another turn")
    for _ in range(5):
        try:
            kitchen.push()
        except Exception as error:
            assert "another device" in str(error)
    (aside,) = kitchen.status.report.aside
    assert "neither be read nor replaced" in aside.what
    assert kitchen.push() == 0

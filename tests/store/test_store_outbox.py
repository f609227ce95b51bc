"""The store is its own outbox: what was not acknowledged is sent, and deletions win."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest

from agent.store import NewItem, deleting, interactions, outbox, verify


@pytest.fixture
def shared(place: Any) -> Any:
    return place.with_settings(outbox=True)


def say(session: Any, turn: int = 0, event: str = "utterance") -> Any:
    return interactions.append(session, "d1", turn, event, [NewItem("said", f"text {turn}")])


def test_a_row_is_unsent_until_its_version_is_acknowledged(shared: Any) -> None:
    with shared.open() as session:
        rows = [say(session, turn) for turn in range(5)]
        assert [o.interaction for o in outbox.unsent(session, 10)] == rows
        assert [len(o.items) for o in outbox.unsent(session, 2)] == [1, 1]
        assert len(outbox.unsent(session, 10, after=rows[2].id)) == 2
        assert outbox.acknowledge(session, [(row.id, 1) for row in rows[:4]]) == 4
        assert [o.interaction.id for o in outbox.unsent(session, 10)] == [rows[4].id]
        newer = say(session, 0)
        assert newer.version == 2 and newer.acked_version == 1
        assert newer.id in {o.interaction.id for o in outbox.unsent(session, 10)}


def test_an_acknowledgement_of_an_old_or_unknown_version_changes_nothing(shared: Any) -> None:
    with shared.open() as session:
        row = say(session)
        say(session)
        assert outbox.acknowledge(session, [(row.id, 2)]) == 1
        assert outbox.acknowledge(session, [(row.id, 1), (row.id, 9), ("d9.0000", 1)]) == 0


def test_a_deletion_is_sent_as_a_tombstone_without_a_text(shared: Any) -> None:
    with shared.open() as session:
        row = say(session)
        outbox.acknowledge(session, [(row.id, 1)])
        deleting.delete(session, "d1", 0)
        (sent,) = outbox.unsent(session, 10)
        assert sent.interaction.deleted and sent.items == () and sent.interaction.events == ()
        assert sent.interaction.version == 2


def test_without_a_cloud_a_deletion_leaves_nothing(place: Any) -> None:
    with place.open() as session:
        say(session)
        deleting.delete(session, "d1", 0)
        assert session.connection.execute("SELECT count(*) FROM interaction").fetchone() == (0,)


def versions(row: Any) -> list[Any]:
    two = dataclasses.replace(row, version=2, events=(*row.events, "speak"))
    other_two = dataclasses.replace(row, version=2, events=(*row.events, "display"))
    three = dataclasses.replace(row, version=3, events=(*row.events, "speak", "closed"))
    return [row, two, other_two, three]


def test_every_order_of_arrival_gives_the_same_row(shared: Any, tmp_path: Any) -> None:
    with shared.open() as session:
        row = say(session)
        items = outbox.unsent(session, 1)[0].items
    results = set()
    for n, order in enumerate(itertools.permutations(versions(row))):
        here = shared.with_settings(directory=tmp_path / f"device{n}")
        with here.open() as session:
            for version in order:
                outbox.merge(session, version, items)
            found = interactions.get(session, "d1", 0)
            assert found
            results.add(dataclasses.replace(found, acked_version=0))
            verify.in_full(session.connection, session.path)
    assert len(results) == 1


def test_a_tombstone_wins_in_every_order(shared: Any, tmp_path: Any) -> None:
    with shared.open() as session:
        row = say(session)
        items = outbox.unsent(session, 1)[0].items
    grave = deleting.tombstone(row)
    for n, order in enumerate(itertools.permutations([*versions(row)[1:], grave])):
        with shared.with_settings(directory=tmp_path / f"device{n}").open() as session:
            for version in order:
                outbox.merge(session, version, () if version.deleted else items)
            assert interactions.get(session, "d1", 0) is None
            assert session.connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
            assert session.connection.execute("SELECT deleted, version FROM interaction"
                                              ).fetchone() == (1, 3)


def test_what_has_expired_is_not_taken(shared: Any, tmp_path: Any) -> None:
    with shared.open() as session:
        row = say(session)
        items = outbox.unsent(session, 1)[0].items
    with shared.with_settings(directory=tmp_path / "other").open() as session:
        shared.clock.pass_s(301)
        assert outbox.merge(session, row, items)
        assert session.connection.execute("SELECT count(*) FROM item").fetchone() == (0,)
        shared.clock.pass_s(86_400)
        assert not outbox.merge(session, row, items)
        assert interactions.get(session, "d1", 0) is None


def test_erasing_leaves_tombstones_for_the_cloud(shared: Any) -> None:
    with shared.open() as session:
        for turn in range(3):
            say(session, turn)
        assert deleting.delete_everything(session) == 3
        assert all(o.interaction.deleted for o in outbox.unsent(session, 10))
        assert len(outbox.unsent(session, 10)) == 3

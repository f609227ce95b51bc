"""What a dialogue can count on: one write a turn, and texts that go when the dialogue ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent.store import (
    ContextStore,
    InteractionGoneError,
    NewItem,
    StoreClosedError,
    interactions,
    new_dialogue_id,
    questions,
    rows,
)


def ask(session: Any, dialogue: Any = "d1", turn: Any = 0) -> Any:
    interactions.append(session, dialogue, turn, "wake utterance", [NewItem("said", "call Meg")])
    return interactions.append(
        session, dialogue, turn, "intent:call speak expect-speech",
        [NewItem("reply", "Meg Jones or Meg Bauer?"), NewItem("screen", "Meg Jones\nMeg Bauer")])


def test_the_write_returns_the_row_as_it_stands(place: Any) -> None:
    with place.open() as session:
        row = ask(session)
        assert row.events == ("wake", "utterance", "intent:call", "speak", "expect-speech")
        assert row.version == 2 and len(row.item_ids) == 3 and row.expects_speech
        assert row == interactions.get(session, "d1", 0)


def test_a_row_that_expects_speech_opens_its_texts_in_order(place: Any) -> None:
    with place.open() as session:
        row = ask(session)
        kinds = [(item.kind, item.text) for item in interactions.open_items(session, row)]
        assert kinds == [("said", "call Meg"), ("reply", "Meg Jones or Meg Bauer?"),
                         ("screen", "Meg Jones\nMeg Bauer")]


def test_an_older_copy_of_the_row_opens_only_what_it_refers_to(place: Any) -> None:
    with place.open() as session:
        first = interactions.append(session, "d1", 0, "utterance", [NewItem("said", "one")])
        interactions.append(session, "d1", 0, "speak", [NewItem("reply", "two")])
        assert [i.text for i in interactions.open_items(session, first)] == ["one"]


def test_a_turn_that_ends_without_expecting_speech_loses_its_texts_at_once(place: Any) -> None:
    with place.open() as session:
        interactions.append(session, "d1", 0, "wake utterance speak",
                            [NewItem("said", "lights off"), NewItem("reply", "done")])
        row = interactions.close_turn(session, "d1", 0)
        assert row.item_ids == () and row.wrapped_key is None and row.events[-1] == "closed"
        assert session.connection.execute("SELECT count(*) FROM item").fetchone() == (0,)


def test_a_turn_that_expects_speech_keeps_its_texts_when_it_ends(place: Any) -> None:
    with place.open() as session:
        row = ask(session)
        assert interactions.close_turn(session, "d1", 0) == row
        assert len(interactions.open_items(session, row)) == 3


def test_closing_a_dialogue_deletes_the_texts_of_every_turn_but_carries_lists_over(
        place: Any
) -> None:
    with place.open() as session:
        ask(session)
        interactions.append(session, "d1", 1, "utterance speak", [NewItem("said", "Bauer")])
        last = interactions.close_turn(session, "d1", 1)
        assert last.turn == 1 and last.events[-1] == "closed"
        first = interactions.get(session, "d1", 0)
        assert not [i for i in interactions.open_items(session, first) if i.kind != "screen"]
        assert [i.text for i in interactions.carry_over(session)] == ["Meg Jones\nMeg Bauer"]


def test_carry_over_is_read_across_dialogues_newest_first(place: Any) -> None:
    with place.open() as session:
        for n in range(3):
            interactions.append(session, f"d{n}", 0, "utterance", [NewItem("places", f"cafe {n}")])
            place.clock.pass_s(1)
        assert [i.text for i in interactions.carry_over(session)] == ["cafe 2", "cafe 1", "cafe 0"]
        assert [i.text for i in interactions.carry_over(session, 1)] == ["cafe 2"]


def test_the_last_rounds_of_a_dialogue_are_read_oldest_first(place: Any) -> None:
    with place.open() as session:
        for turn in range(5):
            interactions.append(session, "d1", turn, "utterance", [NewItem("said", f"text {turn}")])
        interactions.append(session, "d2", 0, "utterance", [NewItem("said", "other")])
        texts = [i.text for i in interactions.open_rounds(session, "d1", 3)]
        assert texts == ["text 2", "text 3", "text 4"]


def test_one_dialogues_close_leaves_another_whose_id_begins_alike(place: Any) -> None:
    with place.open() as session:
        for dialogue in ("d1", "d10", "d1-"):
            interactions.append(session, dialogue, 0, "utterance", [NewItem("said", dialogue)])
        interactions.close_dialogue(session, "d1")
        left = session.connection.execute("SELECT count(*) FROM item").fetchone()
        assert left == (2,)


def test_a_text_of_fifty_thousand_characters_comes_back_whole(place: Any) -> None:
    text = "åäö ☕ " * 10_000
    with place.open() as session:
        row = interactions.append(session, "d1", 0, "utterance", [NewItem("said", text)])
        assert interactions.open_items(session, row)[0].text == text


@pytest.mark.parametrize(("dialogue", "turn", "event", "items"), [
    ("", 0, "wake", ()),
    ("a.b", 0, "wake", ()),
    ("d" * 65, 0, "wake", ()),
    ("d", -1, "wake", ()),
    ("d", 10_000, "wake", ()),
    ("d", 0, "", ()),
    ("d", 0, "call Meg Bauer please", ()),
    ("d", 0, "intent:call:meg", ()),
    ("d", 0, "x" * 33, ()),
    ("d", 0, "wake", (NewItem("Said", "x"),)),
    ("d", 0, "wake", (NewItem("said", "x" * 300_000),)),
    ("d", 0, "wake", tuple(NewItem("said", "x") for _ in range(256))),
])
def test_a_malformed_append_is_refused_and_writes_nothing(
        place: Any, dialogue: Any, turn: Any, event: Any, items: Any
) -> None:
    with place.open() as session:
        with pytest.raises(ValueError) as refused:
            interactions.append(session, dialogue, turn, event, items)
        assert "Meg" not in str(refused.value)
        assert session.connection.execute("SELECT count(*) FROM interaction").fetchone() == (0,)


def test_a_turn_takes_no_endless_list_of_events(place: Any) -> None:
    with place.open() as session:
        interactions.append(session, "d1", 0, " ".join(["speak"] * 64))
        with pytest.raises(ValueError):
            interactions.append(session, "d1", 0, "speak")


def test_no_repr_shows_a_text(place: Any) -> None:
    with place.open() as session:
        row = ask(session)
        shown = repr((row, NewItem("said", "Bauer"), interactions.open_items(session, row),
                      session, rows.items(session, row.item_ids, session.moment())))
        assert "Bauer" not in shown and "Jones" not in shown


def test_a_deleted_turn_stays_deleted_where_a_cloud_must_hear_of_it(place: Any) -> None:
    from agent.store import deleting

    with place.with_settings(outbox=True).open() as session:
        ask(session)
        assert deleting.delete(session, "d1", 0)
        assert interactions.get(session, "d1", 0) is None
        with pytest.raises(InteractionGoneError):
            interactions.append(session, "d1", 0, "speak")


def test_the_asynchronous_store_works_in_the_order_of_the_calls(place: Any) -> None:
    async def scenario() -> None:
        async with await ContextStore.open(place.settings, place.surroundings) as store:
            dialogue = new_dialogue_id()
            calls = [store.append(dialogue, 0, "utterance", [NewItem("said", str(n))])
                     for n in range(20)]
            rows_written = await asyncio.gather(*calls)
            assert [row.version for row in rows_written] == list(range(1, 21))
            opened = await store.open_items(rows_written[-1])
            assert [item.text for item in opened] == [str(n) for n in range(20)]
            assert await store.close_turn(dialogue, 0)
            assert await store.open_rounds(dialogue) == ()
        with pytest.raises(StoreClosedError):
            await store.append(dialogue, 1, "wake")
    asyncio.run(scenario())


def test_the_store_is_still_there_after_a_restart_within_the_boot(place: Any) -> None:
    with place.open() as session:
        row = ask(session)
    with place.open() as session:
        assert len(interactions.open_items(session, row)) == 3


def test_catalogue_entries_are_kept_replaced_and_removed(place: Any) -> None:
    from agent.store import CatalogueEntry, catalogue

    with place.open() as session:
        entries = [CatalogueEntry(f"k{n:04d}", b"e", b"v") for n in range(600)]
        catalogue.put(session, "contacts", entries)
        catalogue.put(session, "contacts", [CatalogueEntry("k0001", b"new", b"w")])
        assert catalogue.remove(session, "contacts", ["k0002", "absent"]) == 1
    with place.open() as session:
        page = catalogue.page(session, "contacts", limit=1000)
        assert len(page) == 599 and page[1].entry == b"new"
        assert [e.key for e in catalogue.page(session, "contacts", "k0597")] == ["k0598", "k0599"]


def test_the_newest_open_question_is_found_until_it_is_answered_or_expires(place: Any) -> None:
    with place.open() as session:
        ask(session, "d1")
        ask(session, "d2")
        interactions.append(session, "d3", 0, "wake utterance", [NewItem("said", "hello")])
        found = questions.newest_open(session)
        assert found is not None and found.dialogue_id == "d2"
        interactions.append(session, "d2", 1, "wake utterance intent:call")
        found = questions.newest_open(session)
        assert found is not None and found.dialogue_id == "d1", "d2 was answered"
        place.clock.pass_s(place.settings.retention.reply_s + 1)
        assert questions.newest_open(session) is None, "its texts have expired"

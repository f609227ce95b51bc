"""A sealed text opens only where it belongs; the formats are fixed by vectors."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.store import NewItem, SealBrokenError, interactions, rows, sealing
from agent.store.roots import Root
from agent.store.sealing import Place, Sealed
from agent.store.session import transaction

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
KEY = bytes(range(32))
HERE = Place("device", "d.0001", "d.0001.100", 256, "said", 1000, 2000)


def place_of(vector: Any) -> Any:
    return Place(**vector["place"])


@pytest.mark.parametrize("vector", VECTORS["items"], ids=lambda v: v["name"])
def test_item_vectors(vector: Any) -> None:
    place, key = place_of(vector), bytes.fromhex(vector["key"])
    assert place.associated_data().hex() == vector["associated_data"]
    sealed = sealing.seal(key, vector["text"].encode(), place, bytes.fromhex(vector["nonce"]))
    assert sealed.ciphertext.hex() == vector["ciphertext"]
    assert sealing.unseal(key, sealed, place).decode() == vector["text"]


@pytest.mark.parametrize("vector", VECTORS["wraps"], ids=lambda v: v["name"])
def test_wrap_vectors(vector: Any) -> None:
    given = {name: bytes.fromhex(vector[name]) for name in ("epoch_key", "epoch_id", "key",
                                                            "nonce", "wrapped")}
    wrapping = sealing.wrapping_key(given["epoch_key"])
    assert wrapping.hex() == vector["wrapping_key"]
    wrapped = sealing.wrap(wrapping, given["epoch_id"], vector["device_id"],
                           vector["interaction_id"], given["key"], given["nonce"])
    assert wrapped == given["wrapped"]
    assert sealing.unwrap(wrapping, vector["device_id"], vector["interaction_id"],
                          wrapped) == given["key"]


@pytest.mark.parametrize("vector", VECTORS["roots"], ids=lambda v: v["name"])
def test_root_vectors(vector: Any) -> None:
    root = Root(bytes.fromhex(vector["secret"]))
    assert root.database_key.hex() == vector["database_key"]
    assert root.check == vector["check"]


fields = st.lists(st.one_of(st.text(), st.binary(), st.none(),
                            st.integers(-(2**63), 2**63 - 1)))


@given(fields, fields)
def test_different_fields_never_encode_alike(one: Any, other: Any) -> None:
    same = [(type(a), a) for a in one] == [(type(b), b) for b in other]
    assert (sealing.canonical(b"x", *one) == sealing.canonical(b"x", *other)) == same


@given(st.binary(max_size=200))
def test_what_was_sealed_is_unsealed(text: Any) -> None:
    assert sealing.unseal(KEY, sealing.seal(KEY, text, HERE), HERE) == text


@given(st.binary(max_size=60), st.data())
def test_any_flipped_bit_or_missing_end_is_refused(text: Any, data: Any) -> None:
    sealed = sealing.seal(KEY, text, HERE)
    whole = sealed.nonce + sealed.ciphertext
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(whole) * 8 - 1))
        spoiled = bytearray(whole)
        spoiled[at // 8] ^= 1 << at % 8
        whole = bytes(spoiled)
    else:
        whole = whole[:data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(SealBrokenError):
        sealing.unseal(KEY, Sealed(whole[:12], whole[12:]), HERE)


@pytest.mark.parametrize("change", [
    {"device_id": "other"}, {"interaction_id": "d.0002"}, {"item_id": "d.0001.101"},
    {"seq": 257}, {"kind": "reply"}, {"created_at": 1001}, {"expires_at": 2001},
])
def test_every_bound_field_counts(change: Any) -> None:
    sealed = sealing.seal(KEY, b"text", HERE)
    with pytest.raises(SealBrokenError):
        sealing.unseal(KEY, sealed, dataclasses.replace(HERE, **change))


@pytest.mark.parametrize("spoil", [
    lambda w: b"\x02" + w[1:], lambda w: w[:-1], lambda w: w + b"x", lambda w: b"",
    lambda w: w[:30] + bytes([w[30] ^ 1]) + w[31:], lambda w: w[:1] + bytes(8) + w[9:],
])
def test_an_altered_wrapped_key_is_refused(spoil: Any) -> None:
    wrapping = sealing.wrapping_key(KEY)
    wrapped = sealing.wrap(wrapping, b"epoch id", "device", "d.0001", KEY)
    with pytest.raises(SealBrokenError):
        sealing.unwrap(wrapping, "device", "d.0001", spoil(wrapped))
    with pytest.raises(SealBrokenError):
        sealing.unwrap(wrapping, "device", "d.0002", wrapped)


def rewrite(session: Any, item_id: Any, **changes: Any) -> None:
    """Change a stored item as someone could who has the database key."""
    with transaction(session) as change:
        old = rows.items(session, [item_id], session.moment())[0]
        rows.delete_items(session, change, [item_id])
        rows.put_item(session, change, dataclasses.replace(old, **changes))


@pytest.fixture
def two_turns(place: Any) -> Any:
    with place.open() as session:
        rows_written = [interactions.append(session, "d1", turn, "utterance",
                                            [NewItem("said", f"text {turn}")])
                        for turn in range(2)]
        yield session, rows_written


def test_a_text_moved_under_another_row_is_refused(two_turns: Any) -> None:
    session, (first, second) = two_turns
    stolen = rows.items(session, first.item_ids, session.moment())[0]
    rewrite(session, second.item_ids[0], nonce=stolen.nonce, ciphertext=stolen.ciphertext)
    with pytest.raises(SealBrokenError):
        interactions.open_items(session, second)


def test_a_row_that_refers_to_anothers_text_is_refused(two_turns: Any) -> None:
    session, (first, second) = two_turns
    with pytest.raises(SealBrokenError):
        interactions.open_items(session, dataclasses.replace(second, item_ids=first.item_ids))


def test_a_text_replayed_under_its_rows_next_id_is_refused(two_turns: Any) -> None:
    session, (first, _) = two_turns
    interactions.append(session, "d1", 0, "utterance", [NewItem("said", "newer")])
    row = interactions.get(session, "d1", 0)
    old = rows.items(session, first.item_ids, session.moment())[0]
    rewrite(session, row.item_ids[1], nonce=old.nonce, ciphertext=old.ciphertext)
    with pytest.raises(SealBrokenError):
        interactions.open_items(session, row)


@pytest.mark.parametrize("change", [
    {"expires_at": 1_900_000_000_000}, {"kind": "screen"}, {"seq": 9}, {"nonce": bytes(12)},
    {"ciphertext": b"\x01short"}, {"ciphertext": b""}])
def test_an_edited_text_is_refused(two_turns: Any, change: Any) -> None:
    session, (first, _) = two_turns
    rewrite(session, first.item_ids[0], **change)
    with pytest.raises(SealBrokenError):
        interactions.open_items(session, first)


def test_no_two_texts_share_a_nonce(place: Any) -> None:
    with place.open() as session:
        for turn in range(50):
            interactions.append(session, "d1", turn, "utterance", [NewItem("said", "same")] * 4)
        found = session.connection.execute("SELECT nonce, ciphertext FROM item").fetchall()
        assert len({nonce for nonce, _ in found}) == len({c for _, c in found}) == 200

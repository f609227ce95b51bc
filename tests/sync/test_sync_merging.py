"""Several devices edit the same interaction: every order of arrival ends in the same state."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store import deleting, exchange, interactions, rows, sealing, verify
from agent.store.merging import Ident, content, join
from agent.store.records import Interaction

D = "6b49d200" + "cd" * 8
ROW = f"{D}.0000"
IDENT = Ident(b"key", "kitchen")


@st.composite
def states(draw: st.DrawFn) -> Interaction:
    """A state that some device may be in: versions, texts of three writers, deletions."""
    texts = [f"{ROW}.{(v << 32 | w) << 8 | i:x}" for v in (1, 2, 3) for w in (1, 2, 3)
             for i in (0, 1)]
    live = draw(st.lists(st.sampled_from(texts), unique=True, max_size=6))
    removed = draw(st.lists(st.sampled_from(texts), unique=True, max_size=3))
    version = draw(st.integers(1, 6))
    deleted = draw(st.integers(0, 9)) == 0
    events = tuple(draw(st.lists(st.sampled_from(["speak", "display", "closed", "utterance"]),
                                 min_size=1, max_size=4)))
    row = Interaction(ROW, D, "kitchen", 0, events, tuple(i for i in live if i not in removed),
                      version, 0, 1000, 2000, False, b"key", tuple(removed))
    return deleting.tombstone(row) if deleted else row


def joined(order: Any) -> Interaction:
    kept = None
    for state in order:
        kept = join(kept, state, IDENT, IDENT)
    assert kept
    return kept


@given(st.lists(states(), min_size=2, max_size=4))
@settings(max_examples=100, deadline=None)
def test_every_order_gives_one_state(found: list[Interaction]) -> None:
    assert len({repr(content(joined(order))) for order in itertools.permutations(found)}) == 1


@given(states(), states(), states())
@settings(max_examples=100, deadline=None)
def test_joining_is_a_least_upper_bound(a: Interaction, b: Interaction, c: Interaction) -> None:
    assert content(joined((a, a))) == content(joined((a,)))
    assert content(joined((a, b, a, b))) == content(joined((a, b)))
    assert content(joined((a, joined((b, c))))) == content(joined((joined((a, b)), c)))
    both = joined((a, b))
    assert both.deleted == (a.deleted or b.deleted)
    assert not set(both.item_ids) & (set(a.removed_ids) | set(b.removed_ids))
    if not both.deleted:
        assert {*a.item_ids, *b.item_ids} <= {*both.item_ids, *both.removed_ids}


@given(states(), states())
@settings(max_examples=100, deadline=None)
def test_what_the_cloud_lacks_is_unsent_and_nothing_else(a: Interaction, b: Interaction) -> None:
    """After a merge with what the cloud has, a row is sent exactly if it says more."""
    kept = join(a, b, IDENT, IDENT)
    assert (kept.version > kept.acked_version) == (content(kept) != content(b))


EDITS = ("say", "reply", "close", "delete")


def edit(device: Any, what: str, text: str) -> None:
    if what == "say":
        device.say(D, 0, text)
    elif what == "reply":
        device.say(D, 0, text, "places", "speak expect-speech")
    elif what == "close":
        interactions.close_dialogue(device.session, D)
    else:
        deleting.delete(device.session, D, 0)


@pytest.mark.parametrize("edits", list(itertools.combinations_with_replacement(EDITS, 3)),
                         ids=lambda edits: "-".join(edits))
def test_concurrent_edits_arrive_in_every_order(household: Any, edits: tuple[str, ...]) -> None:
    """Three real stores edit apart; a fresh one takes their states in each of the six orders."""
    devices = household("kitchen", "hall", "study")
    devices[0].say(D, 0, "the beginning")
    devices[0].push()
    for device in devices[1:]:
        device.pull()
    for device, what in zip(devices, edits, strict=True):
        edit(device, what, f"text of {device.name}")
    seen = set()
    for order in itertools.permutations([arrival_of(device) for device in devices]):
        fresh, = household(f"fresh{len(seen)}")
        for arrival in order:
            exchange.absorb(fresh.session, [arrival])
        verify.in_full(fresh.session.connection, fresh.session.path)
        seen.add(repr((fresh.content(), states_of(fresh))))
    assert len(seen) == 1
    # And by way of the cloud: whoever comes first, all end in that same state.
    for device in (*devices, *reversed(devices)):
        device.push()
        device.pull()
    assert [repr(device.content()) for device in devices] == [repr(fresh.content())] * 3


def states_of(device: Any) -> list[Any]:
    return [tuple(row) for row in device.session.connection.execute(
        "SELECT id, events, item_ids, version, deleted FROM interaction")]


def arrival_of(device: Any) -> exchange.Arrival:
    """A device's state as it arrives from the cloud, texts and all."""
    raw = device.session.connection.execute(rows.SELECT_INTERACTION).fetchone()
    found = exchange._departure(device.session, rows.to_interaction(device.session, raw),
                                device.session.moment())
    row = found.interaction
    texts = tuple(exchange.ArrivedItem(
        sealing.Place(row.device_id, row.id, i.id, i.seq, i.kind, i.created_at, i.expires_at),
        sealing.Sealed(i.nonce, i.ciphertext), i.op_id, 0, i.expires_at - found.now)
        for i in found.items)
    return exchange.Arrival(row, found.key, texts, 0, row.expires_at - found.now)

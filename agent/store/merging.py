"""How two states of one row become one, whichever comes first.

A row's state grows only: events are appended, texts are added, and the ids of deleted texts are
remembered. So states have a least upper bound, and ``join`` computes it: it is commutative,
associative and idempotent (a state-based CRDT: Shapiro et al., 2011), and every order of arrival
ends in the same state. Texts are a two-phase set; events are the longer list, which is the later
one where a single device wrote both; a tombstone swallows everything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from agent.store.records import Interaction


@dataclass(frozen=True, slots=True, order=True)
class Ident:
    """Which interaction a row is: two devices may have begun one under the same id.

    Texts that were sealed under the losing key can never be opened beside the winning one, so
    the loser's texts are given up. The order has no meaning but to be the same everywhere.
    """

    key: bytes = field(repr=False)
    """Tells the interaction's key from others, and is empty where there is none."""
    device_id: str


def join(old: Interaction | None, new: Interaction, old_ident: Ident,
         new_ident: Ident) -> Interaction:
    """The state that contains both, with its ``acked_version`` for a cloud that holds ``new``.

    Args:
        old: What is here; None for nothing.
        new: What the cloud table has.
        old_ident: Of ``old``.
        new_ident: Of ``new``.
    """
    if old is None:
        return replace(new, acked_version=new.version)
    both = _bound(old, new, old_ident, new_ident)
    holds_all = content(both) == content(new) and (both.deleted or new_ident >= old_ident)
    if holds_all:
        acked = new.version
    elif content(both) == content(old) and new.version < old.acked_version:
        acked = old.acked_version  # an older state, read before the cloud took the last one
    else:
        acked = min(old.acked_version, both.version - 1)
    return replace(both, acked_version=acked)


def content(row: Interaction) -> tuple[object, ...]:
    """What two devices must agree on; times are each device's own reading of the same instant."""
    return (row.id, "" if row.deleted else row.device_id, row.deleted, row.version, row.events,
            sorted(row.item_ids), sorted(row.removed_ids))


def _bound(old: Interaction, new: Interaction, old_ident: Ident, new_ident: Ident) -> Interaction:
    holder = new if new_ident > old_ident else old
    removed = {*old.removed_ids, *new.removed_ids}
    if old_ident.key and new_ident.key and old_ident.key != new_ident.key:
        removed.update((old if holder is new else new).item_ids)
    every = {*old.item_ids, *new.item_ids}
    version = max(old.version, new.version)
    if old.deleted or new.deleted:
        return replace(old, events=(), item_ids=(), version=version, deleted=True,
                       wrapped_key=None, removed_ids=_ordered(removed | every),
                       expires_at=max(old.expires_at, new.expires_at))
    return replace(holder, events=max(old.events, new.events, key=lambda e: (len(e), e)),
                   item_ids=_ordered(every - removed), version=version,
                   removed_ids=_ordered(removed))


def _ordered(ids: set[str]) -> tuple[str, ...]:
    """In the order of the versions that wrote them."""
    return tuple(sorted(ids, key=_place))


def _place(item_id: str) -> tuple[int, int]:
    suffix = item_id.rpartition(".")[2]
    seq = int(suffix, 16)
    return (seq >> 40 or seq >> 8), seq

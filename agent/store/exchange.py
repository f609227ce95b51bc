"""How interactions leave the store for a cloud table, and arrive from it.

A text leaves as it lies here: sealed once, the same bytes every time. What arrives was sealed on
another device's timeline; it is opened here, which proves that it belongs where it was found, and
sealed anew under the same interaction key for this device's timeline. The interaction's key is
wrapped by an epoch key of this device, so that it goes when this device's own keys go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from agent.store import rows, sealing
from agent.store.clock import LIVE, Moment, parameters
from agent.store.connection import translated
from agent.store.errors import SealBrokenError
from agent.store.interactions import sequence, written
from agent.store.merging import Ident, content, join
from agent.store.outbox import add_item, replace_row
from agent.store.records import Interaction, SealedItem
from agent.store.session import Change, Session, require_room, transaction


@dataclass(frozen=True, slots=True)
class Departure:
    """A row that a cloud table has not got, with its live texts and its key."""

    interaction: Interaction
    items: tuple[SealedItem, ...]
    key: bytes | None = field(repr=False)
    """The interaction's own key; None when it has no text, or the key is gone."""
    device_id: str
    """This device."""
    now: int
    """The store's timeline at this moment, in milliseconds."""


@dataclass(frozen=True, slots=True)
class ArrivedItem:
    """A text as another device sealed it."""

    place: sealing.Place
    """Where it was sealed, on the other device's timeline."""
    sealed: sealing.Sealed = field(repr=False)
    op_id: bytes
    age_ms: int
    """Milliseconds since it was written."""
    left_ms: int
    """Milliseconds until it expires."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row from a cloud table with those of its texts that are not here yet."""

    interaction: Interaction
    """Its times and its wrapped key are not looked at."""
    key: bytes | None = field(repr=False)
    items: tuple[ArrivedItem, ...]
    age_ms: int
    left_ms: int


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What an arrival did."""

    interaction: Interaction | None
    """The row as it is now; None when it has expired."""
    changed: bool
    refused: tuple[str, ...] = ()
    """Texts that do not belong where they were found."""


def departures(session: Session, limit: int, after: str = "",
               only: Sequence[str] | None = None) -> tuple[Departure, ...]:
    """Live rows with ``version > acked_version``, tombstones included, in order of id.

    Args:
        session: The open store.
        limit: How many at most.
        after: Only ids above this one.
        only: Only these ids.
    """
    moment = session.moment()
    named = {f"only{n}": row_id for n, row_id in enumerate(only or ())}
    chosen = "" if only is None else f"AND id IN ({', '.join(f':{name}' for name in named)})"
    with translated(session.path):
        found = session.connection.execute(
            f"{rows.SELECT_INTERACTION} WHERE version > acked_version AND id > :after {chosen} "
            f"AND {LIVE} ORDER BY id LIMIT :limit",
            {"after": after, "limit": limit, **named, **parameters(moment)}).fetchall()
        return tuple(_departure(session, rows.to_interaction(session, row), moment)
                     for row in found)


def _departure(session: Session, row: Interaction, moment: Moment) -> Departure:
    key = _key_of(session, row, moment)
    items = rows.items(session, row.item_ids, moment) if key else []
    return Departure(row, tuple(items), key, session.device_id, moment.now)


def absent(session: Session, item_ids: Sequence[str]) -> tuple[str, ...]:
    """Those of the texts that are not in the store."""
    there: set[str] = set()
    with translated(session.path):
        for start in range(0, len(item_ids), rows.IDS_A_QUERY):
            some = item_ids[start:start + rows.IDS_A_QUERY]
            there |= {row[0] for row in session.connection.execute(
                f"SELECT id FROM item WHERE id IN ({', '.join('?' * len(some))})",
                tuple(some)).fetchall()}
    return tuple(item_id for item_id in item_ids if item_id not in there)


def acknowledged(session: Session, row_ids: Sequence[str]) -> dict[str, int]:
    """The last versions of rows that a cloud table is known to have taken."""
    found: dict[str, int] = {}
    with translated(session.path):
        for start in range(0, len(row_ids), rows.IDS_A_QUERY):
            some = row_ids[start:start + rows.IDS_A_QUERY]
            found.update(session.connection.execute(
                "SELECT id, acked_version FROM interaction WHERE id IN "
                f"({', '.join('?' * len(some))})", tuple(some)).fetchall())
    return found


def waiting(session: Session) -> int:
    """How many live rows a cloud table has not acknowledged."""
    with translated(session.path):
        return int(session.connection.execute(
            f"SELECT count(*) FROM interaction WHERE version > acked_version AND {LIVE}",
            parameters(session.moment())).fetchone()[0])


def absorb(session: Session, arrivals: Sequence[Arrival]) -> tuple[Absorbed, ...]:
    """Merge what a cloud table has into the store, all in one transaction."""
    require_room(session)
    with transaction(session) as change:
        return tuple([_absorb(session, change, arrival) for arrival in arrivals])


def _absorb(session: Session, change: Change, arrival: Arrival) -> Absorbed:
    moment = change.moment
    if arrival.left_ms <= 0:
        return Absorbed(None, changed=False)
    old = rows.find_any(session, change, arrival.interaction.id)
    if old and not moment.is_live(old.created_at, old.expires_at):
        rows.delete_items(session, change, old.item_ids)
        rows.delete_interaction(session, change, old.id)
        old = None
    old_key = _key_of(session, old, moment) if old else None
    here = _here(moment, arrival)
    kept = join(old, here, _ident(old_key, old), _ident(arrival.key, here))
    key = _winner(old_key, arrival.key)
    rescued: list[SealedItem] = []
    if old and old_key and key and key != old_key and not kept.deleted:
        kept, rescued = _rescue(session, moment, old, old_key, kept, key)
    if kept.deleted or key is None:
        kept = replace(kept, wrapped_key=None)
    elif old is None or key != old_key or arrival.items:
        kept = replace(kept, wrapped_key=_wrap(session, moment, kept, key))
    changed = old is None or content(old) != content(kept)
    replace_row(session, change, old, kept)
    for text in rescued:
        add_item(session, change, kept, text)
    refused = []
    if key and not kept.deleted:
        for item in arrival.items:
            if item.place.item_id not in kept.item_ids:
                continue  # deleted here, or of an interaction that lost
            try:
                changed |= add_item(session, change, kept, _reseal(session, change, kept, key,
                                                                   item))
            except SealBrokenError:
                refused.append(item.place.item_id)
    return Absorbed(kept, changed, tuple(refused))


def _here(moment: Moment, arrival: Arrival) -> Interaction:
    """The row with its times on this device's timeline: as old as this boot at most."""
    return replace(arrival.interaction, wrapped_key=None,
                   created_at=max(moment.began, moment.now - max(0, arrival.age_ms)),
                   expires_at=moment.now + arrival.left_ms)


def _ident(key: bytes | None, row: Interaction | None) -> Ident:
    return Ident(_fingerprint(key), row.device_id if row else "")


def _fingerprint(key: bytes | None) -> bytes:
    return hashlib.sha256(key).digest() if key else b""


def _winner(one: bytes | None, other: bytes | None) -> bytes | None:
    return max((key for key in (one, other) if key), key=_fingerprint, default=None)


def _key_of(session: Session, row: Interaction, moment: Moment) -> bytes | None:
    if row.wrapped_key is None:
        return None
    epoch = session.epochs.find(sealing.wrapped_epoch(row.wrapped_key), moment.now)
    if epoch is None:
        return None
    return sealing.unwrap(epoch.wrapping, row.device_id, row.id, row.wrapped_key)


def _wrap(session: Session, moment: Moment, row: Interaction, key: bytes) -> bytes:
    epoch = session.epochs.current(moment.now)
    return sealing.wrap(epoch.wrapping, epoch.id, row.device_id, row.id, key)


def _rescue(session: Session, moment: Moment, old: Interaction, old_key: bytes,
            kept: Interaction, key: bytes) -> tuple[Interaction, list[SealedItem]]:
    """Carry this device's own texts over to the interaction that won, as a new version of it.

    Two devices that heard the same answer may begin the same turn; each brings its own texts.
    """
    row = replace(kept, version=kept.version + 1)
    rescued: list[SealedItem] = []
    for item in rows.items(session, old.item_ids, moment):
        if not written(old, item.seq, session.device_id):
            continue
        was = sealing.Place(old.device_id, old.id, item.id, item.seq, item.kind, item.created_at,
                            item.expires_at)
        text = sealing.unseal(old_key, sealing.Sealed(item.nonce, item.ciphertext), was)
        seq = sequence(session, row, len(rescued))
        place = replace(was, device_id=row.device_id, item_id=f"{row.id}.{seq:x}", seq=seq)
        sealed = sealing.seal(key, text, place)
        rescued.append(replace(item, id=place.item_id, seq=seq, nonce=sealed.nonce,
                               ciphertext=sealed.ciphertext))
    if not rescued:
        return kept, []
    return replace(row, item_ids=(*row.item_ids, *(i.id for i in rescued))), rescued


def _reseal(session: Session, change: Change, owner: Interaction, key: bytes,
            item: ArrivedItem) -> SealedItem:
    """The text for this device's timeline.

    Raises:
        SealBrokenError: It was not sealed for this place, or was altered.
    """
    text = sealing.unseal(key, item.sealed, item.place)
    moment, was = change.moment, item.place
    longest = session.settings.retention.longest_ms
    created = max(moment.began, moment.now - max(0, item.age_ms))
    expires = moment.now + min(item.left_ms, longest)
    place = replace(was, device_id=owner.device_id, created_at=created, expires_at=expires)
    sealed = sealing.seal(key, text, place)
    return SealedItem(was.item_id, was.interaction_id, was.seq, was.kind, item.op_id,
                      sealed.nonce, sealed.ciphertext, created, expires)

"""What the dialogue does with the store: append to a turn, close it, read what it said."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from agent.store import rows, sealing
from agent.store.clock import LIVE, Moment, parameters
from agent.store.errors import InteractionGoneError, SealBrokenError
from agent.store.records import (
    CLOSED,
    MAX_EVENTS,
    Interaction,
    NewItem,
    OpenItem,
    SealedItem,
    check_item,
    interaction_id,
    parse_events,
)
from agent.store.session import Change, Session, require_room, transaction

CARRY_OVER_LIMIT = 32
"""Carry-over items that are read at most, newest first."""
ITEMS_PER_APPEND = 255
OP_ID_BYTES = 16
RANDOM_PER_ITEM = OP_ID_BYTES + sealing.NONCE_BYTES


def append(session: Session, dialogue_id: str, turn: int, event: str,
           items: Sequence[NewItem] = ()) -> Interaction:
    """Add events and texts to a turn in one transaction.

    Returns:
        The row as written, from the writing statement itself.

    Raises:
        ValueError: An id, an event or an item is malformed; nothing was written.
        InteractionGoneError: The turn was deleted.
        StoreFullError, StoreFailedError, DamagedStoreError: Nothing was written.
    """
    row_id, events = interaction_id(dialogue_id, turn), parse_events(event)
    texts = [check_item(item) for item in items]
    if len(texts) > ITEMS_PER_APPEND:
        raise ValueError(f"at most {ITEMS_PER_APPEND} items an append")
    require_room(session)
    with transaction(session) as change:
        old = _writable(session, change, row_id)
        row = _next_version(session, change.moment, old, dialogue_id, turn, events)
        if items:
            key = _key_for(session, change, row)
            chance = secrets.token_bytes(RANDOM_PER_ITEM * len(items))
            sealed = [_seal(session, change.moment, row, key, index, item.kind, text,
                            chance[index * RANDOM_PER_ITEM:(index + 1) * RANDOM_PER_ITEM])
                      for index, (item, text) in enumerate(zip(items, texts, strict=True))]
            if key.wrapped != row.wrapped_key:
                row = without(session, row, row.item_ids)
            row = replace(row, wrapped_key=key.wrapped,
                          item_ids=(*row.item_ids, *[item.id for item in sealed]))
            # The items go in first: a row never refers to an item that is not there.
            for item in sealed:
                rows.put_item(session, change, item)
        return rows.write(session, change, row, old)


def _writable(session: Session, change: Change, row_id: str) -> Interaction | None:
    old = rows.find_any(session, change, row_id)
    if old is None:
        return None
    if not change.moment.is_live(old.created_at, old.expires_at):
        # Expired and not yet swept: it is no longer there.
        rows.delete_items(session, change, old.item_ids)
        rows.delete_interaction(session, change, row_id)
        return None
    if old.deleted:
        raise InteractionGoneError("the interaction was deleted and cannot be added to")
    return old


def _next_version(session: Session, moment: Moment, old: Interaction | None, dialogue_id: str,
                  turn: int, events: tuple[str, ...]) -> Interaction:
    if old:
        if len(old.events) + len(events) > MAX_EVENTS:
            raise ValueError(f"a turn has at most {MAX_EVENTS} events")
        return replace(old, events=old.events + events, version=old.version + 1)
    return Interaction(
        id=interaction_id(dialogue_id, turn), dialogue_id=dialogue_id,
        device_id=session.device_id, turn=turn, events=events, item_ids=(), version=1,
        acked_version=0, created_at=moment.now,
        expires_at=moment.now + session.settings.retention.interaction_ms, deleted=False,
        wrapped_key=None)


@dataclass(frozen=True, slots=True)
class _Key:
    """An interaction's key, as it is and wrapped, and when its epoch dies."""

    key: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)
    dies_at: int


def _key_for(session: Session, change: Change, row: Interaction) -> _Key:
    """The row's key; a new one when it has none or its epoch is gone."""
    now = change.moment.now
    if row.wrapped_key:
        epoch = session.epochs.find(sealing.wrapped_epoch(row.wrapped_key), now)
        if epoch:
            key = sealing.unwrap(epoch.wrapping, row.device_id, row.id, row.wrapped_key)
            return _Key(key, row.wrapped_key, epoch.dies_at)
        # What was sealed under the lost key can never be read again.
        rows.delete_items(session, change, row.item_ids)
    epoch = session.epochs.current(now)
    chance = secrets.token_bytes(sealing.KEY_BYTES + sealing.NONCE_BYTES)
    key, nonce = chance[:sealing.KEY_BYTES], chance[sealing.KEY_BYTES:]
    wrapped = sealing.wrap(epoch.wrapping, epoch.id, row.device_id, row.id, key, nonce)
    return _Key(key, wrapped, epoch.dies_at)


def _seal(session: Session, moment: Moment, row: Interaction, key: _Key, index: int, kind: str,
          text: bytes, chance: bytes) -> SealedItem:
    # Version and place in the append: rises, and is never used twice even after deletions.
    seq = sequence(session, row, index)
    expires_at = min(moment.now + session.settings.retention.span_ms(kind), key.dies_at)
    item_id = f"{row.id}.{seq:x}"
    place = sealing.Place(row.device_id, row.id, item_id, seq, kind, moment.now, expires_at)
    sealed = sealing.seal(key.key, text, place, chance[OP_ID_BYTES:])
    return SealedItem(item_id, row.id, seq, kind, chance[:OP_ID_BYTES], sealed.nonce,
                      sealed.ciphertext, moment.now, expires_at)


def sequence(session: Session, row: Interaction, index: int) -> int:
    """The number of a text within its row: the version and the place in the append.

    Two devices that add to one row at once must not give two texts one number, so that with a
    cloud table 32 bits of the writer's id stand between.
    """
    if not session.settings.outbox:
        return row.version << 8 | index
    return (row.version << 32 | _writer(session.device_id)) << 8 | index


def written(row: Interaction, seq: int, device_id: str) -> int:
    """At which version a device wrote this text; 0 when another device did."""
    if seq < 1 << 40:
        return seq >> 8 if device_id == row.device_id else 0
    return seq >> 40 if seq >> 8 & 0xFFFFFFFF == _writer(device_id) else 0


def _writer(device_id: str) -> int:
    return int.from_bytes(hashlib.sha256(device_id.encode()).digest()[:4], "big")


def without(session: Session, row: Interaction, gone: Sequence[str]) -> Interaction:
    """The row without some texts; where there is a cloud table, it remembers their deletion."""
    kept = tuple(i for i in row.item_ids if i not in gone)
    removed = (*row.removed_ids, *gone) if session.settings.outbox else ()
    return replace(row, item_ids=kept, removed_ids=removed)


def close_turn(session: Session, dialogue_id: str, turn: int) -> Interaction | None:
    """End a turn: without ``expect-speech`` its dialogue is over, and closed now.

    Returns:
        The row as it is now; None where there is none.
    """
    with_row = rows.find(session, interaction_id(dialogue_id, turn), session.moment())
    if with_row is None or with_row.deleted:
        return None
    if with_row.expects_speech:
        return with_row
    return close_dialogue(session, dialogue_id)


def close_dialogue(session: Session, dialogue_id: str) -> Interaction | None:
    """Delete what was said and replied in a dialogue now; carry-over items live on.

    Returns:
        The dialogue's last row as it is now; None where there is none.
    """
    interaction_id(dialogue_id, 0)
    kept = set(session.settings.retention.carry_over)
    last: Interaction | None = None
    with transaction(session) as change:
        found = rows.of_dialogue(session, dialogue_id, change.moment)
        for index, row in enumerate(found):
            last = _strip(session, change, row, kept, mark=index == len(found) - 1)
    return last


def _strip(session: Session, change: Change, row: Interaction, kept: set[str],
           mark: bool) -> Interaction:
    carried = _of_kinds(session, row.item_ids, kept)
    gone = [item_id for item_id in row.item_ids if item_id not in carried]
    events = (*row.events, CLOSED) if mark and CLOSED not in row.events else row.events
    if not gone and events == row.events:
        return row
    rows.delete_items(session, change, gone)
    new = replace(without(session, row, gone), events=events, version=row.version + 1,
                  # No text, no key: the wrapped key has nothing left to open.
                  wrapped_key=row.wrapped_key if carried else None)
    return rows.write(session, change, new, row)


def _of_kinds(session: Session, item_ids: Iterable[str], kinds: set[str]) -> set[str]:
    found = set()
    for item_id in item_ids:
        row = session.connection.execute("SELECT kind FROM item WHERE id = ?",
                                         (item_id,)).fetchone()
        if row and row[0] in kinds:
            found.add(item_id)
    return found


def get(session: Session, dialogue_id: str, turn: int) -> Interaction | None:
    """A turn's row; None when it is not there, expired or deleted."""
    row = rows.find(session, interaction_id(dialogue_id, turn), session.moment())
    return None if row is None or row.deleted else row


def open_items(session: Session, row: Interaction) -> tuple[OpenItem, ...]:
    """Decrypt the texts that a row refers to and that have not expired.

    Raises:
        SealBrokenError: One does not belong where it was found.
    """
    moment = session.moment()
    fresh = rows.find(session, row.id, moment)
    if fresh is None or fresh.deleted:
        return ()
    items = rows.items(session, row.item_ids, moment, will_unseal=True)
    if any(item.interaction_id != fresh.id for item in items):
        raise SealBrokenError("a row refers to another interaction's text", "it was refused")
    return _unseal(session, moment, {fresh.id: fresh}, items)


def open_rounds(session: Session, dialogue_id: str, count: int) -> tuple[OpenItem, ...]:
    """Decrypt the texts of a dialogue's last ``count`` turns, oldest first."""
    interaction_id(dialogue_id, 0)
    moment = session.moment()
    found = rows.of_dialogue(session, dialogue_id, moment, last=max(0, count))
    wanted = [item_id for row in found for item_id in row.item_ids]
    return _unseal(session, moment, {row.id: row for row in found},
                   rows.items(session, wanted, moment, will_unseal=True))


def carry_over(session: Session, limit: int = CARRY_OVER_LIMIT) -> tuple[OpenItem, ...]:
    """Decrypt the live carry-over texts of every dialogue, newest first."""
    moment = session.moment()
    kinds = session.settings.retention.carry_over
    if not kinds:
        return ()
    named = {f"kind{n}": kind for n, kind in enumerate(kinds)}
    found = [rows.to_item(session, row) for row in session.connection.execute(
        f"{rows.SELECT_ITEM} WHERE kind IN ({', '.join(f':{name}' for name in named)}) "
        f"AND {LIVE} ORDER BY created_at DESC, id DESC LIMIT :limit",
        {**named, "limit": limit, **parameters(moment)}).fetchall()]
    owners = {}
    for owner in {item.interaction_id for item in found}:
        row = rows.find(session, owner, moment)
        if row and not row.deleted:
            owners[owner] = row
    return _unseal(session, moment, owners, found)


def _unseal(session: Session, moment: Moment, owners: dict[str, Interaction],
            items: Sequence[SealedItem]) -> tuple[OpenItem, ...]:
    keys = {owner: _key_of(session, moment, row) for owner, row in owners.items()}
    opened = []
    for item in items:
        key = keys.get(item.interaction_id)
        if key is None:
            continue  # Its epoch key is gone: it has expired, whatever its row says.
        row = owners[item.interaction_id]
        place = sealing.Place(row.device_id, row.id, item.id, item.seq, item.kind,
                              item.created_at, item.expires_at)
        text = sealing.unseal(key, sealing.Sealed(item.nonce, item.ciphertext), place)
        opened.append(OpenItem(item.id, item.interaction_id, item.seq, item.kind,
                               text.decode("utf-8", "surrogatepass"), item.created_at,
                               item.expires_at))
    return tuple(opened)


def _key_of(session: Session, moment: Moment, row: Interaction) -> bytes | None:
    if row.wrapped_key is None:
        return None
    epoch = session.epochs.find(sealing.wrapped_epoch(row.wrapped_key), moment.now)
    if epoch is None:
        return None
    return sealing.unwrap(epoch.wrapping, row.device_id, row.id, row.wrapped_key)


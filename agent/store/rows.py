"""Reading and writing single rows, with their tags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from agent.store import schema
from agent.store.clock import LIVE, Moment, parameters
from agent.store.errors import DamagedStoreError
from agent.store.records import Interaction, SealedItem
from agent.store.session import Change, Session

_INTERACTION = ", ".join((*schema.INTERACTION, "tag"))
_ITEM = ", ".join((*schema.ITEM, "tag"))
_MARKS = ", ".join("?" * (len(schema.INTERACTION) + 1))
_UPDATES = ", ".join(f"{column} = excluded.{column}"
                     for column in (*schema.INTERACTION[4:], "tag"))

SELECT_INTERACTION = f"SELECT {_INTERACTION} FROM interaction"
SELECT_ITEM = f"SELECT {_ITEM} FROM item"
_BY_ID = f"{SELECT_INTERACTION} WHERE id = ?"
_WRITE = (f"INSERT INTO interaction({_INTERACTION}) VALUES({_MARKS}) "
          f"ON CONFLICT(id) DO UPDATE SET {_UPDATES} RETURNING {_INTERACTION}")
_PUT_ITEM = f"INSERT INTO item({_ITEM}) VALUES({', '.join('?' * (len(schema.ITEM) + 1))})"

REMOVED = "-"
"""Stands before the suffix of a text that was deleted."""
IDS_A_QUERY = 64
"""Ids asked for at once."""

Row = tuple[Any, ...]

_item_values = attrgetter(*schema.ITEM)


def to_interaction(session: Session, row: Row) -> Interaction:
    """Make an interaction of a row, once its tag fits."""
    session.check_tag("interaction", row)
    return _make(row)


def _make(row: Row) -> Interaction:
    return Interaction(
        id=row[0], dialogue_id=row[1], device_id=row[2], turn=row[3],
        events=tuple(row[4].split()), item_ids=_item_ids(row[0], row[5]), version=row[6],
        acked_version=row[7], created_at=row[8], expires_at=row[9], deleted=bool(row[10]),
        wrapped_key=row[11], removed_ids=_removed_ids(row[0], row[5]))


def from_interaction(interaction: Interaction) -> Row:
    """The columns of an interaction, without its tag."""
    return (interaction.id, interaction.dialogue_id, interaction.device_id, interaction.turn,
            " ".join(interaction.events), _item_suffixes(interaction), interaction.version,
            interaction.acked_version, interaction.created_at, interaction.expires_at,
            int(interaction.deleted), interaction.wrapped_key)


def _item_ids(interaction_id: str, suffixes: str) -> tuple[str, ...]:
    return tuple([f"{interaction_id}.{suffix}" for suffix in suffixes.split()
                  if suffix[0] != REMOVED])


def _removed_ids(interaction_id: str, suffixes: str) -> tuple[str, ...]:
    if REMOVED not in suffixes:
        return ()
    return tuple([f"{interaction_id}.{suffix[1:]}" for suffix in suffixes.split()
                  if suffix[0] == REMOVED])


def _item_suffixes(interaction: Interaction) -> str:
    """The items' ids without what they share, which is the row's own id."""
    skip = len(interaction.id) + 1
    return " ".join([*[item_id[skip:] for item_id in interaction.item_ids],
                     *[REMOVED + item_id[skip:] for item_id in interaction.removed_ids]])


def to_item(session: Session, row: Row) -> SealedItem:
    """Make a sealed item of a row, once its tag fits."""
    session.check_tag("item", row)
    return SealedItem(*row[:-1])


def tag_of(session: Session, interaction: Interaction) -> int:
    """The tag of an interaction as it stands."""
    return session.tag("interaction", from_interaction(interaction))


def find(session: Session, interaction_id: str, moment: Moment) -> Interaction | None:
    """A live row (tombstones included) by its id."""
    row = session.connection.execute(f"{SELECT_INTERACTION} WHERE id = :id AND {LIVE}",
                                     {"id": interaction_id, **parameters(moment)}).fetchone()
    return to_interaction(session, row) if row else None


def find_any(session: Session, change: Change, interaction_id: str) -> Interaction | None:
    """A row by its id, expired or not; for writing over it."""
    row = session.connection.execute(_BY_ID, (interaction_id,)).fetchone()
    if row is None:
        return None
    change.tags[interaction_id] = row[-1]
    return to_interaction(session, row)


def of_dialogue(session: Session, dialogue_id: str, moment: Moment,
                last: int | None = None) -> list[Interaction]:
    """The live rows of a dialogue in order of turns; only the ``last`` so many if given."""
    rows = session.connection.execute(
        f"{SELECT_INTERACTION} WHERE id > :low AND id < :high AND deleted = 0 AND {LIVE} "
        "ORDER BY id DESC LIMIT :last",
        {"low": f"{dialogue_id}.", "high": f"{dialogue_id}/", "last": -1 if last is None else last,
         **parameters(moment)}).fetchall()
    return [to_interaction(session, row) for row in reversed(rows)]


def write(session: Session, change: Change, interaction: Interaction,
          old: Interaction | None) -> Interaction:
    """Insert a row or write it over its old state; returns it as the database wrote it."""
    values = from_interaction(interaction)
    tag = session.tag("interaction", values)
    change.toggle(tag)
    if old:
        known = change.tags.pop(old.id) if old.id in change.tags else tag_of(session, old)
        change.toggle(known)
    row = session.connection.execute(_WRITE, (*values, tag)).fetchone()
    if row != (*values, tag):
        raise DamagedStoreError(f"the context store {session.path} wrote another row than given",
                                "`voice-agent privacy erase` starts a new one")
    return _make(row)


def put_item(session: Session, change: Change, item: SealedItem) -> None:
    """Insert a sealed item."""
    values = _item_values(item)
    tag = session.tag("item", values)
    change.toggle(tag)
    session.connection.execute(_PUT_ITEM, (*values, tag))


def items(session: Session, item_ids: Sequence[str], moment: Moment,
          will_unseal: bool = False) -> list[SealedItem]:
    """The live items among these ids, in the order asked for.

    Args:
        session: The open store.
        item_ids: Which.
        moment: Now.
        will_unseal: The seal will tell an altered item, so that its tag need not.
    """
    found: dict[str, SealedItem] = {}
    given = parameters(moment)
    for start in range(0, len(item_ids), IDS_A_QUERY):
        some = item_ids[start:start + IDS_A_QUERY]
        named = {f"id{n}": item_id for n, item_id in enumerate(some)}
        for row in session.connection.execute(
                f"{SELECT_ITEM} WHERE id IN ({', '.join(f':{name}' for name in named)}) "
                f"AND {LIVE}", {**named, **given}).fetchall():
            found[row[0]] = SealedItem(*row[:-1]) if will_unseal else to_item(session, row)
    return [found[item_id] for item_id in item_ids if item_id in found]


def delete_items(session: Session, change: Change, item_ids: Iterable[str]) -> int:
    """Delete items by id; returns how many were there."""
    count = 0
    for item_id in item_ids:
        for (tag,) in session.connection.execute("DELETE FROM item WHERE id = ? RETURNING tag",
                                                 (item_id,)).fetchall():
            change.toggle(tag)
            count += 1
    return count


def delete_interaction(session: Session, change: Change, interaction_id: str) -> None:
    """Delete a row; its items are the caller's."""
    for (tag,) in session.connection.execute(
            "DELETE FROM interaction WHERE id = ? RETURNING tag", (interaction_id,)).fetchall():
        change.toggle(tag)

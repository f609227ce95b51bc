"""What is stored now, for the person it belongs to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.store import interactions, rows
from agent.store.clock import LIVE, parameters
from agent.store.connection import log_size, translated
from agent.store.records import Interaction, OpenItem
from agent.store.session import Session

PAGE = 100


@dataclass(frozen=True, slots=True)
class KindCount:
    """How much of one kind is kept."""

    kind: str
    """A kind of text, ``interaction``, or ``catalogue:<name>``."""
    count: int
    bytes: int
    oldest_s: float | None
    """Age of the oldest, in seconds; None for catalogues, which do not expire."""
    longest_s: float | None
    """Seconds until the last of them expires."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Counts, ages and sizes; no text."""

    kinds: tuple[KindCount, ...]
    database_bytes: int
    log_bytes: int
    epoch_keys: int


@dataclass(frozen=True, slots=True)
class Revealed:
    """A row with its texts."""

    interaction: Interaction
    items: tuple[OpenItem, ...] = field(repr=False)


def summarise(session: Session) -> Overview:
    """Count what is live."""
    moment = session.moment()
    given = parameters(moment)
    with translated(session.path):
        run = session.connection.execute
        found = run(
            f"SELECT 'interaction', count(*), total(length(events) + length(item_ids)), "
            f"min(created_at), max(expires_at) FROM interaction WHERE deleted = 0 AND {LIVE} "
            f"UNION ALL SELECT kind, count(*), total(length(ciphertext)), min(created_at), "
            f"max(expires_at) FROM item WHERE {LIVE} GROUP BY kind", given).fetchall()
        catalogues = run("SELECT name, count(*), total(length(entry) + length(vector)) "
                         "FROM catalogue GROUP BY name ORDER BY name").fetchall()
    kinds = [KindCount(kind, count, int(size), (moment.now - oldest) / 1000,
                       (latest - moment.now) / 1000)
             for kind, count, size, oldest, latest in found if count]
    kinds += [KindCount(f"catalogue:{name}", count, int(size), None, None)
              for name, count, size in catalogues]
    return Overview(tuple(kinds), session.path.stat().st_size, log_size(session.path),
                    len(session.epochs.ids()))


def reveal(session: Session) -> Iterator[Revealed]:
    """Every live row with its texts, decrypted, a page at a time."""
    after = ""
    while True:
        with translated(session.path):
            page = session.connection.execute(
                f"{rows.SELECT_INTERACTION} WHERE id > :after AND deleted = 0 AND {LIVE} "
                "ORDER BY id LIMIT :limit",
                {"after": after, "limit": PAGE, **parameters(session.moment())}).fetchall()
            for row in page:
                interaction = rows.to_interaction(session, row)
                yield Revealed(interaction, interactions.open_items(session, interaction))
        if not page:
            return
        after = page[-1][0]


def export(session: Session) -> str:
    """Everything that is live, decrypted, as JSON; catalogues without their vectors."""
    with translated(session.path):
        catalogue = session.connection.execute(
            "SELECT name, key, entry FROM catalogue ORDER BY name, key").fetchall()
    return json.dumps({
        "device": session.device_id,
        "interactions": [
            {"dialogue": found.interaction.dialogue_id, "turn": found.interaction.turn,
             "events": list(found.interaction.events),
             "created_at_ms": found.interaction.created_at,
             "expires_at_ms": found.interaction.expires_at,
             "texts": [{"kind": item.kind, "text": item.text, "created_at_ms": item.created_at,
                        "expires_at_ms": item.expires_at} for item in found.items]}
            for found in reveal(session)],
        "catalogue": [{"catalogue": name, "key": key, "entry": entry.decode("utf-8", "replace")}
                      for name, key, entry in catalogue],
    }, ensure_ascii=False, indent=1)

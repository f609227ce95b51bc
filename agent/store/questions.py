"""The question that is still open: asked in some dialogue of the household, not answered yet."""

from __future__ import annotations

from agent.store import rows
from agent.store.clock import LIVE, parameters
from agent.store.connection import translated
from agent.store.records import Interaction
from agent.store.session import Session

LOOK_BACK = 32
"""Rows looked at, newest first: a question lives for minutes, a row for a day."""


def newest_open(session: Session) -> Interaction | None:
    """The newest turn that expects an answer and ends its dialogue, while its texts live."""
    with translated(session.path):
        moment = session.moment()
        found = session.connection.execute(
            f"{rows.SELECT_INTERACTION} WHERE deleted = 0 AND {LIVE} ORDER BY id DESC "
            "LIMIT :limit", {"limit": LOOK_BACK, **parameters(moment)}).fetchall()
        seen: set[str] = set()
        for row in (rows.to_interaction(session, values) for values in found):
            last = row.dialogue_id not in seen
            seen.add(row.dialogue_id)
            if last and row.expects_speech and rows.items(session, row.item_ids, moment):
                return row
    return None

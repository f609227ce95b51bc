"""Sync of a household's devices through a cloud table, sealed end to end.

``Sync`` is what the running agent starts; ``Backend`` is a cloud table. Nothing here is on the
voice path, and nothing is imported before it is used: boto3 only where sync is configured.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from agent.sync.records import Action, Record, Table

if TYPE_CHECKING:
    from agent.sync.keys import (
        EpochError,
        EpochGoneError,
        EpochUnknownError,
        GenerationError,
        Keyring,
    )
    from agent.sync.records import Delete, Put
    from agent.sync.service import Companion, Sync
    from agent.sync.settings import Settings

__all__ = [
    "Action",
    "Backend",
    "Companion",
    "Delete",
    "EpochError",
    "EpochGoneError",
    "EpochUnknownError",
    "GenerationError",
    "Keyring",
    "Put",
    "Record",
    "Settings",
    "Sync",
    "Table",
]


class Backend(Protocol):
    """A cloud's two tables, for one household; every call blocks and may be made in any thread.

    Each raises ``agent.sync.faults.CloudError`` and nothing else.
    """

    def transact(self, actions: Sequence[Action], token: str) -> None:
        """Carry out up to 100 actions, all or none.

        Args:
            actions: No two of them on the same record.
            token: At most 36 characters; the same token with the same actions is carried out once.

        Raises:
            ConditionError: A condition did not hold; says which, with the record found there.
            CloudError: The cloud did not or would not do it; it may still have been done.
        """
        ...

    def query(self, table: Table, low: str = "", high: str = "",
              now: int = 0) -> Sequence[Record]:
        """Read the household's records with ``low <= key <= high``, consistently.

        Args:
            table: Which table.
            low: Smallest key; empty for the first.
            high: Largest key; empty for the last.
            now: UTC seconds; records that have expired by then are left out.
        """
        ...

    def get(self, table: Table, keys: Sequence[str]) -> Sequence[Record]:
        """Read records by key, consistently; those that are not there are left out."""
        ...


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in ("keys", "records", "settings", "service"):
            module = importlib.import_module(f"agent.sync.{home}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

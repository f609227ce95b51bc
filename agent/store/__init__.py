"""The encrypted context store: one small row an interaction, and separately sealed texts.

    store = await ContextStore.open(settings)
    row = await store.append(dialogue, 0, "utterance", [NewItem("said", text)])
    row = await store.append(dialogue, 0, "intent:call speak expect-speech",
                             [NewItem("reply", reply)])
    if row.expects_speech:
        texts = await store.open_items(row)
    await store.close_turn(dialogue, 0)     # ends without expect-speech: its texts go now

The running agent uses ``BestEffortStore``, which never raises and never makes a turn wait.
Names are imported when first used, so that reading the settings loads no cryptography.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.store.best_effort import BestEffortStore
    from agent.store.engine import Surroundings
    from agent.store.errors import (
        DamagedStoreError,
        ForeignFileError,
        InteractionGoneError,
        KeyMissingError,
        KeyRefusedError,
        NewerStoreError,
        NotInstalledError,
        SealBrokenError,
        StoreBusyError,
        StoreClosedError,
        StoreError,
        StoreFailedError,
        StoreFullError,
        WrongKeyError,
    )
    from agent.store.facade import ContextStore, new_dialogue_id
    from agent.store.outbox import Outgoing
    from agent.store.records import CatalogueEntry, Interaction, NewItem, OpenItem, SealedItem
    from agent.store.settings import Retention, Settings

__all__ = [
    "BestEffortStore",
    "CatalogueEntry",
    "ContextStore",
    "DamagedStoreError",
    "ForeignFileError",
    "Interaction",
    "InteractionGoneError",
    "KeyMissingError",
    "KeyRefusedError",
    "NewItem",
    "NewerStoreError",
    "NotInstalledError",
    "OpenItem",
    "Outgoing",
    "Retention",
    "SealBrokenError",
    "SealedItem",
    "Settings",
    "StoreBusyError",
    "StoreClosedError",
    "StoreError",
    "StoreFailedError",
    "StoreFullError",
    "Surroundings",
    "WrongKeyError",
    "new_dialogue_id",
]

_HOMES = ("settings", "errors", "records", "facade", "best_effort", "engine", "outbox")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"agent.store.{home}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""What can be wrong with the store, as one type for each thing a person can do about it."""

from __future__ import annotations

from agent.errors import AgentError


class StoreError(AgentError):
    """Something is wrong with the context store; the agent goes on without context."""


class NotInstalledError(StoreError):
    """There is no store here yet, and the caller did not ask for one to be made."""


class KeyMissingError(StoreError):
    """A store is here but its root key is not: a new install beside an old store."""


class WrongKeyError(StoreError):
    """The root key at hand is not the one this store was made with."""


class DamagedStoreError(StoreError):
    """The store is this device's own, but its content does not check out."""


class ForeignFileError(StoreError):
    """The file at the store's place was not made by this agent."""


class NewerStoreError(StoreError):
    """The store was written by a later version of the agent."""


class KeyRefusedError(StoreError):
    """The root key cannot be used: its file is readable by others, or is not a key."""


class StoreBusyError(StoreError):
    """Another process is using the store."""


class StoreFullError(StoreError):
    """The disk or the store's own quota is full; reading and deleting still work."""


class StoreFailedError(StoreError):
    """The disk refused a read or a write; what was not acknowledged was not stored."""


class StoreClosedError(StoreError):
    """The store was closed, or could not be opened."""


class SealBrokenError(StoreError):
    """A sealed text was moved, edited, truncated or replayed, and is refused."""


class InteractionGoneError(StoreError):
    """The interaction was deleted, and a deletion always wins."""

"""What sync needs of a household's keys, whoever keeps them.

All devices of a household step the same forward ratchet by UTC, so that after pairing no key ever
travels: a device that was off for a month steps forward, and what an old key opened stays shut.
Each epoch gives two keys. The ``text`` key wraps interactions' keys and is thrown away as soon as
the longest-lived text of its epoch has expired. The ``row`` key seals what rows say (events, ids)
and lives as long as rows do. So the words are gone for good long before the rows are.
"""

from __future__ import annotations

from typing import Literal, Protocol

from agent.errors import AgentError

Purpose = Literal["text", "row"]


class EpochError(AgentError):
    """A household epoch's key cannot be had."""


class EpochGoneError(EpochError):
    """The epoch's key was thrown away: all that it protected has expired."""


class EpochUnknownError(EpochError):
    """The epoch lies more than one epoch ahead of this device's clock."""


class GenerationError(EpochError):
    """The row was sealed under keys of another generation: a device was removed since."""


class OldGenerationError(EpochError):
    """The row was sealed under keys from before a device was removed; nobody opens it again."""


class Keyring(Protocol):
    """A household's keys on one device; may be called from any thread."""

    @property
    def household(self) -> str:
        """The partition key that the cloud sees: 32 random hex digits."""
        ...

    @property
    def device(self) -> str:
        """This device's id within the household, made at random when it was paired."""
        ...

    @property
    def generation(self) -> int:
        """Rises with each removal of a device; bound into every seal."""
        ...

    def name(self, kind: str, local_id: str) -> str:
        """The name that the cloud sees: HMAC-SHA256 of kind and id, base64url without padding.

        It does not change with the generation or the epoch, so that each row keeps its place.
        """
        ...

    def epoch(self, now_ms: int) -> int:
        """The epoch of a time in UTC milliseconds."""
        ...

    def key(self, epoch: int, purpose: Purpose) -> bytes:
        """An epoch's key for one purpose: 32 bytes, of the present generation.

        Raises:
            EpochGoneError: It was thrown away.
            EpochUnknownError: It is more than one epoch ahead.
        """
        ...

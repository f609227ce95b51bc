"""Seals what lies long in the cloud: bound to household, generation and place."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from agent.store.sealing import NONCE_BYTES, Field, canonical
from agent.sync.faults import CloudError, Kind
from agent.sync.household.membership import Household


class ReplayedError(CloudError):
    """The cloud gave something that is not, or no longer, what the household wrote."""


def replayed() -> ReplayedError:
    """The error for what the household did not write there."""
    return ReplayedError(
        Kind.TABLES, "the cloud table gave something that the household did not write there",
        "it was refused; if it stays so, look who else can write to the table")


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals records under one generation's document key."""

    household: str
    generation: int
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, household: Household) -> Sealer:
        """For the generation in which a household is."""
        return cls(household.id, household.chain.generation, household.document_key)

    def seal(self, label: bytes, text: bytes, *place: Field) -> bytes:
        """Seal bytes for one place: nonce, ciphertext with its tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + ChaCha20Poly1305(self.key).encrypt(nonce, text, self._bound(label, place))

    def open(self, label: bytes, sealed: bytes, *place: Field) -> bytes:
        """Open what was sealed for this place.

        Raises:
            ReplayedError: It was not.
        """
        try:
            return ChaCha20Poly1305(self.key).decrypt(
                sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound(label, place))
        except (InvalidTag, ValueError):
            raise replayed() from None

    def _bound(self, label: bytes, place: Sequence[Field]) -> bytes:
        return canonical(label, self.household, self.generation, *place)

"""The forward ratchet: every hour two keys, and no way back to the hours before.

``chain[n + 1] = HKDF-Expand(chain[n], "step")`` and
``key[n, purpose] = HKDF-Expand(chain[n], purpose)`` (RFC 5869; the chain is uniformly random, so
it needs no extract). Whoever has ``chain[n]`` can work out every later key of the same generation,
and none before ``n``.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from agent.store.sealing import KEY_BYTES, canonical
from agent.sync.keys import Purpose

EPOCH_MS = 3_600_000
"""Milliseconds of one epoch: an hour of UTC."""
STEP = b"voice-agent household step 1"
SEAL = {"text": b"voice-agent household text 1", "row": b"voice-agent household row 1"}


def hour_of(now_ms: int) -> int:
    """Hours since 1970 of a time in milliseconds."""
    return max(0, now_ms) // EPOCH_MS


@dataclass(frozen=True, slots=True)
class Chain:
    """The ratchet at one hour of one generation."""

    generation: int
    hour: int
    secret: bytes = field(repr=False)

    @classmethod
    def fresh(cls, generation: int, hour: int) -> Chain:
        """A chain that nobody else knows."""
        return cls(generation, hour, secrets.token_bytes(KEY_BYTES))

    def key(self, purpose: Purpose) -> bytes:
        """The key of this hour for one purpose."""
        return self._expand(SEAL[purpose])

    def next(self) -> Chain:
        """The chain one hour on."""
        return Chain(self.generation, self.hour + 1, self._expand(STEP))

    def _expand(self, label: bytes) -> bytes:
        info = canonical(label, self.generation, self.hour)
        return HKDFExpand(SHA256(), KEY_BYTES, info=info).derive(self.secret)

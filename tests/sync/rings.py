"""A household's keys in memory, by the law of the real ones: stepped by UTC, then forgotten."""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable

from agent.sync.keys import EpochGoneError, EpochUnknownError, Purpose

EPOCH_MS = 60_000
LIFE_MS = {"text": 300_000, "row": 31 * 86_400_000}


class Ring:
    """A ``Keyring`` of one device."""

    def __init__(self, device: str, secret: bytes = b"household one",
                 now: Callable[[], int] | None = None, epoch_ms: int = EPOCH_MS) -> None:
        self.device = device
        self.generation = 1
        self.secret = secret
        self.household = hmac.digest(secret, b"id", "sha256").hex()[:32]
        self.now = now or (lambda: time.time_ns() // 1_000_000)
        self.epoch_ms = epoch_ms
        self.lives = LIFE_MS

    def name(self, kind: str, local_id: str) -> str:
        digest = hmac.digest(self.secret, f"{kind} {local_id}".encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()

    def epoch(self, now_ms: int) -> int:
        return now_ms // self.epoch_ms

    def key(self, epoch: int, purpose: Purpose) -> bytes:
        now = self.now()
        if epoch > now // self.epoch_ms + 1:
            raise EpochUnknownError("ahead")
        if (epoch + 1) * self.epoch_ms + self.lives[purpose] <= now - 300_000:
            raise EpochGoneError("gone")
        return hmac.digest(self.secret, f"{self.generation} {epoch} {purpose}".encode(), "sha256")

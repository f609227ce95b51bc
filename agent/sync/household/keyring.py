"""The household's keys by the hour, as the sync worker asks for them.

The chain on disk stands at the current hour and steps with UTC, never back. The key of an hour
that is over is kept in memory only, until everything that may have been sealed under it has
expired; then it is gone for good. A key is kept before the chain on disk steps over it, so a kill
at any instant loses none.
"""

from __future__ import annotations

import hmac
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from agent.errors import AgentError
from agent.store.clock import SystemClock
from agent.store.memoryfs import private_folder
from agent.store.sealing import canonical
from agent.store.settings import Retention
from agent.sync.household.file import HouseholdFile
from agent.sync.household.kept import KeptKeys, KeyName
from agent.sync.household.membership import Membership
from agent.sync.household.ratchet import EPOCH_MS, Chain, hour_of
from agent.sync.keys import EpochGoneError, EpochUnknownError, Purpose

NAME_LABEL = b"voice-agent household name 1"
LEAP_HOURS = 62 * 24
"""How far the clock may be ahead of the chain without being confirmed: a device that comes back
after two months steps by itself; a clock that says 2099 does not cost it the household."""
CLOCK_SLACK_MS = 300_000
"""How long a key is kept beyond the longest life, for clocks that differ a little."""
EXPIRE_EVERY_MS = 10_000
"""How often past keys are looked through for those whose time is over."""


class ClockDoubtError(AgentError):
    """The clock is so far ahead of the household's keys that it may be wrong."""


@dataclass(frozen=True, slots=True)
class Life:
    """The longest life of what is sealed, in milliseconds."""

    text_ms: int
    row_ms: int

    @classmethod
    def of(cls, retention: Retention) -> Life:
        """As the store's settings have it; longer ones of other devices count for them alone."""
        return cls(retention.longest_ms, max(retention.interaction_ms, retention.longest_ms))

    @property
    def hours(self) -> int:
        """Hours that are worth keeping."""
        return (max(self.text_ms, self.row_ms) + CLOCK_SLACK_MS) // EPOCH_MS + 2


class HouseholdKeyring:
    """A ``Keyring`` over the household's file.

    Args:
        file: The membership on disk.
        kept: Where keys of past hours are kept.
        life: How long anything that is sealed under an hour's keys may live.
    """

    def __init__(self, file: HouseholdFile, kept: KeptKeys, life: Life) -> None:
        self._file = file
        self._kept = kept
        self._life = life
        self._guard = threading.RLock()
        self._expired_at = 0

    @classmethod
    def open(cls, folder: Path, life: Life,
             environ: Mapping[str, str] | None = None) -> HouseholdKeyring | None:
        """The keyring of the household in the store's folder; None where there is none.

        Raises:
            HouseholdFileError: There is one, and it cannot be read.
        """
        file = HouseholdFile(folder, environ)
        found = file.find()
        if found is None:
            return None
        return cls(file, kept_keys(found, environ), life)

    @property
    def membership(self) -> Membership:
        """What is on disk now."""
        return self._file.read()

    @property
    def file(self) -> HouseholdFile:
        """Where the membership is kept."""
        return self._file

    @property
    def household(self) -> str:
        """The partition key that the cloud sees."""
        return self.membership.household.id

    @property
    def device(self) -> str:
        """This device's id in the household."""
        return self.membership.device

    @property
    def generation(self) -> int:
        """Rises with each removal of a device."""
        return self.membership.household.chain.generation

    def name(self, kind: str, local_id: str) -> str:
        """The name of a cloud row: HMAC-SHA256 in base64url, 43 characters."""
        secret = self.membership.household.name_key
        digest = hmac.digest(secret, canonical(NAME_LABEL, kind, local_id), sha256)
        return urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    def epoch(self, now_ms: int) -> int:
        """The epoch under which to seal now; steps the chain and forgets what is over.

        When the clock was ahead and has been set back, this is an hour whose key is still kept,
        or else the hour at which the chain stands.

        Raises:
            ClockDoubtError: The clock is months ahead of the chain; ``confirm`` settles it.
        """
        with self._guard:
            chain = self.membership.household.chain
            hour = hour_of(now_ms)
            if hour > chain.hour + LEAP_HOURS:
                raise ClockDoubtError(
                    f"the clock is {(hour - chain.hour) // 24} days ahead of the household's keys",
                    "set the clock; if it is right, `voice-agent cloud check` confirms it")
            return self._at(hour, now_ms)

    def confirm(self, utc_ms: int) -> int:
        """Step to a time that is certain, such as that of a signed answer of the cloud."""
        with self._guard:
            return self._at(hour_of(utc_ms), utc_ms)

    def key(self, epoch: int, purpose: Purpose) -> bytes:
        """An epoch's key for one purpose, up to one hour ahead of the last ``epoch(now)``.

        Raises:
            EpochGoneError: It was thrown away, or is of an hour before this generation.
            EpochUnknownError: It is more than one hour ahead.
        """
        with self._guard:
            chain = self.membership.household.chain
            if epoch in (chain.hour, chain.hour + 1):
                return (chain if epoch == chain.hour else chain.next()).key(purpose)
            if epoch > chain.hour:
                raise EpochUnknownError("a household key of a later hour is not here yet")
            kept = self._kept.get(KeyName(chain.generation, epoch, purpose))
            if kept is None:
                raise EpochGoneError("a household key was thrown away")
            return kept

    def renew(self, step: Callable[[Membership], Membership]) -> Membership:
        """Go on in another generation; the keys of the old one are thrown away.

        Args:
            step: Makes the new membership of the one on disk.
        """
        with self._guard:
            before = self.generation
            after = self._file.change(step)
            if after.household.chain.generation != before:
                self._kept.clear()
            return after

    def forget(self) -> bool:
        """Throw away every key and the membership; whether there was one."""
        with self._guard:
            self._kept.clear()
            return self._file.delete()

    # --- inside ---------------------------------------------------------------------------------

    def _at(self, hour: int, now_ms: int) -> int:
        chain = self.membership.household.chain
        if hour > chain.hour:
            chain = self._file.change(lambda m: self._stepped(m, hour)).household.chain
        if abs(now_ms - self._expired_at) >= EXPIRE_EVERY_MS:
            self._kept.expire(now_ms)
            self._expired_at = now_ms
        earlier = KeyName(chain.generation, hour, "text")
        if hour < chain.hour and self._kept.get(earlier) is not None:
            return hour
        return chain.hour

    def _stepped(self, membership: Membership, hour: int) -> Membership:
        chain = membership.household.chain
        useful = hour - self._life.hours
        while chain.hour < hour:
            if chain.hour >= useful:
                self._keep(chain)
            chain = chain.next()
        stepped = replace(membership, household=replace(membership.household, chain=chain))
        if 0 < stepped.former_until <= hour:
            stepped = replace(stepped, former_private=b"", former_until=0)
        return stepped

    def _keep(self, chain: Chain) -> None:
        over = (chain.hour + 1) * EPOCH_MS + CLOCK_SLACK_MS
        lives: dict[Purpose, int] = {"row": self._life.row_ms, "text": self._life.text_ms}
        for purpose, life in lives.items():
            name = KeyName(chain.generation, chain.hour, purpose)
            self._kept.put(name, chain.key(purpose), over + life)


def kept_keys(membership: Membership, environ: Mapping[str, str] | None = None) -> KeptKeys:
    """Where a household's past keys are kept on this machine."""
    folder = private_folder(f"household-{membership.device[:16]}", environ)
    return KeptKeys(folder, SystemClock().boot_id())

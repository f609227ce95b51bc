"""Reading what the household's other devices have live."""

from __future__ import annotations

from agent.store.records import Interaction
from agent.sync import wire
from agent.sync.intake import Household, Intake


class Puller:
    """Pulls on demand, never by the clock.

    Args:
        household: Store, tables and keys.
        window_s: How long ago a dialogue may have begun, for a pull that is not full.
    """

    def __init__(self, household: Household, window_s: float) -> None:
        self._with = household
        self._window_s = window_s
        self._intake = Intake(household)

    def pull(self, full: bool = False) -> tuple[Interaction, ...]:
        """Read the household's live rows and merge those that are news.

        Args:
            full: Whatever their age; otherwise only dialogues begun within the window.

        Returns:
            The rows that changed here.

        Raises:
            CloudError: The cloud could not be read.
            EpochError: The household's keys cannot be had.
            StoreError: The store could not be written.
        """
        now_ms = self._with.clock.now_ms()
        self._with.keyring.epoch(now_ms)  # steps a chain that stood still while the device was off
        now_s = now_ms // 1000
        before = self._with.ledger.snapshot()
        low = "" if full else wire.window(int(now_s - self._window_s))
        found = self._with.backend.query("interaction", low, "", now_s)
        news = []
        for record in found:
            known, seen = before.get(record.key), self._with.ledger.seen(record.key)
            if known and record.version < known.version:
                self._with.status.add(refused_replayed=1)
            elif seen is None or (seen.op != record.op and record.version >= seen.version):
                news.append(record)
        return self._intake.take(news) if news else ()

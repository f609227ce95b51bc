"""What the agent shares with the household's other devices, where sync is switched on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.config import Config
from agent.context.expecting import ContextExpectations
from agent.conversation.handover import Handover, HouseholdHandover, NoHandover
from agent.dialogue.catalogue.sharing import Documents
from agent.dialogue.manager import Dialogue
from agent.errors import AgentError
from agent.events import AgentState, Event, EventBus, StateChanged
from agent.store import BestEffortStore
from agent.store.settings import Settings as StoreSettings
from agent.worker import Workload

if TYPE_CHECKING:
    from agent.sync.catalogues import HouseholdCatalogues
    from agent.sync.keys import Keyring
    from agent.sync.service import Sync

log = logging.getLogger(__name__)

STEP_EVERY_S = 60.0
"""How often the household's keys are brought up to the clock."""


def store_settings(config: Config) -> StoreSettings:
    """The store's settings; with sync it keeps what the cloud has not seen yet."""
    return replace(config.store, outbox=config.store.outbox or config.sync.enabled)


class Sharing:
    """The agent's side of sync; nothing at all while it is switched off.

    Args:
        config: The settings.
        store: Where turns are kept.
        bus: Tells when somebody is being listened to: then the cloud waits.
    """

    def __init__(self, config: Config, store: BestEffortStore, bus: EventBus) -> None:
        self._store = store
        self._catalogues: HouseholdCatalogues | None = None
        self._sync: Sync | None = None
        self._keyring: Callable[[], Keyring | None] = lambda: None
        self._stepped = float("-inf")
        if config.sync.enabled:
            self._keyring = _keyring(config)
            self._catalogues, self._sync = _sync(config, store, self._keyring, turns(bus))

    @property
    def on(self) -> bool:
        """Whether anything is shared."""
        return self._sync is not None

    def start(self) -> None:
        """Begin in the background."""
        if self._sync is not None:
            self._store.on_write(self._sync.nudge)
            self._sync.start()

    def handover(self, dialogue: Dialogue, windows: ContextExpectations,
                 workload: Workload) -> Handover:
        """What takes up other devices' questions."""
        if self._sync is None:
            return NoHandover()
        return HouseholdHandover(self._store, dialogue, windows.expect, windows.drop,
                                 self._pull, workload)

    async def documents(self, own: Mapping[str, str]) -> Documents:
        """The catalogues that the other devices share.

        Args:
            own: This device's own; published when they are others than before.
        """
        if self._catalogues is None or self._sync is None:
            return {}
        if self._catalogues.offer(own):
            self._sync.nudge()
        if not self._catalogues.loaded:
            await asyncio.to_thread(self._catalogues.load)
        if time.monotonic() - self._stepped >= STEP_EVERY_S:
            self._stepped = time.monotonic()
            await asyncio.to_thread(_step, self._keyring, self._catalogues,
                                    self._sync.clock.now_ms())
        return self._catalogues.documents()

    async def close(self) -> None:
        """Stop; before the store is closed."""
        if self._sync is not None:
            await self._sync.close()

    async def _pull(self) -> bool:
        return self._sync is not None and bool(await self._sync.pull())


def _step(find: Callable[[], Keyring | None], catalogues: HouseholdCatalogues,
          now_ms: int) -> None:
    """Let the household's keys go with the clock, whether or not anybody speaks."""
    from agent.sync.household.file import NoHouseholdError
    try:
        keyring = find()
        if keyring is not None:
            keyring.epoch(now_ms)
    except NoHouseholdError:
        catalogues.drop()
    except AgentError as error:
        # Sync's status names it when it is next asked for a key.
        log.info("the household's keys did not step: %s", type(error).__name__)


def turns(bus: EventBus) -> Callable[[], bool]:
    """Whether somebody is being listened to or answered now; may be asked in any thread."""
    state = AgentState.IDLE

    def follow(event: Event) -> None:
        nonlocal state
        if isinstance(event, StateChanged):
            state = event.state

    bus.subscribe(follow)
    return lambda: state not in (AgentState.IDLE, AgentState.MUTED, AgentState.ERROR)


def _sync(config: Config, store: BestEffortStore, keyring: Callable[[], Keyring | None],
          in_turn: Callable[[], bool]) -> tuple[HouseholdCatalogues, Sync]:
    from agent.sync.catalogues import HouseholdCatalogues
    from agent.sync.service import Sync
    catalogues = HouseholdCatalogues(lambda: store.store)
    return catalogues, Sync(config.sync, lambda: store.store, keyring,
                            config.store.directory, companions=(catalogues,),
                            in_turn=in_turn)


def _keyring(config: Config) -> Callable[[], Keyring | None]:
    """Finds the household once this device is in one."""
    from agent.sync.household.keyring import HouseholdKeyring, Life
    found: list[HouseholdKeyring] = []

    def keyring() -> Keyring | None:
        if not found:
            opened = HouseholdKeyring.open(config.store.directory, Life.of(config.store.retention))
            if opened is not None:
                found.append(opened)
        return found[0] if found else None

    return keyring

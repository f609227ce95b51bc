"""A context window with a real store, and an encoder and a recogniser that tests can disturb."""

from __future__ import annotations

import asyncio
import math
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from agent.biasing import Bias, builders
from agent.context import Entry, Situation, Vectors
from agent.context.expecting import Catalogues, ContextExpectations
from agent.context.hosting import EncoderHost
from agent.context.pace import Pace
from agent.context.settings import Settings
from agent.context.signals import load
from agent.context.stored import StoredItems
from agent.context.window import Parts
from agent.events import ContextClosed, ContextStep, Event, EventBus, Expectation, ExpectSpeech
from agent.store import BestEffortStore, NewItem, Surroundings
from agent.store import Settings as StoreSettings
from agent.worker import Workload

ENTRIES = (Entry("Meg Jones", "contact", "dentist"), Entry("Meg Bauer", "contact", "plumber"),
           Entry("Tom Reed", "contact"), Entry("Golden Fork", "place", "restaurant"),
           Entry("Blue Door", "place", "coffee shop"), Entry("Desk Lamp", "device", "light"))
BASE = builders.standing(builders.Catalogue(
    contacts=("Meg Jones", "Meg Bauer", "Tom Reed"), places=("Golden Fork", "Blue Door"),
    devices=("Desk Lamp",)))
WHICH = ExpectSpeech(Expectation.NAME, ("Meg Jones", "Meg Bauer"))
TEXTS = (NewItem("said", "call Meg"), NewItem("reply", "Meg Jones or Meg Bauer?"))


class WordEncoder:
    """Texts with the same words have the same vector; does what it is told before that."""

    def __init__(self) -> None:
        self.disturb: Callable[[], None] = lambda: None
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.disturb()
        self.encoded += texts
        found = np.zeros((len(texts), 384), np.float32)
        for row, text in zip(found, texts, strict=True):
            for word in text.lower().replace(":", " ").split():
                row[crc32(word.encode()) % 384] += 1
        norm = np.linalg.norm(found, axis=1, keepdims=True)
        return np.divide(found, norm, out=np.zeros_like(found), where=norm > 0)


@dataclass(frozen=True)
class Ready:
    bias: Bias


class PatientRecogniser:
    """Prepares as soon as it is let."""

    name = "patient"

    def __init__(self) -> None:
        self.let = threading.Event()
        self.let.set()

    def prepare(self, bias: Bias) -> Ready:
        assert self.let.wait(20)
        return Ready(bias)

    def start(self, prepared: Any = None) -> Any:
        raise NotImplementedError


@dataclass
class Bench:
    """Everything around a window."""

    store_settings: StoreSettings
    encoder: Any = field(default_factory=WordEncoder)
    settings: Settings = field(default_factory=Settings)
    surroundings: Surroundings | None = None
    store_deadline: float = 5.0
    make_encoder: Callable[[], Any] | None = None

    def __post_init__(self) -> None:
        self.recogniser, self.bus, self.events = PatientRecogniser(), EventBus(), list[Event]()
        self.bus.subscribe(self.events.append)
        self.workload, self.told = Workload(), list[str]()
        self.turn = 0

    async def open(self, entries: Sequence[Entry] = ENTRIES) -> None:
        self.store = BestEffortStore(self.store_settings, self.told.append, self.surroundings,
                                     self.store_deadline)
        await self.store.start()
        self.parts = Parts(self.recogniser, StoredItems(self.store),
                           EncoderHost(self.make_encoder or (lambda: self.encoder)),
                           self.settings, self.bus, lambda: 0.0, load(self.settings.without),
                           Pace(self.settings.phrases))

        async def store() -> Any:
            return self.store.store

        self.expecting = ContextExpectations(self.parts, Catalogues("test", store), self.workload,
                                             lambda: Situation("call"))
        await self.expecting.know(BASE, entries)
        await self.expecting.learnt()

    async def close(self) -> None:
        await self.expecting.close()
        await self.store.close()

    def ask(self, question: ExpectSpeech = WHICH, texts: Sequence[NewItem] = TEXTS) -> Any:
        """Store a turn and open its window; the row's future."""
        row = self.store.append("d1", self.turn, "utterance speak expect-speech", list(texts))
        self.turn += 1
        self.expecting.expect(question, row)
        return row

    async def hear(self, reply: float = 3.0, **given: Any) -> Any:
        """A whole window: what is ready when the reply is over, and how long that took to get.

        The rest of the reply is not waited for once nothing more will happen in it.
        """
        self.ask(**given)
        self.events.clear()  # an earlier window has been closed by this one
        over = time.perf_counter() + reply
        while time.perf_counter() < over and not self._settled():
            await asyncio.sleep(0.01)
        start = time.perf_counter()
        prepared = await self.expecting.ready()
        return prepared, time.perf_counter() - start

    def _settled(self) -> bool:
        return any(isinstance(event, ContextClosed) or
                   (isinstance(event, ContextStep) and event.step == "prepared")
                   for event in self.events)

    def outcome(self) -> str:
        closed = [event.outcome for event in self.events if isinstance(event, ContextClosed)]
        assert len(closed) == 1, self.events
        return closed[0]

    def steps(self) -> list[str]:
        return [event.step for event in self.events if isinstance(event, ContextStep)]

    async def row(self, turn: int) -> tuple[str, ...]:
        """The events of a stored turn, after what was handed over without waiting."""
        await asyncio.sleep(0.05)
        assert self.store.store is not None
        found = await self.store.store.get("d1", turn)
        return found.events if found else ()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory, where a sync costs nothing."""
    made = Path(tempfile.mkdtemp(dir="/dev/shm", prefix="context-test-"))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def bench(folder: Path) -> Bench:
    """A healthy bench."""
    return Bench(StoreSettings(directory=folder / "state"))


@pytest.fixture
def texts_of() -> Callable[[Any], dict[str, float]]:
    """The phrases of what was prepared, with how likely they are."""
    return lambda prepared: {p.text: p.weight * math.exp(p.log_prior)
                             for p in prepared.bias.phrases}


@pytest.fixture
def bench_type() -> type[Bench]:
    """The bench, to be made with other parts."""
    return Bench

"""The agent in an emulated room, every frame that it is given counted, and what happens there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.app import Devices, build
from agent.asr import Recogniser
from agent.audio.files import read
from agent.config import Config
from agent.conversation.ears import Ears
from agent.dialogue.settings import CommandSettings
from agent.emulate.room import Room
from agent.events import AgentState, Event, EventBus, StateChanged
from agent.store.settings import Settings as StoreSettings
from agent.worker import Workload

RECORDINGS = Path(__file__).parents[2] / "scenes" / "recordings"


@dataclass
class Consumers:
    """Every call by which audio reaches something that processes it."""

    calls: list[str] = field(default_factory=list)
    ears: list[Ears] = field(default_factory=list)
    watch: Callable[[str], None] = lambda name: None
    """Told of every call, on whichever thread it is made."""

    def counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def count(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            self.watch(name)
            return call(*args, **kwargs)

        return count


class CountedRecogniser:
    """A recogniser whose recognitions count what they are given."""

    def __init__(self, inner: Recogniser, consumers: Consumers) -> None:
        self._inner, self._consumers = inner, consumers
        self.name, self.prepare = inner.name, inner.prepare

    def start(self, prepared: Any = None) -> Any:
        return CountedRecognition(self._inner.start(prepared), self._consumers)


class CountedRecognition:
    """A recognition that counts the calls which take audio or decode it."""

    def __init__(self, inner: Any, consumers: Consumers) -> None:
        self._inner, self._consumers = inner, consumers

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if name in ("accept", "anticipate", "finish", "score"):
            return self._consumers.counted(f"recogniser.{name}", value)
        return value


class Play:
    """An emulated room, the real agent in it, and what happens there frame by frame."""

    def __init__(self, consumers: Consumers, folder: Path) -> None:
        self.consumers = consumers
        self.bus, self.workload = EventBus(), Workload()
        self.room = Room(workload=self.workload)
        self.events: list[Event] = []
        self.config = Config(commands=CommandSettings(call=("true",)),
                             store=StoreSettings(directory=folder))

    async def hold(self, script: Iterator[None]) -> None:
        """Let the agent run to the end of the script, which steps on before every frame."""
        self.bus.subscribe(self.events.append)
        agent = await build(self.config, Devices(self.room, self.room.speaker), self.bus,
                            self.workload, lambda line: None)

        def direct() -> None:
            if next(script, self) is self:
                self.room.end()

        self.room.direct = direct
        await asyncio.wait_for(agent.run(), 120)

    def say(self, name: str) -> None:
        self.room.say(read(RECORDINGS / f"{name}.flac"))

    def pause(self, seconds: float) -> Iterator[None]:
        until = self.room.now + seconds
        while self.room.now < until:
            yield

    def until(self, reached: Callable[[], bool], within: float = 20.0) -> Iterator[None]:
        late = self.room.now + within
        while not reached():
            assert self.room.now < late, [type(e).__name__ for e in self.events]
            yield

    def all(self, kind: type[Event], since: int = 0) -> list[Any]:
        return [event for event in self.events[since:] if isinstance(event, kind)]

    def states(self, since: int) -> list[AgentState]:
        return [event.state for event in self.all(StateChanged, since)]

    def soon(self, event: Event) -> None:
        """Publish as a board does, from a callback of the event loop."""
        asyncio.get_running_loop().call_soon(self.bus.publish, event)

"""Putting the agent together: the only place that knows every part."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from agent import memory
from agent.asr import Recogniser
from agent.asr.factory import choose, open_recogniser
from agent.audio import Microphone, Speaker
from agent.audio.echo import EchoGuard
from agent.audio.gate import GatedMicrophone
from agent.audio.sounds import reopen_sound, ring_sound, wake_sound
from agent.audio.vad import SileroVad
from agent.biasing import Bias, builders
from agent.config import Config
from agent.conversation.carrying_out import Hands
from agent.conversation.ears import Ears
from agent.conversation.listening import Listener
from agent.conversation.loop import Conversation, Sounds
from agent.conversation.memory import StoredMemory, recalled
from agent.conversation.muted import Muted
from agent.conversation.ringing import Ringer
from agent.conversation.speaking import Voice
from agent.dialogue.assist_carriers import spoken_grammar
from agent.dialogue.catalogue import Catalogue, CatalogueFiles
from agent.dialogue.catalogue.sharing import Documents, own_documents, shared
from agent.dialogue.handlers import Handlers
from agent.dialogue.lists import Lists
from agent.dialogue.manager import Dialogue
from agent.dialogue.settings import Settings as DialogueSettings
from agent.dialogue.timers import Timers
from agent.errors import AgentError
from agent.events import EventBus, Fault
from agent.knowing import entries, expectations
from agent.levels import Meter
from agent.running import Agent, Reopen
from agent.sharing import Sharing, store_settings
from agent.store import BestEffortStore
from agent.tts.factory import open_synthesiser
from agent.wake import WakeWord
from agent.wake.confirm import ByRecogniser
from agent.wake.factory import needs_recogniser, open_wake_word
from agent.worker import Worker, Workload
from firmware_bridge import Bridge, BridgeUnavailableError, open_bridge
from models import locate

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Devices:
    """Where sound comes from and goes to."""

    microphone: Microphone
    speaker: Speaker
    reopen: Reopen | None = None
    """Opens a microphone that went away; None where that is the end."""
    close: Callable[[], Awaitable[None]] | None = None
    """Gives them back."""
    trouble: Callable[[], AgentError | None] = lambda: None
    """What is wrong with the loudspeaker now."""


async def build(config: Config, devices: Devices, bus: EventBus, workload: Workload,
                announce: Announce) -> Agent:
    """An agent on the given devices, ready to run.

    Args:
        config: The settings.
        devices: A machine's own, or an emulated room.
        bus: Where everything that happens is announced.
        workload: What is being worked on beside the audio.
        announce: Told, in a line each, which engines run.

    Raises:
        AgentError: A model, a program or a catalogue is missing or damaged.
    """
    memory.one_heap()
    gate = _gate(devices)
    recogniser = _recogniser(config, announce)
    ears = Ears(gate, _wake_word(config, recogniser, announce), bus)
    synthesiser = open_synthesiser(config.tts)
    announce(f"speech out: {synthesiser.name}")
    voice = Voice(synthesiser, devices.speaker, ears, bus, workload, config.audio.reopen_guard)
    ringer = Ringer(devices.speaker, ring_sound(config.audio.sound_level))
    names = Names(config.dialogue, config.context.preferences, announce)
    dialogue, handlers = _dialogue(config, names.catalogue, ringer, lambda: gate.now)
    store = BestEffortStore(store_settings(config),
                            lambda what: bus.publish(Fault(gate.now, "store", what)))
    store.start()
    sharing = Sharing(config, store, bus)
    sharing.start()
    windows = expectations(config.context, recogniser, store, dialogue, bus, workload,
                           lambda: gate.now, lambda: names.preferences)
    await windows.know(names.bias, entries(names.catalogue))
    vad = SileroVad(locate("silero-vad"))
    gate.on_mute(vad.reset)
    echo = EchoGuard(ears.recent, devices.speaker.played, vad.twin(), config.endpoint)
    gate.on_mute(echo.give_up)
    listener = Listener(ears, vad, config.endpoint, recogniser, echo, Worker("recognition"),
                        workload, bus, config.wake.word)
    hands = Hands(handlers, ringer, bus, workload, lambda: gate.now)
    dialogue.recall(await recalled(store))
    conversation = Conversation(ears, listener, dialogue, hands, voice, windows,
                                StoredMemory(store, lambda: dialogue.carried, sharing.on),
                                sharing.handover(dialogue, windows, workload), bus,
                                _sounds(config), config.dialogue.follow_up)

    troubles = Troubles(devices.trouble, bus)

    async def upkeep() -> None:
        troubles.look(gate.now)
        others = await sharing.documents(names.own)
        if names.stale(others):
            # A thousand cards take most of a second to read.
            await asyncio.to_thread(names.read, others)
            dialogue.use(names.catalogue)
            bias = await asyncio.to_thread(lambda: names.bias)
            await windows.know(bias, entries(names.catalogue))
            memory.release()

    async def close() -> None:
        await windows.close()
        await sharing.close()
        await store.close()
        if devices.close is not None:
            await devices.close()

    bridge = _bridge(config, bus, gate)
    memory.release()
    meter = (None if config.bridge.kind == "none"
             else Meter(ears, devices.speaker, bus, bridge.level))
    return Agent(conversation, Muted(gate, hands), gate, ears, hands, bus, bridge, meter=meter,
                 reopen=devices.reopen, upkeep=upkeep, close=close)


def _gate(devices: Devices) -> GatedMicrophone:
    """The microphone behind its mute, which also silences the loudspeaker."""
    gate = GatedMicrophone(devices.microphone)
    gate.on_mute(devices.speaker.stop)
    gate.on_mute(devices.speaker.played.wipe)
    return gate


class Troubles:
    """Announces that the loudspeaker failed, once for each time that it does.

    Args:
        trouble: What is wrong now.
        bus: Where it is announced.
    """

    def __init__(self, trouble: Callable[[], AgentError | None], bus: EventBus) -> None:
        self._trouble, self._bus = trouble, bus
        self._last: AgentError | None = None

    def look(self, now: float) -> None:
        """Announce what is wrong and was not before."""
        last, self._last = self._last, self._trouble()
        if self._last is not None and self._last is not last:
            self._bus.publish(Fault(now, "loudspeaker", self._last.what))


class Names:
    """The user's own names and what the household's other devices share, read when they change.

    Args:
        settings: Where the files are.
        preferences: What the user prefers.
        announce: Told what cannot be read; the rest is used.
    """

    def __init__(self, settings: DialogueSettings, preferences: tuple[str, ...],
                 announce: Announce) -> None:
        self._files = CatalogueFiles(settings.contacts, settings.devices, settings.places)
        self._own_preferences = preferences
        self._announce = announce
        self._others: Documents = {}
        self.catalogue = Catalogue()
        self.preferences = preferences
        self.own: Mapping[str, str] = {}
        """What this device shares."""
        self.read({})

    def stale(self, others: Documents) -> bool:
        """Whether a file changed, or what the other devices share.

        Args:
            others: What they share now.
        """
        return self._files.changed() or others != self._others

    def read(self, others: Documents) -> None:
        """Read everything anew."""
        self._others, own = others, self._files.load()
        self.own = own_documents(self._files, own, self._own_preferences)
        found = shared(self._files, own, self._own_preferences, others)
        self.catalogue, self.preferences = found.catalogue, found.preferences
        for problem in self.catalogue.problems:
            self._announce(str(problem))

    @property
    def bias(self) -> Bias:
        """What may be said at any time: every name, and every command over them."""
        book, home, places = self.catalogue.contacts, self.catalogue.home, self.catalogue.places
        names = builders.Catalogue(
            contacts=tuple(contact.name for contact in book.contacts),
            devices=(*(device.name for device in home.devices),
                     *(area.name for area in home.areas)),
            places=tuple(place.name for place in places.places))
        commands = spoken_grammar(self.catalogue)
        carriers = (*commands.carriers, *commands.open_carriers)
        return builders.standing(names, (c.text for c in carriers), commands.slots)


def _recogniser(config: Config, announce: Announce) -> Recogniser:
    choice = choose(config.asr, locate)
    announce(f"recogniser: {choice.reason}")
    return open_recogniser(config.asr, locate, bias=config.bias)


def _wake_word(config: Config, recogniser: Recogniser, announce: Announce) -> WakeWord:
    confirm = ByRecogniser(recogniser, config.wake.word) if needs_recogniser(config.wake) else None
    word = open_wake_word(config.wake, locate, confirm)
    announce(f"wake word: “{word.word}” ({config.wake.engine})")
    return word


def _dialogue(config: Config, catalogue: Catalogue, ringer: Ringer,
              clock: Callable[[], float]) -> tuple[Dialogue, Handlers]:
    timers, lists = Timers(clock), Lists(config.dialogue.lists)
    handlers = Handlers(config.commands, timers, lists, ringer.ring)
    dialogue = Dialogue(catalogue, config.dialogue, timers=timers, lists=lists, clock=clock,
                        now=datetime.now, unconfigured=handlers.unconfigured)
    dialogue.warm()
    return dialogue, handlers


def _bridge(config: Config, bus: EventBus, microphone: Microphone) -> Bridge:
    try:
        return open_bridge(config.bridge, bus, lambda: microphone.now)
    except BridgeUnavailableError as error:
        raise AgentError(error.what, error.mend) from error


def _sounds(config: Config) -> Sounds:
    if not config.audio.sounds:
        return Sounds(np.zeros(0, np.int16), np.zeros(0, np.int16))
    level = config.audio.sound_level
    return Sounds(wake_sound(level), reopen_sound(level))

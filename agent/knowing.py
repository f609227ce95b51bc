"""What the context window needs of the catalogues, the dialogue and the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from agent.asr import Recogniser
from agent.context import Entry, Situation
from agent.context.embedding import VectorStore
from agent.context.encoder import Encoder
from agent.context.expecting import Catalogues, ContextExpectations
from agent.context.hosting import EncoderHost
from agent.context.pace import Pace
from agent.context.settings import Settings
from agent.context.signals import load
from agent.context.stored import StoredItems
from agent.context.window import Parts
from agent.dialogue.catalogue import Catalogue
from agent.dialogue.manager import Dialogue
from agent.events import EventBus
from agent.store import BestEffortStore
from agent.worker import Workload
from models import catalogue as known_models
from models import locate

ENCODER = "context-encoder"


def expectations(settings: Settings, recogniser: Recogniser, store: BestEffortStore,
                 dialogue: Dialogue, bus: EventBus, workload: Workload,
                 now: Callable[[], float],
                 preferences: Callable[[], tuple[str, ...]] | None = None) -> ContextExpectations:
    """The context windows of an agent; without the encoder's file they do without vectors.

    ``preferences`` gives those of the whole household; the settings' own without it.
    """
    async def opened() -> VectorStore | None:
        await store.start()
        return store.store

    parts = Parts(recogniser, StoredItems(store), EncoderHost(lambda: Encoder(locate(ENCODER))),
                  settings, bus, now, load(settings.without), Pace(settings.phrases))
    return ContextExpectations(parts, Catalogues(_version(), opened), workload,
                               lambda: situation(dialogue, settings, preferences))


def situation(dialogue: Dialogue, settings: Settings,
              preferences: Callable[[], tuple[str, ...]] | None = None) -> Situation:
    """What the dialogue is about now."""
    state = dialogue.state
    options = state.question.options if state.question else ()
    return Situation(state.skill, state.screen.kind if state.screen else "",
                     tuple(option.text for option in options), settings.device_type,
                     preferences() if preferences else settings.preferences)


def entries(catalogue: Catalogue) -> Iterator[Entry]:
    """Everything in the catalogues that has a name, with what is known of it."""
    for contact in catalogue.contacts.contacts:
        yield Entry(contact.name, "contact", " ".join(contact.nicknames))
    for area in catalogue.home.areas:
        yield Entry(area.name, "device", "room")
    for device in catalogue.home.devices:
        about = (device.kind.replace("_", " "), device.device_class, device.area)
        yield Entry(device.name, "device", " ".join(filter(None, about)))
    for place in catalogue.places.places:
        yield Entry(place.name, "place", ", ".join(filter(None, (place.kind, place.note))))


def _version() -> str:
    """Of the encoder that the model catalogue names."""
    built = known_models()[ENCODER].built
    return hashlib.sha256("".join(f.sha256 or "" for f in built).encode()).hexdigest()[:16]

"""What goes into the store and what comes out of it.

Fields that hold a text are left out of ``repr``. Times are milliseconds on the store's own
timeline (UTC as it was at boot, then the boot clock).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

EXPECT_SPEECH = "expect-speech"
CLOSED = "closed"

DIALOGUE = re.compile(r"[A-Za-z0-9_-]{1,64}")
EVENT = re.compile(r"[a-z][a-z0-9-]{0,31}(:[A-Za-z0-9_-]{1,32})?")
KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")
MAX_TURN = 9999
MAX_EVENTS = 64
MAX_TEXT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class NewItem:
    """A text to be sealed and kept for the span of its kind."""

    kind: str
    """``said``, ``reply``, ``screen``, ``places``, ``consulted``, or a kind of one's own."""
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Interaction:
    """One row: everything that happened in one turn, without a word of what was said."""

    id: str
    """``<dialogue>.<turn>``."""
    dialogue_id: str
    device_id: str
    turn: int
    events: tuple[str, ...]
    """``wake utterance intent:call speak expect-speech``, in order."""
    item_ids: tuple[str, ...]
    """The texts of this turn that are still kept."""
    version: int
    """Counts the writes of this row, from 1."""
    acked_version: int
    """The last version that a cloud table has taken; 0 for none."""
    created_at: int
    expires_at: int
    deleted: bool
    """A tombstone: the interaction was deleted and must never come back."""
    wrapped_key: bytes | None = field(repr=False)
    """This interaction's key, wrapped by its epoch key; None while it has no text."""
    removed_ids: tuple[str, ...] = ()
    """Texts that were deleted before they expired and must not come back from another device;
    kept only where there is a cloud table."""

    @property
    def expects_speech(self) -> bool:
        """Whether the microphone reopens without a wake word after this turn."""
        return EXPECT_SPEECH in self.events and CLOSED not in self.events


@dataclass(frozen=True, slots=True)
class SealedItem:
    """A text as it lies in the store: sealed, and the same bytes that a cloud table gets."""

    id: str
    """``<interaction>.<seq in hex>``."""
    interaction_id: str
    seq: int
    """Rises within the interaction and is never used twice."""
    kind: str
    op_id: bytes
    """16 random bytes that name this write."""
    nonce: bytes
    ciphertext: bytes = field(repr=False)
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class OpenItem:
    """A text, unsealed."""

    id: str
    interaction_id: str
    seq: int
    kind: str
    text: str = field(repr=False)
    created_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """An entry of a catalogue (a contact, a device, a place) with its vector."""

    key: str = field(repr=False)
    """Names the entry within its catalogue."""
    entry: bytes = field(repr=False)
    """The entry in its owner's own form."""
    vector: bytes = field(default=b"", repr=False)
    """Its embedding in its owner's own form; empty where there is none."""


def interaction_id(dialogue_id: str, turn: int) -> str:
    """The id of one turn's row.

    Raises:
        ValueError: The dialogue's id is not 1–64 letters, digits, ``-`` or ``_``, or the turn is
            not within 0–9999.
    """
    if not DIALOGUE.fullmatch(dialogue_id):
        raise ValueError("a dialogue's id is 1-64 letters, digits, '-' or '_'")
    if not 0 <= turn <= MAX_TURN:
        raise ValueError(f"a turn's number is within 0-{MAX_TURN}")
    return f"{dialogue_id}.{turn:04d}"


def parse_events(text: str) -> tuple[str, ...]:
    """Split event strings at spaces and check that they can hold no sentence.

    Raises:
        ValueError: One is not ``name`` or ``name:Detail``; the text itself is not repeated.
    """
    events = tuple(text.split())
    if not events:
        raise ValueError("an append needs at least one event")
    if not all(EVENT.fullmatch(event) for event in events):
        raise ValueError("an event is 'name' or 'name:Detail' of letters, digits, '-' and '_'")
    return events


def check_item(item: NewItem) -> bytes:
    """The item's text as UTF-8.

    Raises:
        ValueError: Its kind is no short name, or its text is too large.
    """
    if not KIND.fullmatch(item.kind):
        raise ValueError("an item's kind is a short name of letters, digits and '-'")
    data = item.text.encode("utf-8", "surrogatepass")
    if len(data) > MAX_TEXT_BYTES:
        raise ValueError(f"an item holds at most {MAX_TEXT_BYTES} bytes of text")
    return data

"""A row and its texts as a cloud table holds them: what is bound to what, and by which key.

Formats 1. What a row says is sealed under the household's ``row`` key of an epoch; the
interaction's own key, under its ``text`` key; both with the row's names, version, state, expiry,
generation and epoch as associated data. A text keeps the bytes that lie in the store; what it is
(kind, number, times) is sealed beside it under the interaction's key, bound to its own name. So
nothing can be swapped, edited or given a longer life without being refused.

Nonces are synthetic: a keyed hash of everything that is sealed (as in RFC 5297), so that an
attempt that is made again sends the same bytes.
"""

from __future__ import annotations

import hmac
import json
import re
import struct
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from agent.store.exchange import ArrivedItem
from agent.store.records import EVENT, KIND, Interaction, SealedItem, interaction_id
from agent.store.sealing import KEY_BYTES, NONCE_BYTES, Place, Sealed, canonical
from agent.sync.keys import GenerationError, Keyring, OldGenerationError, Purpose
from agent.sync.records import Record

FORMAT = b"\x01"
HEAD = struct.Struct(">cIQ")
ROW_LABEL = b"voice-agent cloud row 1"
KEY_LABEL = b"voice-agent cloud key 1"
ITEM_LABEL = b"voice-agent cloud item 1"
_LABELS: dict[Purpose, bytes] = {"row": ROW_LABEL, "text": KEY_LABEL}
DIALOGUE_TIME = re.compile(r"[0-9a-f]{24}")
SUFFIX = re.compile(r"[0-9a-f]{1,16}")
WINDOW_BITS = 8
"""Rows are grouped by the 256 seconds in which their dialogue began."""
TOMBSTONE_S = 3600
"""Seconds a tombstone outlives the row that it keeps away, for clocks that differ."""


class RefusedError(ValueError):
    """A row of the cloud table is not what this household's devices wrote there."""


# --- names ----------------------------------------------------------------------------------------


def window(utc_s: int) -> str:
    """The group of a time, 6 hex digits; groups sort by time."""
    return f"{(utc_s & 0xFFFFFFFF) >> WINDOW_BITS:06x}"


def row_name(keyring: Keyring, row_id: str) -> str:
    """The sort key of a row: its dialogue's group, then a keyed hash of its id.

    A dialogue's id begins with the time at which it began, so that a pull can leave out what is
    old without reading it; the cloud sees when a row is written in any case.
    """
    dialogue = row_id.rpartition(".")[0]
    group = window(int(dialogue[:8], 16)) if DIALOGUE_TIME.fullmatch(dialogue) else "ffffff"
    return f"{group}.{keyring.name('interaction', row_id)}"


def item_name(keyring: Keyring, row: str, item_id: str) -> str:
    """The sort key of a text: its row's, then a keyed hash of its id."""
    return f"{row}#{keyring.name('item', item_id)}"


# --- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CloudRow:
    """A row as all devices see it; times are UTC milliseconds."""

    interaction: Interaction
    """Its times are UTC; ``acked_version`` and ``wrapped_key`` mean nothing here."""
    key: bytes | None = field(repr=False)
    """The interaction's own key; None when it has no text."""


def op_of(keyring: Keyring, row: CloudRow) -> str:
    """The name of a row's state: the same on every device that holds the same state."""
    known = row.interaction
    state = canonical(b"state", known.id, "" if known.deleted else known.device_id,
                      int(known.deleted), known.version, " ".join(known.events),
                      " ".join(sorted(known.item_ids)), " ".join(sorted(known.removed_ids)),
                      row.key)
    return keyring.name("op", state.hex())[:32]


def seal_row(keyring: Keyring, row: CloudRow, now_ms: int) -> Record:
    """A row as the cloud table gets it.

    Raises:
        EpochError: The household's key cannot be had.
    """
    known, epoch = row.interaction, keyring.epoch(now_ms)
    expires = -(-known.expires_at // 1000) + (TOMBSTONE_S if known.deleted else 0)
    record = Record("interaction", row_name(keyring, known.id), known.version,
                    op_of(keyring, row), expires, known.deleted)
    blobs = {"row": _seal(keyring, "row", epoch, _bound(ROW_LABEL, keyring, record),
                          _row_text(known))}
    if row.key and not known.deleted:
        blobs["key"] = _seal(keyring, "text", epoch, _bound(KEY_LABEL, keyring, record), row.key)
    return Record(record.table, record.key, record.version, record.op, record.expires,
                  record.deleted, blobs)


def open_row(keyring: Keyring, record: Record) -> CloudRow:
    """Open and check a row.

    Raises:
        RefusedError: It was altered, moved, or was not written by this household.
        EpochError: The household's key for it cannot be had; without a ``text`` key the row is
            opened without its texts.
    """
    text = _open(keyring, "row", _bound(ROW_LABEL, keyring, record), record.blobs.get("row", b""))
    known = _row_of(text, record)
    if row_name(keyring, known.id) != record.key:
        raise RefusedError("a row stands under another row's name")
    return CloudRow(known, None)


def open_key(keyring: Keyring, record: Record) -> bytes | None:
    """The interaction's key of an opened row; None when it has none.

    Raises:
        RefusedError: It was altered or moved.
        EpochError: The household's key for it was thrown away: its texts have expired.
    """
    if "key" not in record.blobs:
        return None
    key = _open(keyring, "text", _bound(KEY_LABEL, keyring, record), record.blobs["key"])
    if len(key) != KEY_BYTES:
        raise RefusedError("an interaction's key is malformed")
    return key


def _bound(label: bytes, keyring: Keyring, record: Record) -> bytes:
    return canonical(label, keyring.household, record.table, record.key, record.version,
                     record.op, record.expires, int(record.deleted))


def _row_text(row: Interaction) -> bytes:
    skip = len(row.id) + 1
    return json.dumps([
        row.dialogue_id, row.turn, row.device_id, " ".join(row.events),
        " ".join(i[skip:] for i in row.item_ids), " ".join(i[skip:] for i in row.removed_ids),
        row.created_at, row.expires_at], separators=(",", ":")).encode()


def _row_of(text: bytes, record: Record) -> Interaction:
    try:
        dialogue, turn, device, events, live, removed, created, expires = json.loads(text)
        row_id = interaction_id(dialogue, turn)
        if not (isinstance(device, str) and type(created) is int and type(expires) is int
                and all(EVENT.fullmatch(event) for event in events.split())
                and all(SUFFIX.fullmatch(s) for s in (*live.split(), *removed.split()))):
            raise ValueError
    except (ValueError, TypeError, AttributeError):
        raise RefusedError("a row's content is malformed") from None
    return Interaction(
        row_id, dialogue, device, turn, tuple(events.split()), _ids(row_id, live),
        record.version, 0, created, expires, record.deleted, None, _ids(row_id, removed))


def _ids(row_id: str, suffixes: str) -> tuple[str, ...]:
    return tuple(f"{row_id}.{suffix}" for suffix in suffixes.split())


# --- texts ----------------------------------------------------------------------------------------


def seal_item(keyring: Keyring, row: str, item: SealedItem, key: bytes, shift: int) -> Record:
    """A text as the cloud table gets it; ``shift`` turns the store's times into UTC."""
    record = Record("item", item_name(keyring, row, item.id), 1, item.op_id.hex(),
                    -(-(item.expires_at + shift) // 1000))
    about = json.dumps([item.id, item.seq, item.kind, item.created_at, item.expires_at, shift],
                       separators=(",", ":")).encode()
    bound = _bound(ITEM_LABEL, keyring, record)
    return Record(record.table, record.key, record.version, record.op, record.expires, False,
                  {"text": item.nonce + item.ciphertext,
                   "about": FORMAT + _encrypt(key, ITEM_LABEL, bound, about)})


def open_item(keyring: Keyring, row: CloudRow, record: Record, now_ms: int) -> ArrivedItem:
    """Open what a text is, without opening the text itself.

    Raises:
        RefusedError: It was altered, moved, or belongs to another row.
    """
    about, text = record.blobs.get("about", b""), record.blobs.get("text", b"")
    if row.key is None or about[:1] != FORMAT or len(text) <= NONCE_BYTES:
        raise RefusedError("a text is of no known format")
    data = _decrypt(row.key, ITEM_LABEL, _bound(ITEM_LABEL, keyring, record), about[1:])
    try:
        item_id, seq, kind, created, expires, shift = json.loads(data)
        if not (KIND.fullmatch(kind) and all(type(n) is int for n in (seq, created, expires,
                                                                       shift))):
            raise ValueError
    except (ValueError, TypeError):
        raise RefusedError("a text's description is malformed") from None
    known = row.interaction
    if item_id not in known.item_ids or not record.key.endswith(
            "#" + keyring.name("item", item_id)):
        raise RefusedError("a text belongs to another row")
    place = Place(known.device_id, known.id, item_id, seq, kind, created, expires)
    return ArrivedItem(place, Sealed(text[:NONCE_BYTES], text[NONCE_BYTES:]),
                       bytes.fromhex(record.op), now_ms - (created + shift),
                       expires + shift - now_ms)


# --- sealing --------------------------------------------------------------------------------------


def _seal(keyring: Keyring, purpose: Purpose, epoch: int, bound: bytes, text: bytes) -> bytes:
    head = HEAD.pack(FORMAT, keyring.generation, epoch)
    return head + _encrypt(keyring.key(epoch, purpose), _LABELS[purpose], bound + head, text)


def _open(keyring: Keyring, purpose: Purpose, bound: bytes, blob: bytes) -> bytes:
    if len(blob) < HEAD.size + NONCE_BYTES or blob[:1] != FORMAT:
        raise RefusedError("a row is of no known format")
    head = blob[:HEAD.size]
    _, generation, epoch = HEAD.unpack(head)
    if generation > keyring.generation:
        raise GenerationError("a row is sealed under the keys of a household without this device",
                              "if this device should belong to it, pair it again")
    if generation < keyring.generation:
        raise OldGenerationError("a row is from before a device was removed")
    return _decrypt(keyring.key(epoch, purpose), _LABELS[purpose], bound + head,
                    blob[HEAD.size:])


def _encrypt(key: bytes, label: bytes, bound: bytes, text: bytes) -> bytes:
    nonce = hmac.digest(_derived(key, label + b" nonce"), canonical(label, bound, text),
                        "sha256")[:NONCE_BYTES]
    return nonce + ChaCha20Poly1305(_derived(key, label)).encrypt(nonce, text, bound)


def _decrypt(key: bytes, label: bytes, bound: bytes, data: bytes) -> bytes:
    try:
        return ChaCha20Poly1305(_derived(key, label)).decrypt(
            data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise RefusedError("a row was altered, moved, or not written by this household") from None


def _derived(key: bytes, label: bytes) -> bytes:
    return HKDFExpand(SHA256(), KEY_BYTES, info=label).derive(key)

"""Sealing of texts and wrapping of their keys: formats 1, fixed by test vectors.

A text is sealed with ChaCha20-Poly1305 (RFC 8439; fast without AES instructions, which the
Raspberry Pi 4 lacks) under its interaction's own random key and a random 96-bit nonce. One key
seals only a handful of texts, so random nonces cannot collide. An interaction's key is wrapped
the same way under a key derived from its epoch key.

Associated data is a canonical encoding: a label, then each field with a type byte and its
length, so that no two different lists of fields give the same bytes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from agent.store.errors import SealBrokenError

FORMAT = b"\x01"
KEY_BYTES = 32
NONCE_BYTES = 12
EPOCH_ID_BYTES = 8
ITEM_LABEL = b"voice-agent item 1"
WRAP_LABEL = b"voice-agent wrap 1"

Field = str | int | bytes | None


def canonical(label: bytes, *fields: Field) -> bytes:
    """Encode a label and fields so that equal bytes mean equal lists.

    Each part is a type byte (``l``abel, ``s``tring, ``i``nteger, ``b``ytes, ``n``one), its
    length as a big-endian u32, and its bytes; integers are signed 64-bit big-endian.
    """
    parts = [b"l", len(label).to_bytes(4, "big"), label]
    for value in fields:
        if isinstance(value, str):
            kind, data = b"s", value.encode()
        elif isinstance(value, int):
            kind, data = b"i", value.to_bytes(8, "big", signed=True)
        elif value is None:
            kind, data = b"n", b""
        else:
            kind, data = b"b", value
        parts += (kind, len(data).to_bytes(4, "big"), data)
    return b"".join(parts)


def derive(secret: bytes, label: str, length: int = KEY_BYTES) -> bytes:
    """HKDF-SHA256 (RFC 5869) of a root secret, for one purpose."""
    return HKDF(SHA256(), length, salt=None, info=b"voice-agent " + label.encode()).derive(secret)


def wrapping_key(epoch_key: bytes) -> bytes:
    """The key that wraps interaction keys, from a uniformly random epoch key."""
    return HKDFExpand(SHA256(), KEY_BYTES, info=WRAP_LABEL).derive(epoch_key)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed text belongs; it can be opened only there."""

    device_id: str
    interaction_id: str
    item_id: str
    seq: int
    kind: str
    created_at: int
    expires_at: int

    def associated_data(self) -> bytes:
        """The canonical bytes that the seal binds."""
        return canonical(ITEM_LABEL, self.device_id, self.interaction_id, self.item_id, self.seq,
                         self.kind, self.created_at, self.expires_at)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed text: format byte and ciphertext with its 16-byte tag, and the nonce."""

    nonce: bytes
    ciphertext: bytes = field(repr=False)


def seal(key: bytes, text: bytes, place: Place, nonce: bytes | None = None) -> Sealed:
    """Seal a text for one place; a nonce that is given must be random and never used before."""
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    data = ChaCha20Poly1305(key).encrypt(nonce, text, place.associated_data())
    return Sealed(nonce, FORMAT + data)


def unseal(key: bytes, sealed: Sealed, place: Place) -> bytes:
    """Open a sealed text.

    Raises:
        SealBrokenError: It was not sealed with this key for this place, or was altered.
    """
    if sealed.ciphertext[:1] != FORMAT or len(sealed.nonce) != NONCE_BYTES:
        raise _broken()
    try:
        return ChaCha20Poly1305(key).decrypt(sealed.nonce, sealed.ciphertext[1:],
                                             place.associated_data())
    except InvalidTag:
        raise _broken() from None


def wrap(wrapping: bytes, epoch_id: bytes, device_id: str, interaction: str, key: bytes,
         nonce: bytes | None = None) -> bytes:
    """Wrap an interaction's key: format, epoch id (8), nonce (12), ciphertext (48)."""
    nonce = nonce or secrets.token_bytes(NONCE_BYTES)
    bound = canonical(WRAP_LABEL, device_id, interaction, epoch_id)
    return FORMAT + epoch_id + nonce + ChaCha20Poly1305(wrapping).encrypt(nonce, key, bound)


def unwrap(wrapping: bytes, device_id: str, interaction: str, wrapped: bytes) -> bytes:
    """The interaction's key.

    Raises:
        SealBrokenError: It was wrapped by another epoch, for another interaction, or was altered.
    """
    epoch_id = wrapped_epoch(wrapped)
    start = 1 + EPOCH_ID_BYTES
    bound = canonical(WRAP_LABEL, device_id, interaction, epoch_id)
    try:
        return ChaCha20Poly1305(wrapping).decrypt(
            wrapped[start:start + NONCE_BYTES], wrapped[start + NONCE_BYTES:], bound)
    except InvalidTag:
        raise _broken() from None


def wrapped_epoch(wrapped: bytes) -> bytes:
    """Id of the epoch whose key wraps this interaction's key.

    Raises:
        SealBrokenError: This is no wrapped key of a known format.
    """
    if wrapped[:1] != FORMAT or len(wrapped) != 1 + EPOCH_ID_BYTES + NONCE_BYTES + KEY_BYTES + 16:
        raise _broken()
    return wrapped[1:1 + EPOCH_ID_BYTES]


def _broken() -> SealBrokenError:
    return SealBrokenError("a sealed text does not belong where it was found, or was altered",
                      "it was refused; nothing needs to be done")

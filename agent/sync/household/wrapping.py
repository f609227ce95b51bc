"""Wrapping of the keys of a new generation to the devices that stay.

The key is HKDF-SHA256 of two X25519 exchanges, ephemeral–recipient and sender–recipient, bound to
both public keys and the generation (the authenticated mode of RFC 9180, with this agent's own
encoding): only the recipient can open it, and only a device whose public key the recipient knows
can have made it. Each key seals once, so its nonce is fixed.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.store.sealing import KEY_BYTES, NONCE_BYTES, canonical

LABEL = b"voice-agent household wrap 1"
NONCE = bytes(NONCE_BYTES)


class WrapBrokenError(ValueError):
    """It was not wrapped for this device by that sender, or was altered."""


def wrap(sender: bytes, recipient: bytes, household: str, generation: int, text: bytes) -> bytes:
    """Wrap a text.

    Args:
        sender: The sender's private key.
        recipient: The recipient's public key.
        household: Its id.
        generation: The generation that the text brings.
        text: What is wrapped.

    Returns:
        Ephemeral public key (32), ciphertext with its tag.

    Raises:
        WrapBrokenError: The recipient's key is no usable public key.
    """
    mine, ephemeral = X25519PrivateKey.from_private_bytes(sender), X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes_raw()
    try:
        theirs = X25519PublicKey.from_public_bytes(recipient)
        shared = ephemeral.exchange(theirs) + mine.exchange(theirs)
    except ValueError:
        raise WrapBrokenError("a public key cannot be used") from None
    bound = canonical(LABEL, household, generation, public, mine.public_key().public_bytes_raw(),
                      recipient)
    return public + ChaCha20Poly1305(_key(shared, bound)).encrypt(NONCE, text, bound)


def unwrap(recipient: bytes, sender: bytes, household: str, generation: int,
           wrapped: bytes) -> bytes:
    """Open what ``wrap`` made.

    Args:
        recipient: The recipient's private key.
        sender: The sender's public key.
        household: Its id.
        generation: The generation that the text brings.
        wrapped: What ``wrap`` returned.

    Raises:
        WrapBrokenError: It is not for this device, not by that sender, or altered.
    """
    mine, public = X25519PrivateKey.from_private_bytes(recipient), wrapped[:KEY_BYTES]
    try:
        shared = (mine.exchange(X25519PublicKey.from_public_bytes(public))
                  + mine.exchange(X25519PublicKey.from_public_bytes(sender)))
        bound = canonical(LABEL, household, generation, public, sender,
                          mine.public_key().public_bytes_raw())
        return ChaCha20Poly1305(_key(shared, bound)).decrypt(NONCE, wrapped[KEY_BYTES:], bound)
    except (InvalidTag, ValueError):
        raise WrapBrokenError("wrapped keys are not for this device, or were altered") from None


def _key(shared: bytes, bound: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=bound).derive(shared)

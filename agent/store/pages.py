"""Checks single pages of an SQLCipher 4 file without opening it as a database.

SQLCipher stores, at the end of each page, a 16-byte IV and an HMAC-SHA512 over the ciphertext,
the IV and the page number; the HMAC key is PBKDF2-HMAC-SHA512 of the raw key, two rounds, over
the file's salt with every byte XORed by 0x3a (SQLCipher's own design document).
"""

from __future__ import annotations

import hashlib
import hmac
import struct

from agent.store.connection import PAGE_SIZE

SALT_BYTES = 16
IV_BYTES, MAC_BYTES = 16, 64
RESERVED = IV_BYTES + MAC_BYTES


def mac_key(key: bytes, salt: bytes) -> bytes:
    """The key of the page HMACs of one file."""
    return hashlib.pbkdf2_hmac("sha512", key, bytes(b ^ 0x3A for b in salt), 2, 32)


def is_authentic(page: bytes, number: int, authenticator: bytes) -> bool:
    """Whether a page, numbered from 1, was written under this HMAC key."""
    if len(page) != PAGE_SIZE:
        return False
    body = page[SALT_BYTES if number == 1 else 0:PAGE_SIZE - MAC_BYTES]
    expected = hmac.new(authenticator, body + struct.pack("<I", number), hashlib.sha512).digest()
    return hmac.compare_digest(expected, page[PAGE_SIZE - MAC_BYTES:])


def any_authentic(data: bytes, authenticator: bytes) -> bool:
    """Whether any page of a database file was written under this HMAC key."""
    return any(is_authentic(data[at:at + PAGE_SIZE], at // PAGE_SIZE + 1, authenticator)
               for at in range(0, len(data), PAGE_SIZE))

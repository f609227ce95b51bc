"""The pairing of two devices by a short code, as messages; the network is elsewhere.

1. SPAKE2 (RFC 9382's protocol, by the ``spake2`` package over Ed25519) makes a strong key of the
   code. Whoever listens learns nothing; whoever takes part without the code has one guess.
2. Each side proves that it has the key, the joining device first: a wrong guess is answered by
   nothing that could be tried against other codes.
3. The new device's entry and the household's secrets travel sealed (ChaCha20-Poly1305) under keys
   bound to every byte exchanged before.

    joining device                      inviting device
    hello, SPAKE2 A            ───▶
                               ◀───     SPAKE2 B
    proof A                    ───▶
                               ◀───     proof B
    its name and public key    ───▶
                               ◀───     the household
    done                       ───▶
"""

from __future__ import annotations

import hmac
import json
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from agent.errors import AgentError
from agent.store.sealing import KEY_BYTES, NONCE_BYTES
from agent.sync.household.membership import (
    Household,
    MalformedError,
    Member,
    household_from_json,
    household_to_json,
    member_from_json,
    member_to_json,
    parse,
)

HELLO = b"voice-agent pairing 1\n"
JOINER, INVITER = b"voice-agent joining device", b"voice-agent inviting device"
SPAKE_BYTES = 33
DONE = b"done"
CODE_DIGITS = 8
LARGEST = 64 * 1024
"""Bytes of the largest message."""


class PairingError(AgentError):
    """The devices could not be paired; nothing was changed on this one."""


class WrongCodeError(PairingError):
    """The other side does not have the code."""


class GarbageError(PairingError):
    """What came is no message of this protocol."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the new device is given."""

    household: Household = field(repr=False)
    now_ms: int
    """The inviting device's clock, UTC milliseconds."""


class Exchange(Protocol):
    """The SPAKE2 state of one side, as the ``spake2`` package has it."""

    def start(self) -> bytes:
        """This side's message."""
        ...

    def finish(self, inbound: bytes) -> bytes:
        """The shared key."""
        ...


def new_code() -> str:
    """A random code: eight digits, shown in two groups."""
    digits = "".join(secrets.choice("0123456789") for _ in range(CODE_DIGITS))
    return f"{digits[:4]}-{digits[4:]}"


def clean_code(text: str) -> bytes:
    """A code as typed, without the spaces and hyphens.

    Raises:
        PairingError: It is not eight digits.
    """
    digits = "".join(c for c in text if c not in " -")
    if len(digits) != CODE_DIGITS or not (digits.isascii() and digits.isdigit()):
        raise PairingError(f"a code is {CODE_DIGITS} digits",
                           "type it as `voice-agent household invite` shows it")
    return digits.encode()


class _Channel:
    """Proofs and sealed messages, once both sides have the same key and transcript."""

    def __init__(self, shared: bytes, transcript: bytes, joins: bool) -> None:
        self._salt = sha256(transcript).digest()
        keys = HKDF(SHA256(), 4 * KEY_BYTES, salt=self._salt, info=b"voice-agent pairing keys 1")
        made = keys.derive(shared)
        parts = [made[n:n + KEY_BYTES] for n in range(0, len(made), KEY_BYTES)]
        mine, theirs = (0, 1) if joins else (1, 0)
        self.proof = self._prove(parts[mine])
        self._expected = self._prove(parts[theirs])
        self._out, self._in = (ChaCha20Poly1305(parts[2 + mine]),
                               ChaCha20Poly1305(parts[2 + theirs]))
        self._sent = self._received = 0

    def check(self, proof: bytes) -> None:
        """Check the other side's proof.

        Raises:
            WrongCodeError: It has another code, or someone altered a byte.
        """
        if not hmac.compare_digest(proof, self._expected):
            raise WrongCodeError("the code is wrong, or someone interferes with the connection",
                                 "run `voice-agent household invite` again for a new code")

    def seal(self, text: bytes) -> bytes:
        """Seal the next message."""
        self._sent += 1
        return self._out.encrypt(_nonce(self._sent), text, self._salt)

    def open(self, data: bytes) -> bytes:
        """Open the next message.

        Raises:
            GarbageError: It was altered, or is not the next one.
        """
        self._received += 1
        try:
            return self._in.decrypt(_nonce(self._received), data, self._salt)
        except (InvalidTag, ValueError):
            raise GarbageError("a message of the other device was altered on its way",
                               "run `voice-agent household invite` again") from None

    def _prove(self, key: bytes) -> bytes:
        return hmac.digest(key, self._salt, sha256)


def _nonce(count: int) -> bytes:
    return count.to_bytes(NONCE_BYTES, "big")


class Joining:
    """The new device's side; call the methods in their order.

    Args:
        code: As typed.

    Raises:
        PairingError: The code is not one.
    """

    def __init__(self, code: str) -> None:
        exchange: Exchange = _spake2().SPAKE2_A(clean_code(code), idA=JOINER, idB=INVITER)
        self._exchange = exchange
        self._first = HELLO + exchange.start()
        self._channel: _Channel | None = None

    def hello(self) -> bytes:
        """The first message."""
        return self._first

    def prove(self, answer: bytes) -> bytes:
        """The second message, from the inviting device's first."""
        shared = _finish(self._exchange, answer)
        self._channel = _Channel(shared, self._first + answer, joins=True)
        return self._channel.proof

    def introduce(self, proof: bytes, me: Member) -> bytes:
        """The third message: who this device is, once the other one has proved the code.

        Raises:
            WrongCodeError: It has not.
        """
        channel = _made(self._channel)
        channel.check(proof)
        return channel.seal(json.dumps(member_to_json(me)).encode())

    def receive(self, data: bytes) -> Invitation:
        """The household.

        Raises:
            GarbageError: It cannot be understood.
        """
        return _invitation(_made(self._channel).open(data))

    def done(self) -> bytes:
        """The last message: the household is kept on disk."""
        return _made(self._channel).seal(DONE)


class Inviting:
    """The inviting device's side; call the methods in their order.

    Args:
        code: From ``new_code``.
    """

    def __init__(self, code: str) -> None:
        exchange: Exchange = _spake2().SPAKE2_B(clean_code(code), idA=JOINER, idB=INVITER)
        self._exchange = exchange
        self._channel: _Channel | None = None

    def answer(self, hello: bytes) -> bytes:
        """The first message, from the new device's.

        Raises:
            GarbageError: It is no such message.
        """
        if not hello.startswith(HELLO):
            raise GarbageError("what called is not a voice-agent of this version")
        reply = self._exchange.start()
        shared = _finish(self._exchange, hello[len(HELLO):])
        self._channel = _Channel(shared, hello + reply, joins=False)
        return reply

    def check(self, proof: bytes) -> bytes:
        """This side's proof, once the new device has proved the code.

        Raises:
            WrongCodeError: It has not: the invitation ends.
        """
        channel = _made(self._channel)
        channel.check(proof)
        return channel.proof

    def meet(self, data: bytes) -> Member:
        """The new device.

        Raises:
            GarbageError: It cannot be understood.
        """
        text = _made(self._channel).open(data)
        try:
            return member_from_json(parse(text))
        except MalformedError as error:
            raise GarbageError(f"the other device's message is malformed: {error}") from None

    def give(self, invitation: Invitation) -> bytes:
        """The household, sealed for the new device."""
        text = {"household": household_to_json(invitation.household),
                "now_ms": invitation.now_ms}
        return _made(self._channel).seal(json.dumps(text).encode())

    def finished(self, data: bytes) -> None:
        """Check the last message.

        Raises:
            GarbageError: It is not the last message.
        """
        if _made(self._channel).open(data) != DONE:
            raise GarbageError("the other device did not finish")


def _spake2() -> Any:
    try:
        import spake2
    except ImportError:
        raise PairingError("pairing needs the package spake2, which is not installed",
                           'pip install "voice-agent[cloud]"') from None
    return spake2


def _finish(exchange: Exchange, message: bytes) -> bytes:
    if len(message) != SPAKE_BYTES:
        raise GarbageError("the other device's first message is malformed")
    try:
        return exchange.finish(message)
    except Exception as error:
        # The package raises SPAKEError, ValueError and AssertionError for points that are none.
        raise GarbageError("the other device's first message is malformed") from error


def _made(channel: _Channel | None) -> _Channel:
    if channel is None:
        raise GarbageError("a message came before its turn")
    return channel


def _invitation(text: bytes) -> Invitation:
    try:
        table: Any = parse(text)
        now = table.get("now_ms")
        if not isinstance(now, int):
            raise MalformedError("now_ms: must be a whole number")
        return Invitation(household_from_json(table.get("household")), now)
    except MalformedError as error:
        raise GarbageError(f"the other device's message is malformed: {error}") from None

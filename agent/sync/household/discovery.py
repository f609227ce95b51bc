"""Finding the inviting device in the local network: a question by broadcast, a port for answer.

It saves typing an address, no more: whoever answers must still prove the code.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from dataclasses import dataclass
from typing import cast

from agent.sync.household.inviting import PORT
from agent.sync.household.pairing import PairingError

QUESTION, ANSWER = b"voice-agent who invites 1\n", b"voice-agent invites 1\n"
NONCE_BYTES = 8
EVERYBODY = "255.255.255.255"
WAIT_S = 2.0
ASKED = 4
ANSWERS = 200
"""Answers that one invitation gives at most."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an inviting device listens."""

    address: str
    port: int


class _Answering(asyncio.DatagramProtocol):
    def __init__(self, port: int) -> None:
        self._port = port
        self._left = ANSWERS
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Python 3.11's datagram transport does not derive from DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        nonce = data[len(QUESTION):]
        asked = data.startswith(QUESTION) and len(nonce) == NONCE_BYTES
        if asked and self._left > 0 and self._transport:
            self._left -= 1
            self._transport.sendto(ANSWER + nonce + self._port.to_bytes(2, "big"), addr)


async def answer(port: int, address: str = "0.0.0.0",
                 question_port: int = PORT) -> asyncio.BaseTransport | None:
    """Answer questions until the transport is closed; None where that port cannot be had.

    Args:
        port: The port on which the invitation waits.
        address: Which questions are heard; broadcasts only with the default.
        question_port: Where questions are asked.
    """
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: _Answering(port), local_addr=(address, question_port))
    except OSError:
        return None
    return transport


async def find(address: str = EVERYBODY, port: int = PORT, wait_s: float = WAIT_S) -> Place:
    """The one device that invites.

    Args:
        address: Whom to ask: everybody in the local network.
        port: Where.
        wait_s: Seconds to wait for answers.

    Raises:
        PairingError: None answers, or more than one.
    """
    found = await asyncio.to_thread(_ask, address, port, wait_s)
    if len(found) == 1:
        return found[0]
    if not found:
        raise PairingError("no device in the local network invites",
                           "is `voice-agent household invite` waiting there? Else give the "
                           "address that it shows: `voice-agent household join ADDRESS CODE`")
    listed = ", ".join(f"{place.address}:{place.port}" for place in found)
    raise PairingError(f"more than one device invites: {listed}",
                       "give the address of the right one: "
                       "`voice-agent household join ADDRESS CODE`")


def _ask(address: str, port: int, wait_s: float) -> list[Place]:
    nonce, found = secrets.token_bytes(NONCE_BYTES), set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.settimeout(wait_s / ASKED)
        for _ in range(ASKED):
            with contextlib.suppress(OSError):
                asking.sendto(QUESTION + nonce, (address, port))
                while True:
                    data, sender = asking.recvfrom(256)
                    place = _place(data, nonce, sender[0])
                    if place:
                        found.add(place)
    return sorted(found)


def _place(data: bytes, nonce: bytes, sender: str) -> Place | None:
    known = ANSWER + nonce
    if not data.startswith(known) or len(data) != len(known) + 2:
        return None
    port = int.from_bytes(data[len(known):], "big")
    return Place(sender, port) if port else None

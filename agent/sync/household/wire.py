"""Messages over a TCP connection: a length in four bytes, big-endian, then the bytes."""

from __future__ import annotations

import asyncio

from agent.sync.household.pairing import LARGEST, GarbageError, PairingError

PATIENCE_S = 20.0
"""Seconds that one message may take."""


class Wire:
    """One connection.

    Args:
        reader: What comes.
        writer: What goes.
        patience_s: Seconds that one message may take.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
                 patience_s: float = PATIENCE_S) -> None:
        self._reader, self._writer, self._patience = reader, writer, patience_s

    async def send(self, message: bytes) -> None:
        """Send one message.

        Raises:
            PairingError: The connection broke.
        """
        try:
            async with asyncio.timeout(self._patience):
                self._writer.write(len(message).to_bytes(4, "big") + message)
                await self._writer.drain()
        except (OSError, TimeoutError) as error:
            raise _broken() from error

    async def receive(self, largest: int = LARGEST) -> bytes:
        """The next message.

        Raises:
            PairingError: The connection broke or nothing came in time.
            GarbageError: It is longer than ``largest`` bytes.
        """
        try:
            async with asyncio.timeout(self._patience):
                length = int.from_bytes(await self._reader.readexactly(4), "big")
                if length > largest:
                    raise GarbageError("what came is no message of a voice-agent")
                return await self._reader.readexactly(length)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise _broken() from error

    async def close(self) -> None:
        """End the connection."""
        self._writer.close()
        try:
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            pass


def _broken() -> PairingError:
    return PairingError("the connection to the other device broke",
                        "run `voice-agent household invite` again, and join once more")

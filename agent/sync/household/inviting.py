"""``household invite``: the one listener that is not on localhost, open for minutes.

A code serves one attempt. Connections that never get as far as proving a code cost nothing but
their number; a wrong proof ends the invitation.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import replace

from agent.sync.household.file import HouseholdFile
from agent.sync.household.membership import (
    MAX_MEMBERS,
    Household,
    Member,
    Membership,
    joined,
    with_members,
)
from agent.sync.household.pairing import (
    HELLO,
    SPAKE_BYTES,
    GarbageError,
    Invitation,
    Inviting,
    PairingError,
    WrongCodeError,
)
from agent.sync.household.wire import PATIENCE_S, Wire

log = logging.getLogger(__name__)

PORT = 47823
LIFETIME_S = 300.0
"""Seconds for which an invitation stands."""
CALLERS = 32
"""Connections that one invitation answers in all."""
AT_ONCE = 4
"""Connections at the same time; more are closed at once."""
PROOF_BYTES = 32
ENTRY_BYTES = 4096


def own_address() -> str:
    """This machine's address in the local network; nothing is sent to find it."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "127.0.0.1"


class Inviter:
    """Waits for one device that has the code.

    Args:
        file: This device's membership, into whose roster the new device goes.
        code: From ``new_code``.
        lifetime_s: Seconds after which the invitation ends.
        patience_s: Seconds that one message may take.
        clock: UTC in seconds.
    """

    def __init__(self, file: HouseholdFile, code: str, lifetime_s: float = LIFETIME_S,
                 patience_s: float = PATIENCE_S, clock: Callable[[], float] = time.time) -> None:
        self._file, self._code = file, code
        self._lifetime, self._patience, self._clock = lifetime_s, patience_s, clock
        self._server: asyncio.Server | None = None
        self._done: asyncio.Future[Member] | None = None
        self._callers = self._open = 0
        self._proving = False

    async def listen(self, address: str, port: int = PORT) -> int:
        """Begin to listen; returns the port.

        Raises:
            PairingError: That address cannot be listened on.
        """
        self._done = asyncio.get_running_loop().create_future()
        try:
            self._server = await asyncio.start_server(self._call, address, port)
        except OSError as error:
            raise PairingError(f"cannot listen on {address} port {port}: {error.strerror}",
                               "name another with --address or --port") from error
        return int(self._server.sockets[0].getsockname()[1])

    async def member(self) -> Member:
        """The device that joined; then nothing listens any more.

        Raises:
            WrongCodeError: Somebody tried a wrong code: it is worthless now.
            PairingError: Nobody came in time, or the exchange broke after the code was proved.
        """
        assert self._done is not None and self._server is not None
        try:
            async with asyncio.timeout(self._lifetime):
                return await asyncio.shield(self._done)
        except TimeoutError:
            raise PairingError(f"nobody joined within {self._lifetime / 60:g} minutes",
                               "run `voice-agent household invite` again") from None
        finally:
            self._server.close()
            self._done.cancel()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert self._done is not None
        wire = Wire(reader, writer, self._patience)
        self._callers += 1
        self._open += 1
        try:
            if self._callers <= CALLERS and self._open <= AT_ONCE and not self._done.done():
                self._settle(await self._pair(wire))
        except WrongCodeError as error:
            self._settle(error)
        except GarbageError as error:
            log.warning("a connection was closed: %s", error.what)
        except PairingError as error:
            if self._proving:
                self._settle(error)
        finally:
            self._open -= 1
            await wire.close()
            if self._callers >= CALLERS and self._open == 0:
                self._settle(PairingError("too many connections that were no voice-agent",
                                          "look what scans your network, then invite again"))

    def _settle(self, outcome: Member | PairingError) -> None:
        assert self._done is not None
        if self._done.done():
            return
        if isinstance(outcome, PairingError):
            self._done.set_exception(outcome)
        else:
            self._done.set_result(outcome)

    async def _pair(self, wire: Wire) -> Member:
        exchange = Inviting(self._code)
        await wire.send(exchange.answer(await wire.receive(len(HELLO) + SPAKE_BYTES)))
        proof = await wire.receive(PROOF_BYTES)
        if self._proving:
            raise GarbageError("another device is being paired")
        self._proving = True
        await wire.send(exchange.check(proof))
        member = exchange.meet(await wire.receive(ENTRY_BYTES))
        household = self._admit(member)
        await wire.send(exchange.give(Invitation(household, round(self._clock() * 1000))))
        exchange.finished(await wire.receive(ENTRY_BYTES))
        return member

    def _admit(self, member: Member) -> Household:
        """Into the roster first: whoever has the keys must be there to be put out again."""
        def step(membership: Membership) -> Membership:
            known = membership.household.members
            if membership.household.member(member.id) is None and len(known) >= MAX_MEMBERS:
                raise PairingError(f"a household has at most {MAX_MEMBERS} devices",
                                   "`voice-agent household remove` one first")
            entry = replace(member, version=max(member.version, 1))
            return with_members(membership, joined(known, (entry,)))
        return self._file.change(step).household

"""``household join``: the new device's side of the pairing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from agent.sync.household.file import HouseholdFile, HouseholdFileError
from agent.sync.household.membership import (
    Household,
    Member,
    Membership,
    clean_name,
    new_id,
    new_private,
    public_of,
)
from agent.sync.household.pairing import (
    GarbageError,
    Invitation,
    Joining,
    PairingError,
    WrongCodeError,
)
from agent.sync.household.ratchet import hour_of
from agent.sync.household.wire import PATIENCE_S, Wire

ANSWER_BYTES = 64
CLOCK_DIFFERENCE_MS = 300_000
"""How far the clocks of two devices may differ; the cloud refuses requests beyond a few minutes,
too."""


async def join(file: HouseholdFile, address: str, port: int, code: str, name: str, *,
               patience_s: float = PATIENCE_S,
               clock: Callable[[], float] = time.time) -> Membership:
    """Join the household of the device that shows the code.

    Args:
        file: Where this device's membership will be.
        address: The inviting device's address.
        port: Its port.
        code: As typed.
        name: What this device is to be called.
        patience_s: Seconds that one message may take.
        clock: UTC in seconds.

    Raises:
        PairingError: Nothing was changed on this device.
        HouseholdFileError: This device belongs to a household already.
    """
    if file.find() is not None:
        raise HouseholdFileError(f"this device belongs to a household already ({file.path})",
                                 "`voice-agent household leave` ends that")
    exchange, private = Joining(code), new_private()
    me = Member(new_id(), clean_name(name), public_of(private), 1)
    wire = await _connect(address, port, patience_s)
    try:
        invitation = await _exchange(wire, exchange, me)
        membership = _accept(invitation, me, private, round(clock() * 1000))
        file.create(membership)
        await wire.send(exchange.done())
    finally:
        await wire.close()
    return membership


async def _connect(address: str, port: int, patience_s: float) -> Wire:
    try:
        async with asyncio.timeout(patience_s):
            reader, writer = await asyncio.open_connection(address, port)
    except (OSError, TimeoutError) as error:
        raise PairingError(
            f"no device answers at {address} port {port}",
            "is `voice-agent household invite` waiting there, in the same network, and does no "
            "firewall stand between?") from error
    return Wire(reader, writer, patience_s)


async def _exchange(wire: Wire, exchange: Joining, me: Member) -> Invitation:
    await wire.send(exchange.hello())
    await wire.send(exchange.prove(await wire.receive(ANSWER_BYTES)))
    try:
        proof = await wire.receive(ANSWER_BYTES)
    except GarbageError:
        raise
    except PairingError:
        raise WrongCodeError(
            "the other device refused the code; that invitation is over",
            "run `voice-agent household invite` there again and type the new code") from None
    await wire.send(exchange.introduce(proof, me))
    return exchange.receive(await wire.receive())


def _accept(invitation: Invitation, me: Member, private: bytes, now_ms: int) -> Membership:
    household: Household = invitation.household
    if abs(now_ms - invitation.now_ms) > CLOCK_DIFFERENCE_MS:
        minutes = abs(now_ms - invitation.now_ms) // 60_000
        raise PairingError(f"the clocks of the two devices differ by {minutes} minutes",
                           "set them (`timedatectl`), then invite and join again")
    if household.chain.hour < hour_of(now_ms) - 1 or household.member(me.id) != me:
        raise GarbageError("the other device's household does not fit",
                           "update both devices, then invite and join again")
    return Membership(household, me.id, private)

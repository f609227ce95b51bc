"""Lights, button and mute switch: the ``Bridge`` protocol, and ``open_bridge``.

The agent knows only the protocol: the board may be a microcontroller on a serial line, the
Raspberry Pi's own pins, an emulation in the terminal, or absent.

    bridge = open_bridge(settings, events, now)
    await bridge.start()      # follows StateChanged and MuteChanged on the event bus
    ...                       # publishes ButtonPressed, MuteChanged and Fault there
    await bridge.stop()

Importing this package loads nothing else, so that the process that serves the Raspberry Pi's
pins can run under a Python that has none of the agent's dependencies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from agent.events import EventBus
    from firmware_bridge.settings import Settings


@dataclass(frozen=True, slots=True)
class BoardStatus:
    """What is known of the board, for the page and for ``doctor``."""

    connected: bool = False
    firmware: str = ""
    """Version of its firmware; empty while it has never been connected."""
    leds: int = 0
    has_switch: bool = False
    cuts_supply: bool = False
    """Its mute switch breaks the microphone's supply; otherwise mute is by software."""
    muted: bool = False
    """The switch is in its muted position."""


class BridgeUnavailableError(Exception):
    """The board asked for in the settings cannot work here: what is wrong, and how to mend it."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what, mend)
        self.what = what
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.what}\n  {self.mend}"


class Bridge(Protocol):
    """What shows the agent's state and has its button and switch.

    ``start`` and ``stop`` belong to one event loop; the other methods may be called from any
    thread, and return at once.
    """

    @property
    def status(self) -> BoardStatus:
        """The board as it is now."""
        ...

    async def start(self) -> None:
        """Begin to follow the agent's events; returns at once, whether a board is there or not.

        A board that is absent, or goes away, is published once as a ``Fault`` and joined again
        as soon as it is back.
        """
        ...

    async def settled(self) -> None:
        """Wait until it is known whether the switch mutes the microphone.

        Returns at once when there is no board, and soon when it does not answer.
        """
        ...

    async def stop(self) -> None:
        """Take leave of the board, so that it goes dark instead of showing an error."""
        ...

    def level(self, level: float, direction: float | None = None) -> None:
        """Show how loud the speech heard or spoken is, 0 to 1, and where it comes from.

        ``direction`` is in degrees clockwise from the first LED.
        """
        ...

    def volume(self, volume: float) -> None:
        """Show the loudspeaker's volume, 0 to 1, for a moment."""
        ...

    def updating(self, on: bool) -> None:
        """Show that the device is updating itself, whatever the agent does."""
        ...


def open_bridge(settings: Settings, events: EventBus, now: Callable[[], float]) -> Bridge:
    """The bridge that the settings ask for; opens nothing before ``start``.

    Args:
        settings: Which board, and where it is.
        events: Where the agent's events come from, and the board's go to.
        now: Seconds on the agent's clock, for the events published.

    Raises:
        BridgeUnavailableError: What the board needs is not installed.
    """
    if settings.kind == "none":
        from firmware_bridge.nothing import NoBridge
        return NoBridge()
    from firmware_bridge.board_bridge import BoardBridge
    if settings.kind == "gpio":
        from firmware_bridge.gpio_line import GpioPins, gpio_opener
        pins = GpioPins(settings.gpio_leds, settings.gpio_button, settings.gpio_mute,
                        settings.gpio_cuts_supply)
        return BoardBridge(gpio_opener(pins, settings.gpio_python), events, now)
    from firmware_bridge.serial_line import serial_opener
    return BoardBridge(serial_opener(settings.port), events, now)

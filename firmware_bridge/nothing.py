"""The bridge of a device without lights, button and switch."""

from __future__ import annotations

from firmware_bridge import BoardStatus


class NoBridge:
    """Shows nothing and publishes nothing."""

    @property
    def status(self) -> BoardStatus:
        """No board."""
        return BoardStatus()

    async def start(self) -> None:
        """Nothing to start."""

    async def settled(self) -> None:
        """Nothing to wait for."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def level(self, level: float, direction: float | None = None) -> None:
        """Not shown."""

    def volume(self, volume: float) -> None:
        """Not shown."""

    def updating(self, on: bool) -> None:
        """Not shown."""

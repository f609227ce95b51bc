"""The loop that joins a ``Board`` to its hardware, whatever that is."""

from .board import Board

FRAME_MS = 33


class Hardware:
    """What a board is made of; one subclass for the Pico, one for the Raspberry Pi's own pins."""

    def now(self) -> int:
        """Milliseconds since some moment in the past; never wraps, never goes back."""
        raise NotImplementedError

    def receive(self) -> bytes:
        """What the line brought; waits at most a few milliseconds for it."""
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """Put bytes on the line; drops them where nobody reads."""
        raise NotImplementedError

    def button(self) -> bool:
        """Whether the button is down."""
        raise NotImplementedError

    def muted(self) -> bool:
        """Whether the mute switch is on."""
        raise NotImplementedError

    def show(self, pixels: list[tuple[int, int, int]]) -> None:
        """Set the LEDs."""
        raise NotImplementedError

    def running(self) -> bool:
        """Called every round (feed a watchdog here); False ends the loop."""
        raise NotImplementedError


def run(board: Board, hardware: Hardware) -> None:
    """Keep the board alive.

    The LEDs are written at once when the display changes, else at the animation's pace.
    """
    shown_at = hardware.now() - FRAME_MS
    pixels: list[tuple[int, int, int]] = []
    display = -1
    while hardware.running():
        received = hardware.receive()
        now = hardware.now()
        data = board.step(now, received, hardware.button(), hardware.muted())
        if board.display != display or now - shown_at >= FRAME_MS:
            display = board.display
            shown_at = now
            wanted = board.pixels(now)
            if wanted != pixels:
                pixels = wanted
                hardware.show(pixels)
        if data:
            hardware.send(data)

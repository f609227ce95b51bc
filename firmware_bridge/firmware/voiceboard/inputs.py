"""The button and the mute switch, without their contacts' bouncing."""

from . import wire


class Debounced:
    """A contact that counts as changed when it is steady, and then stays so for a while."""

    def __init__(self, value: bool, on_ms: int, off_ms: int, hold_ms: int) -> None:
        """Start with ``value``.

        Args:
            value: The contact as it is now.
            on_ms: How long it must be closed to count as closed.
            off_ms: How long it must be open to count as open.
            hold_ms: How long it is not looked at after a change.
        """
        self.value = value
        self._steady_ms = (off_ms, on_ms)
        self._hold_ms = hold_ms
        self._since = -1
        self._held_until = -1

    def update(self, now: int, raw: bool) -> bool:
        """Take a reading; True when the value has changed by it."""
        if raw == self.value:
            self._since = -1
            return False
        if self._since < 0:
            self._since = now
        if now < self._held_until or now - self._since < self._steady_ms[raw]:
            return False
        self.value = raw
        self._since = -1
        self._held_until = now + self._hold_ms
        return True


class Button:
    """Tells press, long press and double press.

    A press is told when the button goes down, because people wait for the light; what it
    becomes is told when it is known.
    """

    LONG_MS = 800
    DOUBLE_MS = 400

    def __init__(self) -> None:
        self._contact = Debounced(False, on_ms=2, off_ms=2, hold_ms=25)
        self._down_at = -self.DOUBLE_MS
        self._long_told = False

    def update(self, now: int, raw: bool) -> int:
        """Take a reading; returns ``wire.PRESS``, ``LONG`` or ``DOUBLE``, or 0."""
        if self._contact.update(now, raw) and self._contact.value:
            again = now - self._down_at < self.DOUBLE_MS
            # A third press begins anew instead of being a second double.
            self._down_at = now - self.DOUBLE_MS if again else now
            self._long_told = again
            return wire.DOUBLE if again else wire.PRESS
        if (self._contact.value and not self._long_told
                and now - self._down_at >= self.LONG_MS):
            self._long_told = True
            return wire.LONG
        return 0


class MuteSwitch:
    """Senses the switch: muted at the first sign, unmuted only when that is certain."""

    def __init__(self, muted: bool) -> None:
        self._contact = Debounced(muted, on_ms=0, off_ms=50, hold_ms=0)

    @property
    def muted(self) -> bool:
        """Whether the microphone is off by the switch."""
        return self._contact.value

    def update(self, now: int, raw: bool) -> bool:
        """Take a reading; True when ``muted`` has changed by it."""
        return self._contact.update(now, raw)

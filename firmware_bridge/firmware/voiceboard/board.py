"""The board itself: decides what the lights show and what the host is told.

The mute switch wins over everything: no command reaches the lights while it is on.
"""

from . import wire
from .inputs import Button, MuteSwitch
from .lights import frame
from .link import Handler, Link

_VOLUME_MS = 1500
_CONFLICT_MS = 250  # a host that was listening needs a moment to hear of the mute


class Board(Handler):
    """One LED ring, one button, and perhaps a mute switch, at the end of a line."""

    def __init__(self, leds: int, has_switch: bool, cuts_supply: bool,
                 muted: bool = False, restarted: bool = False) -> None:
        """Start showing that a host is awaited.

        Args:
            leds: How many LEDs, at least 1.
            has_switch: There is a mute switch.
            cuts_supply: It breaks the microphone's supply; otherwise the host must mute.
            muted: The switch as it is now.
            restarted: The watchdog or an error restarted the board; the host will be told.
        """
        capabilities = (wire.HAS_SWITCH if has_switch else 0) | (
            wire.CUTS_SUPPLY if has_switch and cuts_supply else 0)
        self.link = Link(self, leds, capabilities)
        self.display = wire.WAITING
        # What to show when no host is there: it depends on how the last one went.
        self.without_host = wire.WAITING
        self._leds = leds
        self._muted_display = wire.MUTED_BY_SWITCH if cuts_supply else wire.MUTED
        self._switch = MuteSwitch(has_switch and muted)
        self._has_switch = has_switch
        self._button = Button()
        self._restarted = restarted
        self._state = wire.IDLE
        self._level = wire.NO_LEVEL
        self._direction = wire.NO_DIRECTION
        self._volume = 0
        self._volume_until = -1
        self._display_since = 0
        self._conflict_told = False
        self._muted_at = 0

    def step(self, now: int, received: bytes, button: bool, muted: bool) -> bytes:
        """One round: take what came in and the contacts' readings; returns bytes to send."""
        self.link.receive(received, now)
        press = self._button.update(now, button)
        if press:
            self.link.post(wire.BUTTON, bytes((press,)), now)
        if self._has_switch and self._switch.update(now, muted):
            self._tell_mute(now)
        self._check_conflict(now)
        display = self._choose(now)
        if display != self.display:
            self.display = display
            self._display_since = now
        self.link.status = bytes((wire.IS_MUTED if self._switch.muted else 0, display))
        return self.link.take(now)

    def pixels(self, now: int) -> list[tuple[int, int, int]]:
        """Colours of the LEDs at this moment."""
        level = self._volume if self.display == wire.VOLUME else self._level
        return frame(self.display, level, self._direction, now - self._display_since, self._leds)

    def started(self, now: int) -> None:
        """A host began a session: nothing it said before holds."""
        self.without_host = wire.HOST_LOST
        self._state = wire.IDLE
        self._level = wire.NO_LEVEL
        self._direction = wire.NO_DIRECTION
        self._volume_until = -1
        self._conflict_told = False
        if self._has_switch:
            self._tell_mute(now)
        if self._restarted:
            self._restarted = False
            self.link.post(wire.FAULT, bytes((wire.FAULT_RESTARTED, 0)), now)

    def execute(self, kind: int, body: bytes, now: int) -> int:
        """Carry out a command; a refused one changes nothing."""
        if kind == wire.BYE:
            return self._bye(body)
        if kind != wire.STATE:
            return wire.UNKNOWN_TYPE
        if len(body) != 4:
            return wire.BAD_BODY
        state, level, direction = body[0], body[1], body[2] << 8 | body[3]
        if (state > wire.LAST_STATE or (level > 100 and level != wire.NO_LEVEL)
                or (direction >= 360 and direction != wire.NO_DIRECTION)):
            return wire.BAD_BODY
        if state == wire.VOLUME:
            if level == wire.NO_LEVEL:
                return wire.BAD_BODY
            self._volume = level
            self._volume_until = now + _VOLUME_MS
            return wire.DONE
        self._state, self._level, self._direction = state, level, direction
        return wire.DONE

    def _bye(self, body: bytes) -> int:
        if body:
            return wire.BAD_BODY
        self.link.close()
        self.without_host = wire.OFF
        return wire.DONE

    def _choose(self, now: int) -> int:
        if self._switch.muted:
            return self._muted_display
        if not self.link.alive(now):
            return self.without_host
        if now < self._volume_until:
            return wire.VOLUME
        return self._state

    def _tell_mute(self, now: int) -> None:
        self.link.post(wire.MUTE, bytes((1 if self._switch.muted else 0,)), now)
        self._conflict_told = False
        self._muted_at = now

    def _check_conflict(self, now: int) -> None:
        """Tell the host, once, that it claims to listen to a microphone that is off."""
        if (self._switch.muted and self._state in (wire.LISTENING, wire.FOLLOW_UP)
                and not self._conflict_told and now - self._muted_at >= _CONFLICT_MS):
            self._conflict_told = True
            self.link.post(wire.FAULT, bytes((wire.FAULT_LISTENING_WHILE_MUTED, self._state)),
                           now)

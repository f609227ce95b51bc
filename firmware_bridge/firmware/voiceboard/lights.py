"""What each display looks like: a colour for every LED, as a function of time.

Pure red is for mute alone; and for people who cannot tell the colours apart, nothing but the mute
switch makes the whole ring one steady colour. No LED is brighter than ``BRIGHT``: a ring of 12 at
full white would draw more than a USB port gives.
"""

from . import wire

BRIGHT = 72
_DARK = (0, 0, 0)
_RED = (BRIGHT, 0, 0)
_AMBER = (BRIGHT, 28, 0)
_FAINT_AMBER = (10, 4, 0)
_CYAN = (0, BRIGHT, BRIGHT)
_BLUE = (0, 0, BRIGHT)
_VIOLET = (40, 0, BRIGHT)
_GREEN = (0, BRIGHT, 0)
_WHITE = (BRIGHT, BRIGHT, BRIGHT)


def frame(display: int, level: int, direction: int, ms: int,
          leds: int) -> list[tuple[int, int, int]]:
    """Colours of all LEDs.

    Args:
        display: A state or a display of the board's own, see ``wire``.
        level: 0 to 100, or ``wire.NO_LEVEL``.
        direction: Degrees clockwise from the first LED, or ``wire.NO_DIRECTION``.
        ms: Milliseconds since this display began.
        leds: How many there are.
    """
    if display == wire.MUTED_BY_SWITCH:
        return [_RED] * leds
    if display == wire.MUTED:
        return _every_second(_RED, leds)
    if display == wire.ERROR:
        return [_AMBER if ms % 1000 < 500 else _DARK] * leds
    if display == wire.HOST_LOST:
        return _halves(_AMBER, ms // 300 % 2, leds)
    if display == wire.WAITING:
        return _dots(_FAINT_AMBER, ms // 150, 1, leds)
    if display == wire.WAKE:
        return [_scaled(_CYAN, _strength(wire.NO_LEVEL, ms + 200, 400))] * leds
    if display == wire.LISTENING:
        return _listening(level, direction, ms, leds)
    if display == wire.THINKING:
        return _dots(_VIOLET, ms // 80, 2, leds)
    if display == wire.SPEAKING:
        return [_scaled(_GREEN, _strength(level, ms, 600))] * leds
    if display == wire.FOLLOW_UP:
        return _every_second(_scaled(_BLUE, _strength(wire.NO_LEVEL, ms, 1600)), leds)
    if display == wire.UPDATING:
        return _dots(_WHITE, ms // 120, max(1, leds // 3), leds)
    if display == wire.VOLUME:
        return _bar(_WHITE, level, leds)
    return [_DARK] * leds


def _listening(level: int, direction: int, ms: int, leds: int) -> list[tuple[int, int, int]]:
    """All blue with one LED towards the voice; one going round where that is not known."""
    base = _BLUE if level > 100 else _scaled(_BLUE, 25 + level * 3 // 4)
    colours = [base] * leds
    towards = (direction * leds + 180) // 360 if direction < 360 else ms // 250
    colours[towards % leds] = _CYAN
    return colours


def _strength(level: int, ms: int, period: int) -> int:
    """Percent: the level where there is one, else a slow swell."""
    if level <= 100:
        return 20 + level * 4 // 5
    half = period // 2
    phase = ms % period
    return 30 + 70 * (phase if phase < half else period - phase) // half


def _scaled(colour: tuple[int, int, int], percent: int) -> tuple[int, int, int]:
    return (colour[0] * percent // 100, colour[1] * percent // 100, colour[2] * percent // 100)


def _every_second(colour: tuple[int, int, int], leds: int) -> list[tuple[int, int, int]]:
    return [_DARK if i % 2 else colour for i in range(leds)]


def _halves(colour: tuple[int, int, int], side: int, leds: int) -> list[tuple[int, int, int]]:
    if leds == 1:
        return [colour if side else _DARK]
    return [colour if (i * 2 // leds) == side else _DARK for i in range(leds)]


def _dots(colour: tuple[int, int, int], step: int, count: int,
          leds: int) -> list[tuple[int, int, int]]:
    """A running group of ``count`` neighbours."""
    return [colour if (i - step) % leds < count else _DARK for i in range(leds)]


def _bar(colour: tuple[int, int, int], percent: int, leds: int) -> list[tuple[int, int, int]]:
    lit = (min(percent, 100) * leds + 50) // 100
    return [colour if i < lit else _DARK for i in range(leds)]

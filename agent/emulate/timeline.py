"""The context windows of a conversation as a picture: the reply above, the steps below it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from agent.events import ContextClosed, ContextOpened, ContextStep, Event, ReplyEnded, ReplyStarted

WIDTH, LEFT, RIGHT = 860, 96, 24
ROW, BAR = 22, 14
COLOURS = {"items": "#6c8ebf", "signals": "#9673a6", "encoded": "#d79b00", "selected": "#82b366",
           "prepared": "#b85450"}


@dataclass
class Timed:
    """One window on the microphone's clock, in seconds from its opening."""

    turn: int
    opened: float
    steps: list[ContextStep] = field(default_factory=list)
    reply: tuple[float, float] | None = None
    closed: ContextClosed | None = None

    @property
    def deadline(self) -> float | None:
        """When the microphone reopened, or the turn was interrupted."""
        return None if self.closed is None else self.closed.at - self.opened

    @property
    def ready(self) -> float | None:
        """When the bias was ready; None where it never was."""
        done = [step.since_opened for step in self.steps if step.step == "prepared"]
        return done[-1] if done else None


def windows(events: Iterable[Event]) -> list[Timed]:
    """The windows of a conversation, in order."""
    found: list[Timed] = []
    speaking: float | None = None
    for event in events:
        window = found[-1] if found and found[-1].closed is None else None
        match event:
            case ContextOpened():
                found.append(Timed(event.turn, event.at))
            case ContextStep() if window:
                window.steps.append(event)
            case ReplyStarted():
                speaking = event.at
            case ReplyEnded():
                if window and speaking is not None:
                    window.reply = speaking - window.opened, event.at - window.opened
                speaking = None
            case ContextClosed() if window:
                window.closed = event
    return found


def draw(title: str, timed: Iterable[Timed]) -> str:
    """An SVG with one panel a window; says so where there was none."""
    parts: list[str] = []
    top = 48
    for window in timed:
        panel, height = _panel(window, top)
        parts.append(panel)
        top += height
    if not parts:
        parts.append(f'<text x="{LEFT}" y="{top + 16}">no context window was opened</text>')
        top += 40
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top + 8}" '
            f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" '
            f'fill="white"/><text x="16" y="26" font-size="15">{escape(title)}</text>'
            + "".join(parts) + "</svg>\n")


def _panel(window: Timed, top: int) -> tuple[str, int]:
    ends = [window.deadline or 0.0, window.ready or 0.0, *(window.reply or ()), 0.1]
    scale = (WIDTH - LEFT - RIGHT) / (1.05 * max(ends))
    rows = 2 + len(window.steps)
    outcome = window.closed.outcome if window.closed else "open"
    parts = [f'<text x="16" y="{top + 12}" font-weight="bold">turn {window.turn}: '
             f'{escape(outcome)}</text>']
    at = top + ROW
    if window.reply:
        parts.append(_bar("reply", *window.reply, "#4a4a4a", at, scale))
    for place, step in enumerate(window.steps, 1):
        parts.append(_bar(step.step, step.since_opened - step.seconds, step.since_opened,
                          COLOURS[step.step], at + place * ROW, scale))
    bottom = at + rows * ROW
    if window.deadline is not None:
        parts.append(_deadline(window, at, bottom, scale))
    parts += _axis(max(ends), bottom, scale)
    return "".join(parts), bottom - top + 2 * ROW


def _bar(label: str, start: float, end: float, colour: str, top: int, scale: float) -> str:
    x, width = LEFT + start * scale, max(1.5, (end - start) * scale)
    return (f'<text x="16" y="{top + 11}">{escape(label)}</text>'
            f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>'
            f'<text x="{x + width + 4:.1f}" y="{top + 11}" fill="#555">'
            f'{1000 * (end - start):.0f} ms</text>')


def _deadline(window: Timed, top: int, bottom: int, scale: float) -> str:
    assert window.deadline is not None
    x = LEFT + window.deadline * scale
    line = (f'<path d="M{x:.1f} {top - 4}V{bottom}" stroke="#b00020" stroke-dasharray="4 3"/>'
            f'<text x="{x - 4:.1f}" y="{bottom - 2}" text-anchor="end" fill="#b00020">'
            f'microphone reopens</text>')
    if window.ready is None or window.ready > window.deadline:
        return line
    start, y = LEFT + window.ready * scale, bottom - ROW - 6
    return line + (f'<path d="M{start:.1f} {y}H{x:.1f}M{start:.1f} {y - 4}v8M{x:.1f} {y - 4}v8" '
                   f'stroke="#2e7d32" fill="none"/><text x="{(start + x) / 2:.1f}" y="{y - 4}" '
                   f'text-anchor="middle" fill="#2e7d32">margin '
                   f'{1000 * (window.deadline - window.ready):.0f} ms</text>')


def _axis(last: float, top: int, scale: float) -> list[str]:
    step = next((s for s in (0.05, 0.1, 0.25, 0.5, 1.0, 2.0) if last / s <= 12), 5.0)
    marks = [f'<path d="M{LEFT} {top}H{WIDTH - RIGHT}" stroke="#999"/>']
    for number in range(int(last / step) + 1):
        x = LEFT + number * step * scale
        marks.append(f'<path d="M{x:.1f} {top}v4" stroke="#999"/><text x="{x:.1f}" y="{top + 16}" '
                     f'text-anchor="middle" fill="#555">{number * step:g} s</text>')
    return marks

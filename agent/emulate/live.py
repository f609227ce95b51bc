"""The conversation as lines in a terminal, while it is held."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from agent.events import (
    AudioOverrun,
    ButtonPressed,
    ContextClosed,
    ContextOpened,
    ContextStep,
    DialogueClosed,
    Directive,
    DirectiveIssued,
    Display,
    EchoIgnored,
    Event,
    ExpectSpeech,
    Fault,
    FollowUpTimedOut,
    MicrophoneOpened,
    MuteChanged,
    PartialHeard,
    PlaceCall,
    Recognised,
    ReplyEnded,
    ReplyStarted,
    SetDevice,
    Speak,
    SpeechEnded,
    SpeechStarted,
    StartTimer,
    StateChanged,
    Understood,
    WakeHeard,
)

Line = tuple[str, str, str]
"""What a line is about, its text, and its colour."""


class LiveView:
    """Prints every event as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def __call__(self, event: Event) -> None:
        """Print one event."""
        label, text, style = describe(event)
        line = Text()
        line.append(f"{event.at:7.2f} s  ", style="dim")
        line.append(f"{label:<12}", style=style)
        line.append(text)
        self._console.print(line, soft_wrap=True)


def describe(event: Event) -> Line:
    """One line for people about an event."""
    match event:
        case StateChanged(state=state):
            return "light", str(state), "blue"
        case WakeHeard():
            heard = "button" if event.engine == "button" else f"“{event.word}”"
            return "wake", f"{heard} ({event.engine}, {event.score:.2f})", "magenta"
        case PartialHeard():
            return "partial", f"“{event.text}”", "dim"
        case Recognised():
            margin = "" if event.margin is None else f", margin {event.margin:.2f}"
            took = f"{event.seconds * 1000:.0f} ms"
            return "heard", f"“{event.text}” ({event.decision}{margin}, {took})", "green"
        case Understood():
            return "understood", event.summary, "bold green"
        case DirectiveIssued(directive=directive):
            return "directive", describe_directive(directive), "yellow"
        case ReplyStarted():
            return "speech", f"first audio after {event.seconds * 1000:.0f} ms", "cyan"
        case ReplyEnded(completed=completed):
            return "speech", "played to its end" if completed else "stopped", "cyan"
    return _describe_rest(event)


def _describe_rest(event: Event) -> Line:
    match event:
        case MicrophoneOpened(follow_up=follow_up):
            why = "for the answer, without a wake word" if follow_up else "after the wake word"
            return "microphone", f"open {why}", "blue"
        case SpeechStarted():
            return "speech in", "begins", "dim"
        case SpeechEnded(seconds=seconds):
            return "speech in", f"ends; {seconds:.2f} s to recognise", "dim"
        case EchoIgnored(explained=explained):
            return "echo", f"own voice ignored ({explained:.0%} of the sound)", "red"
        case ContextOpened() | ContextStep() | ContextClosed():
            return "context", describe_context(event), "dim"
        case FollowUpTimedOut():
            return "timeout", "no answer came", "red"
        case DialogueClosed():
            return "dialogue", "closed", "dim"
        case MuteChanged(muted=muted, hardware=hardware):
            by = "by the switch, which cuts the microphone" if hardware else "by software"
            return "mute", f"{'on' if muted else 'off'}, {by}", "red"
        case ButtonPressed(kind=kind):
            return "button", str(kind), "magenta"
        case AudioOverrun(frames=frames, total=total):
            return "overrun", f"{frames} frames lost, {total} in all", "red"
        case Fault(part=part, message=message):
            return "fault", f"{part}: {message}", "red"
    return type(event).__name__, "", "dim"


def describe_context(event: ContextOpened | ContextStep | ContextClosed) -> str:
    """One line for people about a step of the context window."""
    match event:
        case ContextStep():
            return f"{event.step} ({event.count}) in {event.seconds * 1000:.0f} ms"
        case ContextClosed():
            spare = "" if event.margin is None else f", {event.margin * 1000:.0f} ms to spare"
            return f"{event.outcome}{spare}" + (f": {event.reason}" if event.reason else "")
    return "window opened"


def describe_directive(directive: Directive) -> str:
    """One line for people about a directive."""
    match directive:
        case Speak(text=text):
            return f"speak “{text}”"
        case ExpectSpeech():
            offered = f": {', '.join(directive.alternatives)}" if directive.alternatives else ""
            return f"expect speech ({directive.expectation}{offered})"
        case Display():
            return f"display {directive.title}: {', '.join(directive.items)}"
        case PlaceCall():
            return f"place call to {directive.contact}"
        case SetDevice():
            slots = ", ".join(f"{name}={value}" for name, value in directive.slots)
            return f"set device {directive.intent} ({slots})"
        case StartTimer():
            return f"start timer of {directive.seconds:g} s {directive.name}".rstrip()
    return type(directive).__name__

"""Joins the agent's events to a board at the end of a line, and keeps them joined."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from agent.events import ButtonKind, ButtonPressed, Event, EventBus, Fault, MuteChanged
from firmware_bridge import BoardStatus, messages
from firmware_bridge.line import Line, LineError, Opener
from firmware_bridge.session import Done, Incompatible, Joined, Lost, Report, Session
from firmware_bridge.shown import Shown

REOPEN_SECONDS = 0.25
MAX_REOPEN_SECONDS = 1.0
"""How often a port that stays absent is looked for; looking costs a small board some work."""
_GOODBYE_SECONDS = 0.3
_SETTLE_SECONDS = 2.0
_PART = "firmware_bridge"
_BUTTONS = {messages.Button.PRESS: ButtonKind.PRESS, messages.Button.LONG: ButtonKind.LONG,
            messages.Button.DOUBLE: ButtonKind.DOUBLE}
_FAULTS: dict[int, str] = {
    messages.FaultCode.LISTENING_WHILE_MUTED:
        "the agent listened while the switch had muted the microphone",
    messages.FaultCode.RESTARTED: "the board had to restart itself",
}

log = logging.getLogger(__name__)


class BoardBridge:
    """A ``Bridge`` to a board that speaks the protocol, whatever its line is.

    Everything runs on the event loop that ``start`` was called on, the agent's own: when that
    hangs, the heartbeat stops, and the board shows so.

    Args:
        opener: Opens the line; called again whenever the line broke.
        events: The agent's event bus.
        now: Seconds on the agent's clock.
    """

    def __init__(self, opener: Opener, events: EventBus, now: Callable[[], float]) -> None:
        self._opener = opener
        self._events = events
        self._now = now
        self._shown = Shown()
        self._status = BoardStatus()
        self._line: Line | None = None
        self._session: Session | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._broken = asyncio.Event()
        self._said_bye = asyncio.Event()
        self._settled = asyncio.Event()
        self._hardware_mute = False
        self._leaving = False
        self._loss_told = False
        self._pumping = self._pump_again = False
        self._unsubscribe: Callable[[], None] = lambda: None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0

    @property
    def status(self) -> BoardStatus:
        """The board as it is now."""
        return self._status

    async def start(self) -> None:
        """Follow the agent's events, and look for the board."""
        self._leaving = False
        self._said_bye.clear()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._unsubscribe = self._events.subscribe(self._follow)
        self._task = asyncio.create_task(self._keep_joined(), name="firmware bridge")

    async def settled(self) -> None:
        """Wait for the switch's position, a board that is absent, or two seconds."""
        try:
            await asyncio.wait_for(self._settled.wait(), _SETTLE_SECONDS)
        except TimeoutError:
            log.info("no board has told its switch's position yet")

    async def stop(self) -> None:
        """Say goodbye to the board and close the line."""
        self._unsubscribe()
        if self._task is None:
            return
        if self._session is not None and self._session.joined:
            self._leaving = True
            self._pump()
            try:
                await asyncio.wait_for(self._said_bye.wait(), _GOODBYE_SECONDS)
            except TimeoutError:
                log.info("the board did not answer the goodbye")
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def level(self, level: float, direction: float | None = None) -> None:
        """Show a loudness, 0 to 1."""
        self._shown.level(level, direction)
        self._wake()

    def volume(self, volume: float) -> None:
        """Show the volume, 0 to 1."""
        self._shown.volume(volume)
        self._wake()

    def updating(self, on: bool) -> None:
        """Show an update under way."""
        self._shown.updating(on)
        self._wake()

    def _follow(self, event: Event) -> None:
        if self._shown.follow(event):
            self._wake()

    def _wake(self) -> None:
        """Send what is new, from whichever thread this is."""
        if self._loop is None or self._loop.is_closed():
            return
        if threading.get_ident() == self._thread:
            self._pump()
        else:
            self._loop.call_soon_threadsafe(self._pump)

    async def _keep_joined(self) -> None:
        try:
            await self._join_for_ever()
        except Exception as error:
            # Without lights the agent still works; nobody awaits this task, so tell it here.
            log.exception("the bridge stopped")
            self._fault(f"stopped: {type(error).__name__}")

    async def _join_for_ever(self) -> None:
        wait = REOPEN_SECONDS
        while True:
            try:
                self._line = await asyncio.to_thread(self._opener)
            except LineError as error:
                self._tell_loss(f"no board: {error}")
                wait = min(MAX_REOPEN_SECONDS, 1.5 * wait)
            else:
                wait = REOPEN_SECONDS
                try:
                    await self._serve(self._line)
                finally:
                    self._close()
            await asyncio.sleep(wait)

    async def _serve(self, line: Line) -> None:
        """Run one open line until it breaks."""
        loop = asyncio.get_running_loop()
        self._broken.clear()
        self._session = Session(self._take_report, self._next_command)
        loop.add_reader(line.fileno(), self._pump)
        self._pump()
        await self._broken.wait()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._line is not None:
            asyncio.get_running_loop().remove_reader(self._line.fileno())
            self._line.close()
        self._line = self._session = None
        self._set_connected(False)

    def _pump(self) -> None:
        """Take what came, do what is due, send what is to be sent."""
        if self._pumping:
            # A listener answered a board's event with a new state: finish this round first.
            self._pump_again = True
            return
        self._pumping = True
        try:
            self._pump_again = True
            while self._pump_again:
                self._pump_again = False
                self._pump_once()
        except LineError as error:
            self._broken.set()
            self._tell_loss(f"the board was unplugged: {error}")
        finally:
            self._pumping = False

    def _pump_once(self) -> None:
        line, session = self._line, self._session
        if line is None or session is None or self._broken.is_set():
            return
        loop = asyncio.get_running_loop()
        session.receive(line.read(), loop.time())
        due = session.tick(loop.time())
        data = session.take()
        if data:
            line.write(data)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = loop.call_at(due, self._pump)

    def _next_command(self) -> messages.Command | None:
        if self._leaving:
            return None if self._said_bye.is_set() else messages.Bye()
        return self._shown.next_command()

    def _take_report(self, report: Report) -> None:
        match report:
            case Joined(welcome):
                self._joined(welcome)
            case Lost():
                self._set_connected(False)
                self._said_bye.set()
                if not self._leaving:
                    self._tell_loss("the board does not answer")
            case Incompatible(welcome):
                self._incompatible(welcome)
            case Done(command, result):
                self._done(command, result)
            case messages.Button(kind):
                self._events.publish(ButtonPressed(self._now(), _BUTTONS[kind]))
            case messages.Mute(muted):
                self._take_mute(muted)
            case messages.BoardFault(code, _):
                self._take_fault(code)

    def _joined(self, welcome: messages.Welcome) -> None:
        log.info("joined a board with firmware %d.%d", *welcome.firmware)
        self._loss_told = False
        self._shown.forget_sent()
        self._status = BoardStatus(
            connected=True, firmware="{}.{}".format(*welcome.firmware), leds=welcome.leds,
            has_switch=messages.Capability.SWITCH in welcome.capabilities,
            cuts_supply=messages.Capability.CUTS_SUPPLY in welcome.capabilities,
            muted=self._status.muted)

    def _done(self, command: messages.Command, result: messages.Result) -> None:
        if isinstance(command, messages.Bye):
            self._said_bye.set()
        elif result is not messages.Result.DONE:
            log.warning("the board refused %s: %s", command, result.name)

    def _take_mute(self, muted: bool) -> None:
        # A mute holds while the board is away, and is not told again when it is back.
        was, was_hardware = self._status.muted, self._hardware_mute
        hardware = self._hardware_mute = self._status.cuts_supply
        self._status = replace(self._status, muted=muted)
        if muted != was or (muted and hardware != was_hardware):
            told = was_hardware if was and not muted else hardware
            self._events.publish(MuteChanged(self._now(), muted, hardware=told))
        if muted and was and hardware != was_hardware:  # a board of the other kind took its place
            self._events.publish(MuteChanged(self._now(), False, hardware=was_hardware))
        self._settled.set()

    def _take_fault(self, code: int) -> None:
        self._fault(_FAULTS.get(code, f"the board reports fault {code}"))

    def _incompatible(self, welcome: messages.Welcome) -> None:
        self._fault("the board's firmware speaks protocol versions {}–{}, this agent {}–{}: "
                    "update the older one".format(*welcome.versions, *messages.VERSIONS))

    def _set_connected(self, connected: bool) -> None:
        self._status = replace(self._status, connected=connected)

    def _tell_loss(self, text: str) -> None:
        """Publish a loss, once until the board is back."""
        if not self._loss_told:
            self._loss_told = True
            log.info("%s", text)
            self._fault(text)
        self._settled.set()

    def _fault(self, text: str) -> None:
        self._events.publish(Fault(self._now(), _PART, text))

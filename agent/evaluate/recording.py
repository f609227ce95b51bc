"""Records one phrase that a user reads aloud."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.audio import files
from agent.audio.endpointing import Ended, Endpointer, TimedOut
from agent.errors import AgentError
from agent.events import Samples

if TYPE_CHECKING:
    from agent.audio import Microphone
    from agent.audio.settings import EndpointSettings
    from agent.audio.vad import VoiceActivity
    from agent.config import Config

_TRIES = 3


async def prompt(config: Config, text: str, path: Path) -> None:
    """Show a text, listen until it has been said, and write the recording (mode 0600).

    Raises:
        AgentError: There is no microphone, or nothing was said three times over.
    """
    from agent.audio.microphone import DeviceMicrophone
    from agent.audio.vad import SileroVad
    from models import locate

    vad = SileroVad(locate("silero-vad"))
    microphone = DeviceMicrophone(config.audio)
    try:
        for _ in range(_TRIES):
            print(text, file=sys.stderr, flush=True)
            samples = await one_utterance(microphone, vad, config.endpoint)
            if samples is not None:
                write_private(path, samples)
                return
            print("nothing was heard; once more:", file=sys.stderr)
    finally:
        await microphone.close()
    raise AgentError("nothing was heard", "see `voice-agent doctor` for the microphone")


async def one_utterance(microphone: Microphone, vad: VoiceActivity,
                        settings: EndpointSettings) -> Samples | None:
    """The next utterance; None when nobody spoke, or the audio ended first."""
    vad.reset()
    endpointer = Endpointer(vad, settings, at=microphone.now)
    while (frame := await microphone.read()) is not None:
        for outcome in endpointer.accept(frame):
            if isinstance(outcome, Ended):
                return outcome.samples
            if isinstance(outcome, TimedOut):
                return None
    for outcome in endpointer.finish():
        if isinstance(outcome, Ended):
            return outcome.samples
    return None


def write_private(path: Path, samples: Samples) -> None:
    """Write a recording that nobody but its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    files.write_wav(path, samples)
    path.chmod(0o600)

"""Settings of audio in and out, and of endpointing."""

from __future__ import annotations

from dataclasses import dataclass

from agent.settings import setting


@dataclass(frozen=True)
class Settings:
    """Which devices are used, and how the agent keeps from hearing itself."""

    input: str = setting(
        "", "Microphone, by number or part of its name (`voice-agent devices` lists them); "
        "empty: the system's default.")
    output: str = setting(
        "", "Loudspeaker, by number or part of its name; empty: the system's default.")
    input_latency: float = setting(
        0.1, "Seconds of audio the microphone's driver may gather before handing it over.",
        minimum=0.005, maximum=1.0)
    input_block: float = setting(
        0.08, "Seconds of audio that the microphone hands over at a time; more saves power while "
        "nobody speaks, less answers sooner.", minimum=0.01, maximum=0.5)
    output_latency: float = setting(
        0.06, "Seconds of audio the loudspeaker's driver holds; more is safer on a busy board, "
        "less stops a reply sooner.", minimum=0.005, maximum=1.0)
    queue: float = setting(
        60.0, "Seconds of captured audio kept while the agent is busy, before any is lost.",
        minimum=1.0, maximum=600.0)
    stalled_after: float = setting(
        2.0, "Seconds without a frame after which the microphone counts as unplugged.",
        minimum=0.2, maximum=60.0)
    speaker_idle: float = setting(
        10.0, "Seconds of silence after which the loudspeaker's stream is stopped to save power.",
        minimum=0.5, maximum=3600.0)
    sounds: bool = setting(True, "Play a soft sound at the wake word and at reopening.")
    sound_level: float = setting(
        -24.0, "Peak level of those sounds, dB below full scale.", minimum=-60.0, maximum=-6.0)
    reopen_guard: float = setting(
        0.15, "Seconds between the end of a reply and the reopening of the microphone.",
        minimum=0.0, maximum=2.0)


@dataclass(frozen=True)
class EndpointSettings:
    """When speech counts as begun, paused and ended."""

    threshold: float = setting(
        0.6, "Speech probability, 0 to 1, at which speech begins.", minimum=0.05, maximum=0.99)
    release: float = setting(
        0.4, "Speech probability below which speech stops; below `threshold`, so that a "
        "flickering probability does not chop a word.", minimum=0.01, maximum=0.99)
    minimum_speech: float = setting(
        0.1, "Seconds of speech before it counts as begun; less is taken for a click.",
        minimum=0.0, maximum=2.0)
    pause: float = setting(
        0.2, "Seconds of silence after which a pause is reported, so that recognition can begin "
        "early.", minimum=0.03, maximum=2.0)
    trailing_silence: float = setting(
        0.5, "Seconds of silence that end the utterance.", minimum=0.1, maximum=5.0)
    maximum_speech: float = setting(
        20.0, "Seconds after which an utterance is closed even if speech goes on.",
        minimum=1.0, maximum=60.0)
    padding: float = setting(
        0.3, "Seconds of audio kept before the first speech.", minimum=0.0, maximum=2.0)
    wake_tail: float = setting(
        0.2, "Seconds after the wake word whose speech, if it stops there, is taken for the end "
        "of that word.", minimum=0.0, maximum=1.0)
    timeout: float = setting(
        6.0, "Seconds without speech after which listening ends.", minimum=0.5, maximum=60.0)

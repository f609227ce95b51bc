"""Is what was captured an answer, or the agent's own reply coming back?

The reply that just ended tells how it reaches the microphone (``agent.audio.echopath``): with
what delay beyond the one the device reports, and how strongly and how long in each band. So the
echo inside a captured utterance can be predicted and taken out. If no speech is left, it was
the agent itself. If an answer follows, the utterance is cut to begin with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agent.audio.conversion import to_float, to_int16
from agent.audio.echopath import HOP, LATEST, Delay, Prediction, find_delay, predict, shifted
from agent.audio.endpointing import Ended
from agent.audio.reference import PlayedReference
from agent.audio.ring import Ring
from agent.audio.settings import EndpointSettings
from agent.audio.vad import WINDOW, VoiceActivity
from agent.events import SAMPLE_RATE, Samples

HISTORY = 3.0
"""Seconds before the end of the reply that are looked at."""

REVERBERATION = 0.6
"""Seconds after which a room has swallowed what was played."""

_LOOK = 2.0
"""Seconds of the utterance that are judged: an echo is over by then."""

_SETTLE = 16 * WINDOW
"""Samples, half a second, that the voice detector hears before the utterance."""

_PAD = 0.1
"""Seconds kept before an answer that follows an echo."""

# The thresholds below were chosen on 1,600 mixtures of synthesised replies and recorded answers
# (benchmarks/echo.py); within a factor of two of them the results hardly change.
_EXCESS = 6.0
"""The predicted echo is taken out so many times over: it wavers around the prediction."""
_LOUDER = 3.0
"""Power over the predicted echo's from which a window may hold something else."""
_MUCH_LOUDER = 100.0
_AS_LOUD = 1.5
"""The same for windows before such a one, where a word may begin softly."""
_ABOVE_NOISE, _FAR_ABOVE_NOISE = 0.5, 6.0
"""Power over the room noise's from which a window may hold speech, and from which it may even
though the detector lost it when the echo was taken out."""
_ENOUGH = 4
"""Windows of 32 ms that make an answer."""
_EXPLAINED = 0.2
"""Share of the power above the noise that the reply must explain for an echo."""

_Flags = npt.NDArray[np.bool_]
_Powers = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class EchoCheck:
    """What an utterance turned out to be."""

    own_echo: bool
    """It is the agent's own reply, and nothing else."""
    explained: float
    """Share of its power above the room's noise that the reply explains, 0 to 1."""
    delay: float | None
    """Seconds by which the reply is heard later than the device reports; None: it is not heard,
    or nothing was played."""
    start: float
    """Clock at the first of ``samples``, seconds."""
    samples: Samples = field(repr=False)
    """The utterance without an echo before it."""


@dataclass(frozen=True, slots=True)
class _Windows:
    """Judgements and powers of the windows of an utterance, ``[windows]`` each."""

    raw_voice: _Flags
    clean_voice: _Flags
    power: _Powers
    echo: _Powers
    noise: float

    @property
    def explained(self) -> float:
        return float(np.minimum(self.echo, self.power).sum() / max(self.power.sum(), 1e-20))

    @property
    def beyond_echo(self) -> _Flags:
        return (self.power > _LOUDER * self.echo) & (self.power > _ABOVE_NOISE * self.noise)

    @property
    def answered(self) -> bool:
        """Enough windows hold speech that the reply does not explain."""
        apart = (self.power > _MUCH_LOUDER * self.echo) & (
            self.power > _FAR_ABOVE_NOISE * self.noise)
        return (int((self.clean_voice & self.beyond_echo).sum()) >= _ENOUGH
                or int((self.raw_voice & apart).sum()) >= 2 * _ENOUGH)

    @property
    def vanished(self) -> bool:
        """There was a voice, and it went with the echo."""
        voiced = int(self.raw_voice.sum())
        return voiced >= _ENOUGH and 4 * int(self.clean_voice.sum()) <= voiced

    @property
    def first_answer(self) -> int | None:
        """First window that may belong to an answer, its soft beginning included."""
        voice = self.clean_voice | self.raw_voice
        speech = np.flatnonzero(voice & self.beyond_echo)
        if not len(speech):
            return None
        first = int(speech[0])
        near = voice & (self.power > _AS_LOUD * self.echo)
        while first and near[first - 1]:
            first -= 1
        return first


class EchoGuard:
    """Tells the agent's own voice from an answer.

    Args:
        heard: What the microphone captured, by its clock; the agent adds every frame to it.
        played: What the loudspeaker played, by the same clock.
        vad: A voice detector of its own (``SileroVad.twin``).
        settings: The endpointer's, for what counts as speech.
    """

    def __init__(self, heard: Ring, played: PlayedReference, vad: VoiceActivity,
                 settings: EndpointSettings) -> None:
        self._heard, self._played, self._vad, self._settings = heard, played, vad, settings
        self._given_up = False

    def check(self, utterance: Ended) -> EchoCheck:
        """Judge an utterance; call it before ``heard`` has forgotten the reply.

        Takes 20–40 ms of one x86-64 core after a reply, nothing otherwise.
        """
        self._given_up = False
        reply_end = self._played.last
        reach = reply_end + LATEST + REVERBERATION
        if utterance.speech_start > reach or self._heard.start > reply_end - 0.25:
            return _not_echo(utterance)
        start = max(self._heard.start, min(reply_end - HISTORY,
                                           utterance.start - _SETTLE / SAMPLE_RATE))
        end = min(utterance.start + len(utterance.samples) / SAMPLE_RATE,
                  utterance.start + _LOOK)
        microphone = to_float(self._heard.between(start, end))
        reference = to_float(self._played.between(start, end))
        until = min(len(microphone), round((reply_end - start) * SAMPLE_RATE))
        delay = find_delay(microphone[:until + SAMPLE_RATE // 2],
                           reference[:until + SAMPLE_RATE // 2])
        if not delay.clear:
            return _not_echo(utterance)
        prediction = predict(microphone, shifted(reference, delay), until)
        windows = self._judge(prediction, microphone, utterance.start - start)
        longer = utterance.speech_end > max(reach, end)
        own = not windows.answered and not longer and (
            windows.explained >= _EXPLAINED or windows.vanished)
        return self._result(utterance, windows, delay, own)

    def give_up(self) -> None:
        """Stop a check that another thread is at; what it returns means nothing then."""
        self._given_up = True
        self._vad.reset()

    def _judge(self, prediction: Prediction, microphone: np.ndarray, at: float) -> _Windows:
        """Look at the windows from ``at`` seconds into the signals on."""
        place = round(at * SAMPLE_RATE)
        settle = min(_SETTLE, place) // WINDOW * WINDOW
        skip = settle // WINDOW
        first = (place - settle) // HOP
        clean = prediction.without_echo(first, len(prediction.heard), _EXCESS)
        raw = microphone[first * HOP:first * HOP + len(clean)]
        above = np.maximum(prediction.heard - prediction.noise, 0)[first:]
        echo = prediction.echo[first:]
        voices = [self._voiced(to_int16(audio))[skip:] for audio in (raw, clean)]
        power, echo_power = (_per_window(p.sum(axis=1))[skip:] for p in (above, echo))
        count = min(map(len, (*voices, power)))
        return _Windows(voices[0][:count], voices[1][:count], power[:count], echo_power[:count],
                        2.0 * float(prediction.noise.sum()))

    def _voiced(self, audio: Samples) -> _Flags:
        self._vad.reset()
        voiced, flags = False, []
        for place in range(0, len(audio) - WINDOW + 1, WINDOW):
            if self._given_up:
                break
            likely = self._vad.probability(audio[place:place + WINDOW])
            voiced = likely >= (self._settings.release if voiced else self._settings.threshold)
            flags.append(voiced)
        return np.array(flags, np.bool_)

    def _result(self, utterance: Ended, windows: _Windows, delay: Delay,
                own: bool) -> EchoCheck:
        first = windows.first_answer
        cut = 0.0 if first is None else max(0.0, first * WINDOW / SAMPLE_RATE - _PAD)
        if utterance.start + cut <= utterance.speech_start:
            cut = 0.0
        samples = utterance.samples[round(cut * SAMPLE_RATE):]
        return EchoCheck(own, windows.explained, delay.seconds, utterance.start + cut, samples)


def _not_echo(utterance: Ended) -> EchoCheck:
    return EchoCheck(False, 0.0, None, utterance.start, utterance.samples)


def _per_window(frames: _Powers) -> _Powers:
    """Power a window from power a frame of half its length."""
    per = WINDOW // HOP
    out: _Powers = frames[:len(frames) // per * per].reshape(-1, per).sum(axis=1)
    return out

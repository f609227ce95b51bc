"""Any phrase as the wake word, by the recogniser.

The recogniser is not run all the time: a level meter finds stretches of sound above the room's
own noise, and the recogniser is asked when such a stretch ends, and every half second while it
goes on. Much costlier than a trained model where people talk a lot; free where it is quiet.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from agent.events import SAMPLE_RATE, Samples
from agent.wake import Detection
from agent.wake.confirm import HEARD, Confirm
from agent.wake.history import History

ENGINE = "phrase"

_FRAME = SAMPLE_RATE // 50
"""Samples of the 20 ms frames of the level meter."""
_LEAST_LEVEL = 40.0
"""Root mean square on int16's scale (-58 dB) under which nothing is speech."""
_ABOVE_FLOOR = 2.5
"""Speech is at least this many times (8 dB) louder than the room."""
_FLOOR_FALL = 0.3
_FLOOR_RISE = 1.01
"""The estimate of the room's noise falls quickly, and rises by at most 1 % a frame (6 dB in
1.4 s), so that speech does not pass for noise."""


class Gate:
    """Tells from the level alone when there is something worth recognising.

    Args:
        pause: Seconds of quiet after which a stretch of sound has ended.
        shortest: Seconds of sound that a stretch must have to count.
        every: Seconds of sound after which one that goes on is worth a look.
    """

    def __init__(self, pause: float = 0.24, shortest: float = 0.2, every: float = 0.5) -> None:
        self._pause, self._shortest, self._every = (
            round(seconds * SAMPLE_RATE / _FRAME) for seconds in (pause, shortest, every))
        self._floor = math.inf
        self._loud = self._quiet = self._unseen = 0

    def reset(self) -> None:
        """Forget the room."""
        self._floor = math.inf
        self._loud = self._quiet = self._unseen = 0

    @property
    def quiet(self) -> int:
        """Frames since the last loud one."""
        return self._quiet

    def follow(self, frame: Samples) -> bool:
        """Take the next 20 ms; whether the recogniser should look at what has been said."""
        level = float(frame.astype(np.float32).std())
        speech = level >= max(_LEAST_LEVEL, _ABOVE_FLOOR * min(self._floor, level))
        self._learn(level)
        if speech:
            self._loud += 1
            self._unseen += 1
            self._quiet = 0
            return self._loud >= self._shortest and self._look(self._unseen >= self._every)
        self._quiet += 1
        if self._quiet < self._pause:
            return False
        worth = self._loud >= self._shortest and self._unseen > 0
        self._loud = 0
        return self._look(worth)

    def _look(self, worth: bool) -> bool:
        if worth:
            self._unseen = 0
        return worth

    def _learn(self, level: float) -> None:
        if level < self._floor:
            fall = 1.0 if math.isinf(self._floor) else _FLOOR_FALL
            start = level if math.isinf(self._floor) else self._floor
            self._floor = max(1.0, start + fall * (level - start))
        else:
            self._floor = min(level, self._floor * _FLOOR_RISE)


class PhraseWakeWord:
    """Listens for any phrase.

    Args:
        word: The phrase, as people say it.
        confirm: Judges whether the phrase is in a stretch of sound.
        refractory: Seconds after a detection in which there is no other.
        sensitivity: 0 to 1; higher asks less sureness.
    """

    def __init__(self, word: str, confirm: Confirm, refractory: float = 1.0,
                 sensitivity: float = 0.5) -> None:
        self._word = word
        self._confirm = confirm
        self._least = HEARD + (0.5 - sensitivity) * 0.8
        self._refractory = round(refractory * SAMPLE_RATE)
        self._wanted = round(confirm.seconds * SAMPLE_RATE)
        self._gate = Gate()
        self._history = History(self._wanted + _FRAME)
        self._ready: deque[Detection] = deque()
        self._waiting: Samples = np.zeros(0, np.int16)
        self._quiet_until = 0

    @property
    def word(self) -> str:
        """The phrase listened for."""
        return self._word

    def accept(self, samples: Samples) -> Detection | None:
        """Take more audio, ``int16[samples]`` at 16 kHz, any length.

        Returns the next detection. More than one in a long piece of audio are returned by the
        calls that follow, which may be empty.
        """
        waiting = np.concatenate([self._waiting, samples])
        whole = len(waiting) // _FRAME * _FRAME
        for start in range(0, whole, _FRAME):
            frame = waiting[start:start + _FRAME]
            self._history.append(frame)
            if self._gate.follow(frame) and self._history.end >= self._quiet_until:
                self._ask()
        self._waiting = waiting[whole:]
        return self._ready.popleft() if self._ready else None

    def reset(self) -> None:
        """Forget everything heard; time starts at 0 again."""
        self._gate.reset()
        self._history.clear()
        self._ready.clear()
        self._waiting = self._waiting[:0]
        self._quiet_until = 0

    def _ask(self) -> None:
        end = self._history.end
        sureness = self._confirm(self._history.slice(end - self._wanted, end))
        if sureness is None or sureness < self._least:
            return
        self._quiet_until = end + self._refractory
        ended = end - self._gate.quiet * _FRAME
        self._ready.append(Detection(self._word, ENGINE, sureness, ended / SAMPLE_RATE))

"""Plays through one device and listens to another that hears it; prints what happened as JSON.

Run in a process of its own: PortAudio reads ALSA's configuration once.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import numpy as np

from agent.audio.conversion import to_float
from agent.audio.echopath import find_delay
from agent.audio.microphone import DeviceMicrophone
from agent.audio.playback import DeviceSpeaker
from agent.audio.settings import Settings
from agent.errors import AgentError

SECOND = 16_000


def loud(samples: np.ndarray) -> np.ndarray:
    """Whether each 5 ms sound, bool[pieces]."""
    pieces = samples[:len(samples) // 80 * 80].astype(float).reshape(-1, 80)
    return np.sqrt((pieces ** 2).mean(axis=1)) > 300


async def round_trip(latency: float) -> dict[str, float]:
    """Play a second of noise to its end, then three seconds that are stopped."""
    settings = Settings(input="mic", output="room", output_latency=latency, input_block=0.02)
    microphone = DeviceMicrophone(settings)
    speaker = DeviceSpeaker(settings, microphone.clock_at)
    heard: list[np.ndarray] = []

    async def listen() -> None:
        while (frame := await microphone.read()) is not None:
            heard.append(frame)

    held_up = 0.0

    async def watch() -> None:
        """Note by how much this process comes late: then the machine has no time for it."""
        nonlocal held_up
        while True:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            held_up = max(held_up, time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.8)
    noise = (np.random.default_rng(1).standard_normal(3 * SECOND) * 3000).astype(np.int16)
    asked, began = microphone.now, time.perf_counter()
    speaker.play(noise[:SECOND])
    call = time.perf_counter() - began
    while speaker.pending > 0:
        await asyncio.sleep(0.005)
    drained = microphone.clock_at(time.monotonic())
    await asyncio.sleep(0.6)
    first = microphone.now
    speaker.play(noise)
    await asyncio.sleep(1.2)
    stopped = microphone.clock_at(time.monotonic())
    speaker.stop()
    await asyncio.sleep(0.6)
    last = microphone.now
    await speaker.close()
    await microphone.close()
    await listening
    watching.cancel()
    sound = np.concatenate(heard)
    reply = np.flatnonzero(loud(sound[:round(first * SECOND)])) * 80 / SECOND
    rest = np.flatnonzero(loud(sound)) * 80 / SECOND
    if not len(reply):
        return {"held_up": held_up, "silent": 1.0}
    place = slice(round(asked * SECOND), round((asked + 1.5) * SECOND))
    delay = find_delay(to_float(sound[place]),
                       to_float(speaker.played.between(asked, asked + 1.5))[:len(sound[place])])
    return {"held_up": held_up, "underruns": speaker.underruns, "call": call,
            "started": reply[0] - asked, "length": reply[-1] - reply[0],
            "drained_after_sound": drained - reply[-1], "stopped_within": rest[-1] - stopped,
            "reference_error": delay.seconds, "reference_clarity": delay.clarity,
            "clock_error": abs(len(sound) / SECOND - last), "overruns": microphone.overruns,
            "fault": speaker.fault is not None}


async def until_unplugged() -> dict[str, str]:
    """Listen until the microphone fails; standard output says first when it listens."""
    microphone = DeviceMicrophone(Settings(input="mic", stalled_after=3.0))
    await microphone.read()
    print("listening", flush=True)
    try:
        while await microphone.read() is not None:
            pass
    except AgentError as error:
        await microphone.close()
        return {"what": error.what, "mend": error.mend}
    return {}


if __name__ == "__main__":
    task = until_unplugged() if sys.argv[1] == "unplug" else round_trip(float(sys.argv[1]))
    print(json.dumps(asyncio.run(task), default=float))

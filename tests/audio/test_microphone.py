"""The microphone at PortAudio's boundary: rates, overruns, unplugging, muting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from agent.audio.gate import GatedMicrophone
from agent.audio.microphone import DeviceMicrophone
from agent.audio.settings import Settings
from agent.errors import AgentError

Tone = Callable[..., np.ndarray]


def counted(first: int, frames: int = 1) -> np.ndarray:
    """Frames of 320 samples that begin with their own numbers, without a DC shift."""
    signs = np.tile([1, -1], 160 * frames)
    return (np.repeat(np.arange(first, first + frames), 320) * signs).astype(np.int16)


def drained(microphone: Any, frames: int) -> list[int]:
    async def read() -> list[int]:
        return [int((await microphone.read())[0]) for _ in range(frames)]

    return asyncio.run(read())


def test_frames_come_in_order_with_their_time(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings(), start=7.0)
    for number in range(1, 6):
        sound.streams[0].deliver(counted(number))
    assert drained(microphone, 5) == [1, 2, 3, 4, 5]
    assert microphone.now == pytest.approx(7.1)
    assert microphone.overruns == 0


def test_a_busy_reader_loses_nothing_for_a_minute(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings(queue=60.0))
    for number in range(2990):
        sound.streams[0].deliver(counted(number))
    assert drained(microphone, 2990) == list(range(2990))
    assert microphone.overruns == 0


def test_beyond_that_the_oldest_goes_is_counted_and_the_clock_stays_right(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings(queue=1.0))
    for number in range(80):
        sound.streams[0].deliver(counted(number))
    assert drained(microphone, 1) == [30]
    assert microphone.overruns == 30
    assert microphone.now == pytest.approx(31 * 0.02)


def test_what_the_driver_lost_is_counted_and_the_clock_stays_right(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings())
    sound.streams[0].deliver(counted(1))
    sound.streams[0].deliver(counted(2), overflow=True, lost=0.2)
    assert drained(microphone, 2) == [1, 2]
    assert microphone.overruns == 10
    assert microphone.now == pytest.approx(0.24)


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2), (32_000, 6)])
def test_a_device_without_16_khz_or_mono_is_converted(sound: Any, tone: Tone, rate: int,
                                                      channels: int) -> None:
    sound.add("USB microphone", inputs=channels, rate=rate, rates=(rate,), channels=(channels,))
    microphone = DeviceMicrophone(Settings())
    assert (microphone.rate, sound.streams[-1].channels) == (rate, channels)
    for block in np.split(tone(rate, hertz=500, rate=rate), 50):
        sound.streams[-1].deliver(block)

    async def read() -> np.ndarray:
        return np.concatenate([await microphone.read() for _ in range(45)])

    heard = asyncio.run(read())
    assert np.abs(heard[1000:]).max() == pytest.approx(8000, rel=0.02)
    spectrum = np.abs(np.fft.rfft(heard[1000:13_800]))
    assert np.argmax(spectrum) * 16_000 / 12_800 == pytest.approx(500, abs=2)
    assert microphone.now == pytest.approx(0.9)


def test_no_microphone_says_so_and_names_the_command(sound: Any) -> None:
    sound.add("HDMI", outputs=2)
    with pytest.raises(AgentError, match="no microphone was found") as caught:
        DeviceMicrophone(Settings())
    assert "voice-agent devices" in caught.value.mend


def test_a_busy_device_and_one_without_any_usual_rate_say_so(sound: Any) -> None:
    number = sound.add("USB microphone", inputs=1, rates=())
    with pytest.raises(AgentError, match=r"cannot open input 0 \(USB microphone\)"):
        DeviceMicrophone(Settings())
    sound.busy.add(number)
    with pytest.raises(AgentError, match="Device unavailable") as caught:
        DeviceMicrophone(Settings())
    assert "another program" in caught.value.mend


def test_a_device_that_does_not_start_is_given_back(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    sound.start_error = sound.PortAudioError("Unanticipated host error", -9999)
    with pytest.raises(AgentError, match="cannot start microphone"):
        DeviceMicrophone(Settings())
    assert sound.streams[0].closed


def test_unplugging_in_use_is_an_error_after_the_last_frame(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings())
    sound.streams[0].deliver(counted(9))
    sound.streams[0].unplug()
    assert drained(microphone, 1) == [9]
    with pytest.raises(AgentError, match=r"USB microphone\) was unplugged") as caught:
        drained(microphone, 1)
    assert "plug it in again" in caught.value.mend


def test_a_device_that_falls_silent_counts_as_unplugged(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings(stalled_after=0.2))
    began = time.monotonic()
    with pytest.raises(AgentError, match="stopped delivering"):
        drained(microphone, 1)
    assert time.monotonic() - began < 1.0


def test_a_reader_that_waits_gets_the_frame_as_it_comes(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings())

    async def wait() -> int:
        reading = asyncio.create_task(microphone.read())
        await asyncio.sleep(0.01)
        await asyncio.to_thread(sound.streams[0].deliver, counted(4))
        frame = await asyncio.wait_for(reading, 1.0)
        return int(frame[0])

    assert asyncio.run(wait()) == 4


def test_closing_ends_the_audio_and_gives_the_device_back(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings())

    async def close() -> Any:
        await microphone.close()
        return await microphone.read()

    assert asyncio.run(close()) is None
    assert sound.streams[0].closed


def test_the_clock_of_a_sound_is_known_from_the_time_it_arrives(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings(), start=5.0)
    before = time.monotonic()
    sound.streams[0].deliver(counted(0))  # captured in the 20 ms before this
    assert microphone.clock_at(before) == pytest.approx(5.02, abs=0.015)
    assert microphone.clock_at(before + 1.0) == pytest.approx(6.02, abs=0.015)


def test_a_burst_after_a_stall_does_not_mislead_the_clock(sound: Any) -> None:
    sound.add("USB microphone", inputs=1)
    microphone = DeviceMicrophone(Settings())
    before = time.monotonic()
    for _ in range(30):  # 0.6 s at once: captured before this, and kept back by the driver
        sound.streams[0].deliver(counted(0))
    assert microphone.clock_at(before) == pytest.approx(0.6, abs=0.1)


def test_clearing_forgets_and_the_clock_goes_on(sound: Any, tone: Tone) -> None:
    sound.add("USB microphone", inputs=1, rate=48_000, rates=(48_000,))
    microphone = DeviceMicrophone(Settings())
    stream = sound.streams[-1]
    for _ in range(10):
        stream.deliver(tone(960, rate=48_000))
    drained(microphone, 3)
    microphone.clear()
    assert microphone.now == pytest.approx(0.2)
    for _ in range(4):
        stream.deliver(np.zeros(960, np.int16))

    async def read() -> np.ndarray:
        return np.concatenate([await microphone.read() for _ in range(3)])

    assert not asyncio.run(read()).any(), "sound from before came through"


class TestMuting:
    def gate(self, sound: Any) -> tuple[GatedMicrophone, Any]:
        sound.add("USB microphone", inputs=1)
        gate = GatedMicrophone(DeviceMicrophone(Settings()))
        return gate, sound.streams[0]

    def test_nothing_captured_before_or_during_muting_gets_through(self, sound: Any) -> None:
        gate, stream = self.gate(sound)

        async def listen() -> list[int]:
            got = []

            async def reader() -> None:
                while (frame := await gate.read()) is not None:
                    got.append(int(frame[0]))

            task = asyncio.create_task(reader())
            stream.deliver(counted(1))
            await asyncio.sleep(0.01)
            stream.deliver(counted(2, 5))
            gate.mute()
            for number in range(10, 20):
                stream.deliver(counted(number))
                await asyncio.sleep(0.001)
            gate.unmute()
            for number in range(30, 34):
                await asyncio.sleep(0.01)
                stream.deliver(counted(number))
            await asyncio.sleep(0.01)
            await gate.close()
            await task
            return got

        heard = asyncio.run(listen())
        # The frame awaited at unmuting may have been captured before it, and is not trusted.
        assert heard == [1, 31, 32, 33]

    def test_a_short_mute_while_a_frame_is_awaited_discards_that_frame(self, sound: Any) -> None:
        class Slow:
            now, overruns = 0.0, 0

            def __init__(self) -> None:
                self.frames = asyncio.Queue()

            async def read(self) -> np.ndarray:
                return await self.frames.get()

            def clear(self) -> None:
                pass

        async def listen() -> int:
            inner = Slow()
            gate = GatedMicrophone(inner)
            reading = asyncio.create_task(gate.read())
            await asyncio.sleep(0)
            inner.frames.put_nowait(counted(1))  # captured before the mute, not yet handed on
            gate.mute()
            gate.unmute()
            await asyncio.sleep(0.01)
            assert not reading.done()
            inner.frames.put_nowait(counted(2))
            return int((await reading)[0])

        assert asyncio.run(listen()) == 2

    def test_the_clock_goes_on_and_nothing_piles_up(self, sound: Any) -> None:
        gate, stream = self.gate(sound)
        gate.mute()

        async def listen() -> None:
            reading = asyncio.create_task(gate.read())
            for number in range(3200):
                stream.deliver(counted(number))
                if not number % 50:
                    await asyncio.sleep(0.001)
            for _ in range(200):
                if gate.now > 63.99:
                    break
                await asyncio.sleep(0.01)
            assert gate.now == pytest.approx(64.0)
            assert gate.overruns == 0
            reading.cancel()

        asyncio.run(listen())

    def test_whatever_holds_audio_is_wiped(self, sound: Any) -> None:
        gate, _ = self.gate(sound)
        wiped = []
        gate.on_mute(lambda: wiped.append(gate.muted))
        gate.mute()
        gate.unmute()
        gate.unmute()
        assert wiped == [True, False]

    def test_a_device_opened_again_stays_muted(self, sound: Any) -> None:
        gate, _ = self.gate(sound)
        gate.mute()
        gate.replace(DeviceMicrophone(Settings()))
        sound.streams[1].deliver(counted(5))

        async def read() -> None:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gate.read(), 0.05)

        asyncio.run(read())
        assert gate.muted

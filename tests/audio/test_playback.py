"""The loudspeaker at PortAudio's boundary: what it plays, when it falls silent, what fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.audio.playback import DeviceSpeaker
from agent.audio.playqueue import FADE, PlayQueue
from agent.audio.portaudio import Format
from agent.audio.reference import PlayedReference
from agent.audio.rendering import Renderer
from agent.audio.settings import Settings
from agent.errors import AgentError

Tone = Callable[..., np.ndarray]
Eventually = Callable[[Callable[[], Any]], Any]
LATENCY = 0.04


@pytest.fixture
def speaker(sound: Any) -> DeviceSpeaker:
    sound.add("Loudspeaker", outputs=2)
    return DeviceSpeaker(Settings(output_latency=LATENCY))


def running(sound: Any) -> Any:
    return next((s for s in sound.streams if s.running), None)


def test_what_is_queued_is_played_and_then_silence(sound: Any, speaker: DeviceSpeaker,
                                                   tone: Tone, eventually: Eventually) -> None:
    speaker.play(tone(500))
    speaker.play(tone(300, hertz=800))
    stream = eventually(lambda: running(sound))
    played = np.concatenate([stream.pull() for _ in range(4)])[:, 0]
    expected = np.concatenate([tone(500), tone(300, hertz=800), np.zeros(480, np.int16)])
    assert np.array_equal(played, expected)


def test_playing_never_makes_the_caller_wait(sound: Any, speaker: DeviceSpeaker, tone: Tone,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound.streams[0], "start", lambda: time.sleep(0.5))
    began = time.perf_counter()
    speaker.play(tone(16_000))
    speaker.stop()
    assert time.perf_counter() - began < 0.1


def test_pending_counts_the_queue_and_the_device(sound: Any, speaker: DeviceSpeaker, tone: Tone,
                                                 eventually: Eventually) -> None:
    assert speaker.pending == 0.0
    speaker.play(tone(16_000))
    assert speaker.pending == pytest.approx(1.0 + LATENCY, abs=0.005)
    stream = eventually(lambda: running(sound))
    for _ in range(49):
        stream.pull()
    assert speaker.pending == pytest.approx(0.02 + LATENCY + 0.02, abs=0.01)
    stream.pull()
    assert speaker.pending == pytest.approx(LATENCY + 0.02, abs=0.01)
    time.sleep(LATENCY + 0.03)
    assert speaker.pending == 0.0


def test_stopping_drops_the_queue_and_fades_within_5_ms(sound: Any, speaker: DeviceSpeaker,
                                                        tone: Tone,
                                                        eventually: Eventually) -> None:
    speaker.play(tone(32_000))
    stream = eventually(lambda: running(sound))
    stream.pull()
    assert speaker.stop() == pytest.approx(2.0 - 0.02 - FADE / 16_000)
    after = stream.pull()[:, 0]
    assert after[:FADE].any()
    assert not after[FADE:].any()
    assert np.abs(np.diff(after.astype(int))).max() < 1500, "a click"


def test_a_device_that_holds_much_is_made_to_drop_it(sound: Any, tone: Tone,
                                                     eventually: Eventually) -> None:
    sound.add("Loudspeaker", outputs=2)
    speaker = DeviceSpeaker(Settings(output_latency=0.3))
    speaker.play(tone(32_000))
    stream = eventually(lambda: running(sound))
    for _ in range(10):
        stream.pull()
    speaker.stop()
    assert speaker.pending < 0.1
    eventually(lambda: not stream.running)
    assert not speaker.played.between(time.monotonic() + 0.05, time.monotonic() + 1.0).any()
    speaker.play(tone(640))
    eventually(lambda: stream.running)
    assert np.array_equal(stream.pull()[:, 0], tone(640)[:320]), "the next reply lost its start"
    assert speaker.fault is None


@pytest.mark.parametrize(("rate", "channels"), [(48_000, 1), (44_100, 2)])
def test_a_device_without_16_khz_or_mono_gets_what_it_wants(
        sound: Any, tone: Tone, eventually: Eventually, rate: int, channels: int) -> None:
    sound.add("HDMI", outputs=channels, rate=rate, rates=(rate,), channels=(channels,))
    speaker = DeviceSpeaker(Settings())
    speaker.play(tone(16_000, hertz=500))
    stream = eventually(lambda: running(sound))
    played = np.concatenate([stream.pull() for _ in range(60)])
    assert played.shape[1] == channels
    assert (played == played[:, :1]).all()
    assert np.abs(np.fft.rfft(played[:rate, 0])).argmax() == pytest.approx(500, abs=1)
    assert not played[rate + 200:].any(), "the reply is as long as it was"
    assert speaker.pending == pytest.approx(0.0, abs=0.3)


def test_running_dry_is_counted(sound: Any, speaker: DeviceSpeaker, tone: Tone,
                                eventually: Eventually) -> None:
    speaker.play(tone(3200))
    stream = eventually(lambda: running(sound))
    stream.pull(underflow=True)  # drivers report one before anything was played
    stream.pull(underflow=True)
    assert speaker.underruns == 1


def test_a_silent_stream_is_stopped_and_started_again_for_the_next_reply(
        sound: Any, tone: Tone, eventually: Eventually) -> None:
    sound.add("Loudspeaker", outputs=1)
    speaker = DeviceSpeaker(Settings(speaker_idle=0.5))
    speaker.play(tone(320))
    stream = eventually(lambda: running(sound))
    for _ in range(30):
        if stream.running:
            stream.pull()
    assert not stream.running
    assert speaker.fault is None
    speaker.play(tone(320))
    eventually(lambda: stream.running)
    assert np.array_equal(stream.pull()[:, 0], tone(320))


def test_no_loudspeaker_says_so(sound: Any) -> None:
    sound.add("Microphone", inputs=1)
    with pytest.raises(AgentError, match="no loudspeaker was found") as caught:
        DeviceSpeaker(Settings())
    assert "voice-agent devices" in caught.value.mend


def test_unplugging_ends_the_reply_and_the_next_one_finds_the_device_again(
        sound: Any, speaker: DeviceSpeaker, tone: Tone, eventually: Eventually) -> None:
    speaker.play(tone(16_000))
    stream = eventually(lambda: running(sound))
    stream.pull()
    stream.unplug()
    assert speaker.pending == 0.0
    assert speaker.fault is not None
    assert "unplugged" in speaker.fault.what
    eventually(lambda: stream.closed)
    speaker.play(tone(640))
    again = eventually(lambda: running(sound))
    assert again is not stream
    assert np.array_equal(again.pull()[:, 0], tone(640)[:320])
    assert speaker.fault is None
    assert sound.initialised == 0, "PortAudio was shut down and not begun again"


def test_a_device_that_takes_nothing_any_more_does_not_hold_the_conversation_up(
        sound: Any, tone: Tone, eventually: Eventually) -> None:
    sound.add("Loudspeaker", outputs=1)
    speaker = DeviceSpeaker(Settings(stalled_after=0.2))
    speaker.play(tone(16_000))
    eventually(lambda: running(sound))
    eventually(lambda: speaker.pending == 0.0)
    assert speaker.fault is not None
    assert "stopped taking audio" in speaker.fault.what


def test_a_stream_that_does_not_start_is_a_fault_and_no_crash(
        sound: Any, speaker: DeviceSpeaker, tone: Tone, eventually: Eventually) -> None:
    sound.start_error = sound.PortAudioError("Device unavailable", -9985)
    speaker.play(tone(16_000))
    fault = eventually(lambda: speaker.fault)
    assert "cannot start loudspeaker" in fault.what
    assert speaker.pending == 0.0


def test_closing_gives_the_device_back(sound: Any, speaker: DeviceSpeaker, tone: Tone) -> None:
    speaker.play(tone(16_000))
    asyncio.run(speaker.close())
    assert sound.streams[0].closed
    assert speaker.fault is None


class TestReference:
    def test_it_holds_what_sounded_on_the_given_clock(self, sound: Any, tone: Tone,
                                                      eventually: Eventually) -> None:
        sound.add("Loudspeaker", outputs=1)
        offset = 1000.0 - time.monotonic()
        speaker = DeviceSpeaker(Settings(output_latency=LATENCY), lambda host: host + offset)
        speaker.play(tone(640))
        stream = eventually(lambda: running(sound))
        began = time.monotonic() + offset
        stream.pull()
        stream.pull()
        heard = speaker.played.between(began - 0.5, began + 0.5)
        place = np.flatnonzero(heard)[0] / 16_000 - 0.5
        assert place == pytest.approx(LATENCY, abs=0.02)
        assert np.count_nonzero(heard) == np.count_nonzero(tone(640))

    def test_wavering_reports_make_no_gaps(self, tone: Tone) -> None:
        played, sound = PlayedReference(), tone(3200)
        for number, waver in enumerate([0, 0.004, -0.006, 0.002, 0, 0.009, -0.003, 0, 0.001, 0]):
            played.record(sound[number * 320:][:320], 5.0 + number * 0.02 + waver)
        assert np.array_equal(played.between(5.0, 5.2), sound)

    def test_a_clock_set_right_backwards_loses_only_what_overlaps(self, tone: Tone) -> None:
        played, sound = PlayedReference(), tone(16_000)
        played.record(sound, 1.0)
        played.record(sound[:320], 1.5)
        assert np.array_equal(played.between(1.0, 1.5), sound[:8000])
        assert np.array_equal(played.between(1.5, 1.52), sound[:320])

    def test_a_pause_is_silence_and_the_last_sound_is_known_to_the_sample(self,
                                                                          tone: Tone) -> None:
        played = PlayedReference()
        assert played.last == float("-inf")
        played.record(tone(320) | 1, 1.0)
        played.record(np.concatenate([tone(100) | 1, np.zeros(220, np.int16)]), 2.0)
        played.record(np.zeros(3200, np.int16), 2.02)
        assert played.last == pytest.approx(2.0 + 100 / 16_000)
        assert not played.between(1.02, 2.0).any()

    def test_what_the_device_dropped_did_not_sound(self, tone: Tone) -> None:
        played = PlayedReference()
        played.record(tone(16_000), 1.0)
        played.cut(1.25)
        assert not played.between(1.25, 2.0).any()
        assert played.last == pytest.approx(1.25)
        played.wipe()
        assert not played.between(0.0, 2.0).any()


@given(st.lists(st.one_of(st.integers(1, 400).map(lambda n: ("add", n)),
                          st.integers(1, 400).map(lambda n: ("take", n))), max_size=30))
def test_the_queue_gives_back_what_went_in_and_silence_after(actions: list[tuple[str, int]]
                                                             ) -> None:
    queue, waiting, number = PlayQueue(), [], 1
    for action, count in actions:
        if action == "add":
            samples = list(range(number, number + count))
            number += count
            queue.add(np.array(samples, np.int16))
            waiting += samples
        else:
            out, filled = queue.take(count)
            expected, waiting = waiting[:count], waiting[count:]
            assert filled == len(expected)
            assert list(out) == expected + [0] * (count - filled)
        assert len(queue) == len(waiting)


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=10),
       st.sampled_from([8_000, 22_050, 44_100, 48_000]))
def test_resampling_does_not_depend_on_the_size_of_the_blocks(blocks: list[int],
                                                              rate: int) -> None:
    def rendered(sizes: list[int]) -> bytes:
        queue = PlayQueue()
        queue.add((np.arange(4000) % 97 * 50).astype(np.int16))
        renderer = Renderer(queue, Format(rate, 1, 0), PlayedReference())
        return b"".join(renderer.render(size, 0.0) for size in sizes)

    assert rendered(blocks) == rendered([sum(blocks)])

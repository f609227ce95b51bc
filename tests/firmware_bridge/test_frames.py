"""Frames: both implementations agree, and damage never passes for a frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fuzz_targets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import codec as host
from firmware_bridge import messages
from firmware_bridge.firmware.voiceboard import codec as board

HERE = Path(__file__).resolve().parent
VECTORS = json.loads((HERE / "vectors.json").read_text())
FRAMES = VECTORS["frames"]
CORPUS = sorted((HERE / "corpus").glob("*/*"))


def name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def test_the_firmware_computes_the_published_check_value() -> None:
    of = bytes.fromhex(VECTORS["crc16"]["of"])
    assert f"{board.crc16(of):04x}" == VECTORS["crc16"]["is"]


@pytest.mark.parametrize("vector", FRAMES, ids=name)
def test_both_sides_write_and_read_the_vectors(vector: dict[str, Any]) -> None:
    line, body = bytes.fromhex(vector["line"]), bytes.fromhex(vector["body"])
    frame = host.Frame(vector["type"], vector["seq"], body)
    assert host.encode(frame) == line
    assert host.Decoder().feed(line) == [frame]
    assert board.encode(vector["type"], vector["seq"], body) == line
    assert board.Decoder().feed(line) == [(vector["type"], vector["seq"], body)]


@pytest.mark.parametrize("vector", VECTORS["damaged"], ids=name)
def test_both_sides_drop_the_damaged_vectors_and_read_on(vector: dict[str, Any]) -> None:
    line = bytes.fromhex(vector["line"])
    good = bytes.fromhex(FRAMES[2]["line"])
    for decoder in (host.Decoder(), board.Decoder()):
        assert decoder.feed(line) == []
        assert decoder.damaged == 1
        assert len(decoder.feed(good)) == 1


def test_the_document_lists_the_vectors() -> None:
    page = (HERE.parents[1] / "docs" / "firmware-protocol.md").read_text()
    missing = [v["name"] for v in FRAMES + VECTORS["damaged"]
               if v["line"] not in page.replace(" ", "")]
    assert missing == []


@pytest.mark.parametrize("vector", [v for v in FRAMES if len(v["body"]) <= 18], ids=name)
def test_every_single_damaged_byte_is_noticed(vector: dict[str, Any]) -> None:
    line = bytes.fromhex(vector["line"])
    original = (vector["type"], vector["seq"], bytes.fromhex(vector["body"]))
    for damaged in single_errors(line):
        for frame in board.Decoder().feed(b"\0" + damaged + b"\0"):
            assert frame == original


def single_errors(line: bytes) -> list[bytes]:
    """The line with each byte dropped, doubled, and changed to each other value."""
    found = []
    for i in range(len(line)):
        found += [line[:i] + line[i + 1:], line[:i] + line[i:i + 1] + line[i:]]
        found += [line[:i] + bytes((value,)) + line[i + 1:] for value in range(256)]
    return found


frames = st.builds(host.Frame, st.integers(0, 255), st.integers(0, 255),
                   st.binary(max_size=host.MAX_BODY))


@given(st.lists(frames, max_size=5), st.data())
def test_frames_survive_any_splitting(sent: list[host.Frame], data: st.DataObject) -> None:
    line = b"".join(map(host.encode, sent))
    decoders: list[tuple[Any, Callable[[Any], tuple[int, int, bytes]]]] = [
        (host.Decoder(), lambda f: (f.type, f.seq, f.body)), (board.Decoder(), lambda f: f)]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(line)), max_size=6)))
    for decoder, plain in decoders:
        got = []
        for start, end in zip([0, *cuts], [*cuts, len(line)], strict=True):
            got += [plain(f) for f in decoder.feed(line[start:end])]
        assert got == [(f.type, f.seq, f.body) for f in sent]


@given(st.binary(max_size=200), frames)
def test_a_frame_after_any_noise_arrives(noise: bytes, frame: host.Frame) -> None:
    assert host.Decoder().feed(noise + host.encode(frame))[-1] == frame
    assert board.Decoder().feed(noise + host.encode(frame))[-1] == (
        frame.type, frame.seq, frame.body)


def test_a_body_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 32"):
        host.encode(host.Frame(1, 1, bytes(33)))


@given(st.integers(0, 255), st.binary(max_size=12))
def test_no_undamaged_frame_is_too_strange_to_parse(kind: int, body: bytes) -> None:
    message = messages.parse(host.Frame(kind, 0, body))
    assert message is None or kind >= 0x40


@pytest.mark.parametrize(("kind", "body"), [(0x50, "00"), (0x50, "04"), (0x51, "02"),
                                            (0x60, "1004"), (0x42, "1234")])
def test_impossible_values_are_refused(kind: int, body: str) -> None:
    assert messages.parse(host.Frame(kind, 0, bytes.fromhex(body))) is None


@pytest.mark.parametrize("command", [
    messages.SetState(messages.State.SPEAKING, 101), messages.SetState(messages.State.IDLE, -1),
    messages.SetState(messages.State.LISTENING, 5, 360)])
def test_levels_and_directions_out_of_range_are_refused(command: messages.SetState) -> None:
    with pytest.raises(ValueError, match="is not between"):
        command.frame(1)


def test_the_fuzzers_corpus_holds() -> None:
    assert len(CORPUS) > 100
    checks = {"host": fuzz_targets.check_host, "board": fuzz_targets.check_board}
    for path in CORPUS:
        checks[path.parent.name](path.read_bytes())

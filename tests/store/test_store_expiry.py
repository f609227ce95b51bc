"""Expiry means it: nothing returns, nothing is left in the files, and keys are forgotten."""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import time
from typing import Any

import pytest

from agent.store import (
    NewItem,
    Retention,
    Surroundings,
    epochs,
    interactions,
    memoryfs,
    rows,
    sweep,
)
from agent.store.connection import log_path
from agent.store.engine import Engine
from agent.store.sealing import wrapped_epoch
from agent.store.session import checkpoint

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400


def say(
        session: Any, dialogue: Any = "d1", turn: Any = 0, kind: Any = "said",
        text: Any = "call Meg"
) -> Any:
    return interactions.append(session, dialogue, turn, "utterance expect-speech",
                               [NewItem(kind, text)])


def texts(session: Any, row: Any) -> Any:
    return [i.text for i in interactions.open_items(session, row)]


# --- spans ----------------------------------------------------------------------------------------


def test_a_text_is_gone_after_its_span_and_its_row_after_a_day(place: Any) -> None:
    with place.open() as session:
        row = say(session)
        place.clock.pass_s(299.9)
        assert texts(session, row) == ["call Meg"]
        place.clock.pass_s(0.1)
        assert texts(session, row) == []
        assert interactions.get(session, "d1", 0)
        place.clock.pass_s(DAY - 300)
        assert interactions.get(session, "d1", 0) is None


@pytest.mark.parametrize("kind", ["said", "reply", "screen", "places", "consulted", "mine"])
def test_each_kind_has_its_own_span(place: Any, kind: Any) -> None:
    field = f"{kind}_s" if kind != "mine" else "other_s"
    retention = dataclasses.replace(Retention(), **{field: 20.0})
    with place.with_settings(retention=retention).open() as session:
        short, usual = say(session, "d1", 0, kind), say(session, "d2", 0, "note-2"[:4])
        place.clock.pass_s(20)
        assert texts(session, short) == []
        assert texts(session, usual) == ([] if kind == "mine" else ["call Meg"])


def test_no_text_outlives_its_epoch(place: Any) -> None:
    with place.open() as session:
        row = say(session)
        place.clock.pass_s(200)
        row = interactions.append(session, "d1", 0, "speak", [NewItem("reply", "late")])
        epoch = session.epochs.find(wrapped_epoch(row.wrapped_key), session.moment().now)
        stored = rows.items(session, row.item_ids, session.moment())
        assert all(item.expires_at <= epoch.dies_at for item in stored)


def test_an_expired_row_that_was_not_swept_starts_anew(place: Any) -> None:
    with place.open() as session:
        say(session)
        place.clock.pass_s(DAY)
        row = say(session, text="again")
        assert row.version == 1 and texts(session, row) == ["again"]


# --- clocks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [-YEAR, -DAY, DAY, YEAR])
def test_a_jump_of_the_wall_clock_changes_nothing_within_a_boot(place: Any, jump: Any) -> None:
    with place.open() as session:
        dead = say(session, "old")
        place.clock.pass_s(300)
        live = say(session, "new")
        place.clock.wall += jump * 1000
        assert sweep.run(session) == 1
        assert texts(session, live) == ["call Meg"] and texts(session, dead) == []
        assert interactions.get(session, "old", 0) and interactions.get(session, "new", 0)
        place.clock.pass_s(300)
        assert texts(session, live) == []


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_a_jump_while_the_agent_restarts_changes_nothing_within_a_boot(
        place: Any, jump: Any
) -> None:
    with place.open() as session:
        row = say(session)
    place.clock.wall += jump * 1000
    with place.open() as session:
        assert texts(session, row) == ["call Meg"]
        place.clock.pass_s(300)
        assert texts(session, row) == []


def test_a_reboot_takes_every_text_and_leaves_the_rows(place: Any) -> None:
    with place.open() as session:
        row = say(session)
    place.reboot(off_s=10)
    with place.open() as session:
        assert texts(session, row) == []
        assert interactions.get(session, "d1", 0)
        sweep.run(session)
        assert session.connection.execute("SELECT count(*) FROM item").fetchone() == (0,)


def test_an_expired_row_is_not_revived_by_a_reboot_with_the_clock_a_year_back(place: Any) -> None:
    with place.open() as session:
        say(session, "dead")
        place.clock.pass_s(DAY - HOUR)
        say(session, "live")
        place.clock.pass_s(HOUR)
        assert interactions.get(session, "dead", 0) is None
    place.reboot()
    place.clock.wall -= YEAR * 1000
    with place.open() as session:
        assert interactions.get(session, "dead", 0) is None
        assert interactions.get(session, "live", 0)
        place.clock.pass_s(DAY - HOUR)
        assert interactions.get(session, "live", 0) is None


def test_rows_of_an_earlier_boot_go_when_the_clock_turns_out_to_be_later(place: Any) -> None:
    with place.open() as session:
        say(session, "before")
    place.reboot(off_s=-HOUR)
    with place.open() as session:
        now = say(session, "after")
        assert interactions.get(session, "before", 0)
        place.clock.wall += 2 * DAY * 1000
        assert interactions.get(session, "before", 0) is None
        assert texts(session, now) == ["call Meg"]
        assert sweep.run(session) >= 2
        assert interactions.get(session, "after", 0)


def test_a_year_ahead_at_boot_deletes_old_rows_and_harms_no_new_one(place: Any) -> None:
    with place.open() as session:
        say(session, "before")
    place.reboot(off_s=YEAR)
    with place.open() as session:
        assert interactions.get(session, "before", 0) is None
        row = say(session, "after")
    place.clock.wall -= YEAR * 1000
    with place.open() as session:
        assert texts(session, row) == ["call Meg"]
    place.reboot(off_s=60)
    with place.open() as session:
        assert interactions.get(session, "after", 0)
        place.clock.pass_s(DAY)
        assert interactions.get(session, "after", 0) is None


def test_an_idle_store_notes_the_time_once_an_hour_and_only_while_rows_are_kept(place: Any) -> None:
    with place.open() as session:
        assert not sweep.write_mark(session)
        say(session)
        place.clock.pass_s(HOUR - 1)
        assert not sweep.write_mark(session)
        place.clock.pass_s(1)
        assert sweep.write_mark(session)
        assert not sweep.write_mark(session)
        place.clock.pass_s(DAY)
        sweep.run(session)
        place.clock.pass_s(DAY)
        assert not sweep.write_mark(session)


# --- epoch keys -----------------------------------------------------------------------------------


def test_epoch_keys_lie_only_in_the_memory_file_system_for_their_owner_alone(place: Any) -> None:
    with place.open() as session:
        row = say(session)
        epoch = session.epochs.find(wrapped_epoch(row.wrapped_key), session.moment().now)
        files = [p for p in place.memory.rglob("*") if p.is_file()]
        assert len(files) == 1 and epoch.key in files[0].read_bytes()
        assert files[0].stat().st_mode & 0o077 == 0
        assert files[0].parent.stat().st_mode & 0o077 == 0
        assert all(epoch.key not in data for data in place.files().values())


def test_an_epoch_key_is_destroyed_when_all_under_it_has_expired(place: Any) -> None:
    with place.open() as session:
        say(session)
        path = next(p for p in place.memory.rglob("*.key"))
        handle = path.open("rb")
        place.clock.pass_s(60 + 300)
        sweep.run(session)
        assert not path.exists() and session.epochs.ids() == ()
        assert handle.read().strip(b"\0") == b"", "the file was not overwritten"
        handle.close()


def test_an_epoch_key_goes_as_soon_as_no_text_is_left_under_it(place: Any) -> None:
    with place.open() as session:
        first = say(session, "d1")
        place.clock.pass_s(61)
        second = say(session, "d2")
        assert wrapped_epoch(first.wrapped_key) != wrapped_epoch(second.wrapped_key)
        interactions.close_dialogue(session, "d1")
        sweep.expire_epochs(session)
        assert session.epochs.ids() == (wrapped_epoch(second.wrapped_key),)
        interactions.close_dialogue(session, "d2")
        sweep.expire_epochs(session)
        assert session.epochs.ids() == ()


@pytest.mark.parametrize("how", ["expiry", "reboot", "closing"])
def test_without_its_epoch_key_no_earlier_image_shows_a_text(
        place: Any, tmp_path: Any, how: Any
) -> None:
    """With the root key, the database key and every other epoch key in hand."""
    with place.open() as session:
        row = say(session)
        images = [place.copy_to(tmp_path / "early")]
        sweep.checkpoint(session)
        images.append(place.copy_to(tmp_path / "checkpointed"))
        memory = tmp_path / "memory"
        place.clock.pass_s(61)
        say(session, "other")
        if how == "expiry":
            place.clock.pass_s(301)
            say(session, "third")
            sweep.run(session)
        elif how == "closing":
            interactions.close_dialogue(session, "d1")
            sweep.expire_epochs(session)
    if how == "reboot":
        place.reboot()
    # The attacker's clock: a second after the text was written, in the same boot.
    place.clock.up, place.clock.wall, place.clock.boot = 1_001_000, 1_800_000_001_000, "boot-1"
    shutil.copytree(place.memory, memory)
    for image in images:
        with image.open() as session:
            assert interactions.get(session, "d1", 0), "the image does hold the row"
            found = rows.items(session, row.item_ids, session.moment())
            assert found, "the image does hold the sealed text"
            assert interactions.open_items(session, row) == ()
            assert session.epochs.find(wrapped_epoch(row.wrapped_key),
                                       session.moment().now) is None


def test_epoch_keys_of_another_boot_are_destroyed_on_sight(place: Any) -> None:
    with place.open() as session:
        row = say(session)
    place.clock.reboot()  # A memory folder that outlived the boot, as a container's may.
    with place.open() as session:
        assert texts(session, row) == []
        assert not list(place.memory.rglob("*.key"))


def test_without_a_memory_file_system_keys_stay_in_the_process(
        place: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(memoryfs, "is_in_memory", lambda path: False)
    with place.open() as session:
        row = say(session)
        assert texts(session, row) == ["call Meg"]
        assert not list(place.memory.rglob("*.key"))
    with place.open() as session:
        assert texts(session, row) == []


def test_a_spoiled_epoch_file_is_no_key(place: Any) -> None:
    with place.open() as session:
        row = say(session)
    for path in place.memory.rglob("*.key"):
        path.write_bytes(b"spoiled")
    with place.open() as session:
        assert texts(session, row) == []


def test_a_removed_epoch_file_takes_the_cached_key_with_it(place: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(epochs, "LOOK_EVERY_S", 0)
    with place.open() as session:
        row = say(session)
        for path in place.memory.rglob("*.key"):
            path.unlink()
        assert texts(session, row) == []
        again = interactions.append(session, "d1", 0, "speak", [NewItem("reply", "new")])
        assert texts(session, again) == ["new"]


def test_a_removed_memory_folder_is_made_again(place: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(epochs, "LOOK_EVERY_S", 0)
    with place.open() as session:
        row = say(session)
        for child in place.memory.iterdir():
            shutil.rmtree(child)
        assert texts(session, row) == []
        assert texts(session, say(session, "d2")) == ["call Meg"]
        (key,) = place.memory.rglob("*.key")
        assert key.parent.stat().st_mode & 0o077 == key.parent.parent.stat().st_mode & 0o077 == 0


def test_which_folders_are_in_memory(tmp_path: Any) -> None:
    mounts = tmp_path / "mountinfo"
    (tmp_path / "a b").mkdir()
    escaped = str(tmp_path / "a b").replace(" ", chr(92) + "040")
    mounts.write_text(
        "1 1 8:1 / / rw - ext4 /dev/sda rw\n"
        f"2 1 0:1 / {escaped} rw shared:1 - tmpfs t rw\n"
        "garbage\n")
    assert memoryfs.is_in_memory(tmp_path / "a b", mounts)
    assert not memoryfs.is_in_memory(tmp_path, mounts)
    assert not memoryfs.is_in_memory(tmp_path / "absent", mounts)
    assert not memoryfs.is_in_memory(tmp_path, tmp_path / "no-such-file")


def test_a_memory_folder_that_others_may_enter_is_not_used(memory: Any) -> None:
    folder = memory / f"voice-agent-{os.geteuid()}"
    folder.mkdir()
    folder.chmod(0o755)
    found = memoryfs.private_folder("x", {"XDG_RUNTIME_DIR": str(memory)})
    assert found is None or memory not in found.parents


def test_an_epoch_is_shared_by_a_restarted_agent(memory: Any) -> None:
    one = epochs.MemoryEpochs(memory, "boot", 1000, 5000)
    epoch = one.current(0)
    other = epochs.MemoryEpochs(memory, "boot", 1000, 5000)
    assert other.current(999) == epoch and other.current(1000) != epoch
    assert other.find(epoch.id, 5999) == epoch and other.find(epoch.id, 6000) is None
    assert one.find(epoch.id, 5999) is None


# --- what is left in the files --------------------------------------------------------------------


def test_after_a_sweep_no_page_of_database_or_log_holds_an_expired_marker(
        place: Any, read_pages: Any
) -> None:
    """10,000 markers, as event strings, ids and sealed texts, in every page decrypted."""
    markers = [f"mark{n:05d}" for n in range(10_000)]
    with place.with_settings(durable=False).open() as session:
        sealed = []
        for n in range(0, len(markers), 20):
            events = " ".join(f"skill:{marker}" for marker in markers[n:n + 20])
            row = interactions.append(session, f"dead{n:05d}", 0, events,
                                      [NewItem("said", marker) for marker in markers[n:n + 20]])
            if n < 9000:
                checkpoint(session)
            sealed += [i.ciphertext for i in rows.items(session, row.item_ids, session.moment())]
        key = session.root.database_key
        before = b"".join(read_pages(place, key))
        assert set(re.findall(rb"mark\d{5}", before)) == {m.encode() for m in markers}
        assert sum(one in before for one in sealed[::197]) > 40
        place.clock.pass_s(DAY)
        say(session, "alive")
        assert sweep.run(session) == 10_500
        after = re.sub(rb"\0{32,}", b"\0", b"".join(read_pages(place, key)))
        assert b"alive" in after
        assert not re.findall(rb"mark\d{2}", after)
        assert not [one for one in sealed if one[:24] in after or one[-24:] in after]
        assert log_path(place.path).exists(), "the log itself was among what was read"


def test_a_sweep_works_in_chunks_between_which_a_turn_can_write(place: Any) -> None:
    with place.with_settings(durable=False).open() as session:
        for n in range(600):
            interactions.append(session, f"d{n}", 0, "wake")
        place.clock.pass_s(DAY)
        assert sweep.pending(session)
        assert sweep.chunk(session) == sweep.CHUNK
        assert say(session, "now").version == 1
        assert sweep.run(session) == 600 - sweep.CHUNK
        assert not sweep.pending(session)


def test_another_process_cannot_hold_up_the_checkpoint(place: Any) -> None:
    """The connection is exclusive: there can be no reader to starve it."""
    from agent.store import StoreBusyError
    from agent.store.connection import connect, translated

    with place.open() as session:
        say(session)
        other = connect(place.path, session.root.database_key, "ro")
        other.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(StoreBusyError), translated(place.path):
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM item").fetchone()
        other.close()
        assert sweep.finish(session)
        assert not any(log_path(place.path).read_bytes())


def test_the_running_store_sweeps_by_itself(place: Any) -> None:
    quick = dataclasses.replace(Retention(), sweep_s=1.0)
    engine = Engine(place.with_settings(retention=quick).settings,
                    Surroundings(clock=place.clock, environ=place.environ))
    engine.start().result()
    try:
        engine.submit(lambda s: say(s)).result()
        place.clock.pass_s(DAY)
        for _ in range(100):
            time.sleep(0.1)
            left = engine.submit(lambda s: s.connection.execute(
                "SELECT (SELECT count(*) FROM item) + (SELECT count(*) FROM interaction)"
            ).fetchone()[0]).result()
            if not left:
                break
        assert left == 0 and not list(place.memory.rglob("*.key"))
    finally:
        engine.stop()

"""Four ways a store may not open are four errors, and none of them changes a byte."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from typing import Any

import pytest

from agent.store import (
    ContextStore,
    DamagedStoreError,
    ForeignFileError,
    KeyMissingError,
    NewerStoreError,
    NewItem,
    NotInstalledError,
    StoreError,
    WrongKeyError,
    interactions,
    sentinel,
)
from agent.store.connection import PAGE_SIZE, log_path


@pytest.fixture
def filled(place: Any) -> Any:
    with place.open() as session:
        for turn in range(30):
            interactions.append(session, "d1", turn, "utterance", [NewItem("said", "x" * 200)])
    return place


def refusal(place: Any) -> Any:
    """The error of opening, once it is sure that nothing was changed."""
    before = place.files()
    with pytest.raises(StoreError) as refused:
        place.session()
    assert place.files() == before
    assert refused.value.mend
    return type(refused.value)


def flip(path: Any, at: Any) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(bytes(data))


def test_a_wrong_key(filled: Any) -> None:
    filled.settings.key_path.write_text(f"voice-agent root key 1\ncurrent {'22' * 32}\n")
    assert refusal(filled) is WrongKeyError


def test_a_new_install_beside_an_old_store(filled: Any) -> None:
    filled.settings.key_path.unlink()
    assert refusal(filled) is KeyMissingError


@pytest.mark.parametrize("at", [0, 15, 16, 700, PAGE_SIZE - 90, PAGE_SIZE - 1])
def test_a_damaged_first_page(filled: Any, at: Any) -> None:
    flip(filled.path, at)
    assert refusal(filled) is DamagedStoreError


def test_a_first_page_that_was_never_written(filled: Any) -> None:
    data = bytearray(filled.path.read_bytes())
    data[:PAGE_SIZE] = bytes(PAGE_SIZE)
    filled.path.write_bytes(bytes(data))
    assert refusal(filled) is DamagedStoreError


@pytest.mark.parametrize("pages", [1, 3])
def test_a_file_cut_at_a_page(filled: Any, pages: Any) -> None:
    os.truncate(filled.path, filled.path.stat().st_size - pages * PAGE_SIZE)
    assert refusal(filled) is DamagedStoreError


@pytest.mark.parametrize("size", [0, 1, 100, PAGE_SIZE - 1])
def test_a_file_cut_within_its_first_page(filled: Any, size: Any) -> None:
    os.truncate(filled.path, size)
    assert refusal(filled) is DamagedStoreError


def test_a_plain_sqlite_database_in_its_place(filled: Any) -> None:
    filled.path.unlink()
    with sqlite3.connect(filled.path) as other:
        other.execute("CREATE TABLE x(y)")
    other.close()
    assert refusal(filled) is ForeignFileError


def test_some_other_encrypted_file_in_its_place(filled: Any) -> None:
    filled.path.write_bytes(os.urandom(8 * PAGE_SIZE))
    assert refusal(filled) is ForeignFileError


@pytest.mark.parametrize("content", [b"", b"hello", os.urandom(4 * PAGE_SIZE)])
def test_a_file_that_was_there_before_any_store(place: Any, content: Any) -> None:
    place.settings.directory.mkdir()
    place.path.write_bytes(content)
    place.settings.key_path.write_text(f"voice-agent root key 1\ncurrent {'33' * 32}\n")
    place.settings.key_path.chmod(0o600)
    assert refusal(place) is ForeignFileError


def test_a_log_without_its_database(filled: Any) -> None:
    filled.path.unlink()
    log_path(filled.path).write_bytes(b"x" * 100)
    assert refusal(filled) is DamagedStoreError


def test_a_store_of_a_later_version(filled: Any) -> None:
    with filled.open() as session:
        session.connection.execute("UPDATE meta SET schema = 99")
    assert refusal(filled) is NewerStoreError


def test_no_store_and_none_wanted(place: Any) -> None:
    with pytest.raises(NotInstalledError):
        place.session(create=False)
    assert not place.path.exists()


def test_a_lost_sentinel_is_made_again_when_the_key_opens_the_store(filled: Any) -> None:
    sentinel.path_of(filled.path).unlink()
    with filled.open() as session:
        assert len(interactions.open_rounds(session, "d1", 50)) == 30
    assert sentinel.read(filled.path).store_id == session.store_id


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", os.urandom(50),
                                     b'{"format": 1, "slots": 3, "store": "x"}'])
def test_a_spoiled_sentinel_does_not_keep_the_store_closed(filled: Any, content: Any) -> None:
    sentinel.path_of(filled.path).write_bytes(content)
    with filled.open() as session:
        assert len(interactions.open_rounds(session, "d1", 50)) == 30


def test_what_is_left_of_an_unfinished_installation_is_no_store(place: Any) -> None:
    place.settings.directory.mkdir()
    place.path.with_name("context.db.new").write_bytes(b"half")
    with place.open() as session:
        assert interactions.get(session, "d1", 0) is None
    assert not place.path.with_name("context.db.new").exists()


def test_a_folder_that_cannot_be_made(place: Any, tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    broken = place.with_settings(directory=tmp_path / "file" / "state")
    with pytest.raises(StoreError) as refused:
        asyncio.run(ContextStore.open(broken.settings, broken.surroundings))
    assert "store.directory" in refused.value.mend


def test_a_crashed_store_opens_and_is_checked_in_full(filled: Any, tmp_path: Any) -> None:
    session = filled.session()
    interactions.append(session, "d2", 0, "utterance", [NewItem("said", "after")])
    image = filled.copy_to(tmp_path / "image")
    session.connection.close()
    with image.open() as session:
        assert [i.text for i in interactions.open_rounds(session, "d2", 1)] == ["after"]

"""The root key: where it comes from, when it is refused, and how it is replaced."""

from __future__ import annotations

import os
import secrets
from typing import Any

import pytest

from agent.store import (
    KeyMissingError,
    KeyRefusedError,
    NewItem,
    StoreFullError,
    WrongKeyError,
    guest,
    interactions,
    opening,
    replacing,
    roots,
    sentinel,
    verify,
)
from agent.store.connection import connect
from agent.store.roots import CREDENTIAL, NEXT_CREDENTIAL, Root


@pytest.fixture
def filled(place: Any) -> Any:
    with place.open() as session:
        for turn in range(20):
            interactions.append(session, "d1", turn, "utterance expect-speech",
                                [NewItem("said", f"text {turn}")])
    return place


@pytest.fixture
def credentials(tmp_path: Any) -> Any:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / CREDENTIAL).write_bytes(bytes(range(32)))
    return folder


def texts(place: Any, environ: Any = None) -> Any:
    session = place.session(**({"environ": environ} if environ else {}))
    try:
        return [i.text for i in interactions.open_rounds(session, "d1", 100)]
    finally:
        session.connection.close()


def opens(place: Any, root: Any) -> Any:
    connection = connect(place.path, root.database_key, "ro")
    try:
        return connection.execute("SELECT count(*) FROM interaction").fetchone()[0] >= 0
    except Exception:
        return False
    finally:
        connection.close()


ALL = [f"text {turn}" for turn in range(20)]


def test_the_key_file_is_made_once_for_its_owner_alone(filled: Any) -> None:
    path = filled.settings.key_path
    assert path.stat().st_mode & 0o777 == 0o600
    before = path.read_bytes()
    assert texts(filled) == ALL and path.read_bytes() == before
    assert all(p.stat().st_mode & 0o077 == 0 for p in filled.settings.directory.iterdir())


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_file_that_others_may_read_is_refused(filled: Any, mode: Any) -> None:
    filled.settings.key_path.chmod(mode)
    with pytest.raises(KeyRefusedError) as refused:
        filled.session()
    assert "chmod 600" in refused.value.mend


def test_a_key_file_that_is_a_link_is_refused(filled: Any, tmp_path: Any) -> None:
    elsewhere = tmp_path / "elsewhere"
    filled.settings.key_path.rename(elsewhere)
    filled.settings.key_path.symlink_to(elsewhere)
    with pytest.raises(KeyRefusedError):
        filled.session()


@pytest.mark.parametrize("content", [
    b"", b"hello", b"voice-agent root key 1\n", b"voice-agent root key 1\ncurrent 00ff\n",
    b"voice-agent root key 1\ncurrent " + b"zz" * 32 + b"\n", os.urandom(96),
    b"voice-agent root key 1\ncurrent " + b"00" * 32 + b"\nthird " + b"00" * 32 + b"\n"])
def test_a_file_that_is_no_key_is_refused_without_showing_it(filled: Any, content: Any) -> None:
    filled.settings.key_path.write_bytes(content)
    with pytest.raises(KeyRefusedError) as refused:
        filled.session()
    assert "zzzzzzzz" not in str(refused.value)


def test_a_missing_key_beside_a_store_is_an_error_and_none_is_made(filled: Any) -> None:
    filled.settings.key_path.unlink()
    with pytest.raises(KeyMissingError):
        filled.session()
    assert not filled.settings.key_path.exists()


@pytest.mark.parametrize("form", [bytes, lambda k: k.hex().encode(),
                                  lambda k: k.hex().encode() + b"\n"])
def test_a_systemd_credential_comes_first(place: Any, credentials: Any, form: Any) -> None:
    (credentials / CREDENTIAL).write_bytes(form(bytes(range(32))))
    environ = {**place.environ, "CREDENTIALS_DIRECTORY": str(credentials)}
    with place.open(environ=environ) as session:
        assert session.root == Root(bytes(range(32)))
    assert not place.settings.key_path.exists()


def test_a_credential_that_is_no_key_is_refused(place: Any, credentials: Any) -> None:
    (credentials / CREDENTIAL).write_bytes(b"short")
    with pytest.raises(KeyRefusedError):
        place.session(environ={**place.environ, "CREDENTIALS_DIRECTORY": str(credentials)})


def test_other_credentials_do_not_hide_the_key_file(filled: Any, credentials: Any) -> None:
    (credentials / CREDENTIAL).unlink()
    assert texts(filled, {**filled.environ, "CREDENTIALS_DIRECTORY": str(credentials)}) == ALL


def test_rotation_keeps_every_text_and_forgets_the_old_key(filled: Any) -> None:
    old = roots.load(filled.settings.key_path, {}).current
    replacing.rotate(filled.settings, clock=filled.clock, environ=filled.environ)
    found = roots.load(filled.settings.key_path, {})
    assert found.next is None and found.current != old
    assert not opens(filled, old) and opens(filled, found.current)
    assert texts(filled) == ALL
    assert [s.check for s in sentinel.read(filled.path).slots] == [found.current.check]
    with filled.open() as session:
        verify.in_full(session.connection, session.path)


def test_rotation_with_a_credential_needs_a_second_one(place: Any, credentials: Any) -> None:
    environ = {**place.environ, "CREDENTIALS_DIRECTORY": str(credentials)}
    with place.open(environ=environ) as session:
        interactions.append(session, "d1", 0, "utterance", [NewItem("said", "hello")])
    with pytest.raises(KeyRefusedError) as refused:
        replacing.rotate(place.settings, clock=place.clock, environ=environ)
    assert NEXT_CREDENTIAL in refused.value.mend
    (credentials / NEXT_CREDENTIAL).write_bytes(secrets.token_bytes(32))
    replacing.rotate(place.settings, clock=place.clock, environ=environ)
    assert texts(place, environ) == ["hello"]
    (credentials / CREDENTIAL).unlink()
    (credentials / NEXT_CREDENTIAL).rename(credentials / CREDENTIAL)
    assert texts(place, environ) == ["hello"]


def test_without_its_credential_a_store_is_not_taken_for_a_new_install(
        place: Any, credentials: Any
) -> None:
    with place.open(environ={**place.environ, "CREDENTIALS_DIRECTORY": str(credentials)}):
        pass
    before = place.files()
    with pytest.raises(KeyMissingError) as refused:
        place.session()
    assert "systemd-run" in refused.value.mend
    with pytest.raises(KeyMissingError):
        replacing.erase(place.settings, clock=place.clock, environ=place.environ)
    assert place.files() == before


def test_the_old_credential_alone_is_a_wrong_key_after_rotation(
        place: Any, credentials: Any
) -> None:
    environ = {**place.environ, "CREDENTIALS_DIRECTORY": str(credentials)}
    with place.open(environ=environ):
        pass
    (credentials / NEXT_CREDENTIAL).write_bytes(secrets.token_bytes(32))
    replacing.rotate(place.settings, clock=place.clock, environ=environ)
    (credentials / NEXT_CREDENTIAL).unlink()
    with pytest.raises(WrongKeyError):
        place.session(environ=environ)


def test_a_rotation_without_room_leaves_the_old_key_in_force(filled: Any, monkeypatch: Any) -> None:
    before = roots.load(filled.settings.key_path, {}).current

    def full(*_: Any) -> None:
        raise StoreFullError("no room")
    monkeypatch.setattr(opening, "_copy", full)
    with pytest.raises(StoreFullError):
        replacing.rotate(filled.settings, clock=filled.clock, environ=filled.environ)
    monkeypatch.undo()
    assert roots.load(filled.settings.key_path, {}).all == (before,)
    assert texts(filled) == ALL
    assert not opening.unfinished(filled.path).exists()


def test_status_says_where_the_key_is_and_whether_it_opens_the_store(filled: Any) -> None:
    status = guest.key_status(filled.settings, filled.environ)
    assert (status.origin, status.slots, status.store) == ("file", 1, "open")
    assert status.epoch_folder.startswith(str(filled.memory))
    filled.settings.key_path.chmod(0o644)
    assert guest.key_status(filled.settings, filled.environ).store == "KeyRefusedError"


def test_status_of_a_wrong_key_and_of_no_store(filled: Any, tmp_path: Any) -> None:
    key = filled.settings.key_path
    key.write_text(f"voice-agent root key 1\ncurrent {'11' * 32}\n")
    assert guest.key_status(filled.settings, filled.environ).store == "WrongKeyError"
    empty = filled.with_settings(directory=tmp_path / "empty")
    assert guest.key_status(empty.settings, filled.environ).store == "none"


def test_no_key_is_shown_by_a_repr_or_an_error(filled: Any) -> None:
    found = roots.load(filled.settings.key_path, {})
    secret = found.current.secret
    shown = repr(found) + repr(guest.key_status(filled.settings, filled.environ))
    assert secret.hex() not in shown and repr(secret) not in shown

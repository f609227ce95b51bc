"""The DynamoDB backend against the documented rules and DynamoDB's own engine.

Conditions, tokens, pages, and what errors mean.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sync import tables
from agent.sync.credentials import make_client
from agent.sync.diagnosis import named
from agent.sync.dynamodb import DynamoDb
from agent.sync.faults import CloudError, ConditionError, Kind
from agent.sync.records import Delete, Put, Record
from agent.sync.settings import Settings
from tests.sync.conftest import make_tables, shared_client, sync_settings
from tests.sync.table_server import TableServer

HOUSE = "0123456789abcdef" * 2


@pytest.fixture(params=["documented rules", "DynamoDB Local"])
def backend(request: Any, credentials: Path) -> Iterator[DynamoDb]:
    own = request.param == "documented rules"
    endpoint = request.getfixturevalue("table_server" if own else "dynamodb_local")
    given_settings = sync_settings(endpoint.endpoint if own else endpoint, credentials,
                                   region="local" if own else "us-east-1",
                                   tables=f"t{secrets.token_hex(4)}")
    make_tables(given_settings)
    yield DynamoDb(given_settings, HOUSE, client=shared_client)
    for name in ("interaction", "item"):
        shared_client(given_settings).delete_table(TableName=given_settings.table(name))


def row(key: str = "a.1", version: int = 1, op: str = "op1", expires: int = 0,
        **blobs: bytes) -> Record:
    return Record("interaction", key, version, op, expires, blobs=blobs or {"row": b"\x00\xff"})


def token() -> str:
    return secrets.token_hex(16)


def test_what_was_put_is_read_back(backend: DynamoDb) -> None:
    put = row(expires=int(time.time()) + 60, row=bytes(range(256)), text=b"k")
    backend.transact([Put(put), Put(Record("item", "a.1#x", 1, "o", 0, True, {}))], token())
    (found,) = backend.query("interaction", now=1)
    assert found == put
    assert backend.get("item", ["a.1#x", "a.1#y"]) == [Record("item", "a.1#x", 1, "o", 0, True)]


def test_nothing_is_written_over_unseen(backend: DynamoDb) -> None:
    backend.transact([Put(row())], token())
    with pytest.raises(ConditionError) as met:
        backend.transact([Put(row("a.2")), Put(row(version=2, op="op2"))], token())
    assert list(met.value.reasons) == [1]
    assert met.value.reasons[1].found == row()
    assert [r.key for r in backend.query("interaction")] == ["a.1"]  # all or none
    backend.transact([Put(row(version=2, op="op2"), replaces="op1")], token())
    with pytest.raises(ConditionError):
        backend.transact([Put(row(version=3, op="op3"), replaces="op1")], token())
    with pytest.raises(ConditionError):
        backend.transact([Put(row(version=1, op="op3"), replaces="op2")], token())


def test_one_token_is_carried_out_once(backend: DynamoDb) -> None:
    same = token()
    backend.transact([Put(row())], same)
    backend.transact([Put(row())], same)
    with pytest.raises(CloudError) as other:
        backend.transact([Put(row("a.9"))], same)
    assert other.value.kind is Kind.INVALID
    assert "Idempotent" in other.value.what


def test_deleting_what_is_not_there_is_no_error(backend: DynamoDb) -> None:
    backend.transact([Put(row()), Delete("item", "a.1#x")], token())
    backend.transact([Delete("interaction", "a.1")], token())
    assert backend.query("interaction") == []


def test_a_query_reads_all_pages_within_its_bounds_and_nothing_expired(backend: DynamoDb) -> None:
    now = int(time.time())
    many = [row(f"{n:03d}.x", expires=now + (60 if n % 2 else -60), row=b"x" * 60_000)
            for n in range(60)]
    for start in range(0, 60, 20):
        backend.transact([Put(r) for r in many[start:start + 20]], token())
    found = backend.query("interaction", "010", "039.~", now)
    assert [r.key for r in found] == [f"{n:03d}.x" for n in range(11, 40, 2)]
    assert len(backend.query("interaction", now=now)) == 30
    # The service may have removed what has expired, or not yet.
    assert {r.key for r in many if r.expires > now} <= {r.key for r in backend.query("interaction")}


def test_many_keys_are_read_in_lots(backend: DynamoDb) -> None:
    items = [Record("item", f"k{n}", 1, "o", 0, blobs={"text": b"t"}) for n in range(250)]
    for start in range(0, 250, 100):
        backend.transact([Put(i) for i in items[start:start + 100]], token())
    before = backend.requests
    assert {r.key for r in backend.get("item", [i.key for i in items])} == {i.key for i in items}
    assert backend.requests - before == 3


def test_too_large_a_row_is_invalid(backend: DynamoDb) -> None:
    with pytest.raises(CloudError) as error:
        backend.transact([Put(row(row=b"x" * 500_000))], token())
    assert error.value.kind is Kind.INVALID


def test_another_household_is_never_asked_for(backend: DynamoDb) -> None:
    backend.transact([Put(row())], token())
    other = DynamoDb(backend._settings, "f" * 32, client=shared_client)
    assert other.query("interaction") == [] and other.get("interaction", ["a.1"]) == []


@pytest.mark.parametrize(("content", "mode", "words"), [
    (None, 0o600, "cannot read"), ("", 0o600, "no credentials"), ("[other]\n", 0o600, "profile"),
    ("[default]\naws_access_key_id = x\n", 0o600, "Partial"), ("\x00[", 0o600, ""),
    ("[default]\naws_access_key_id=a\naws_secret_access_key=b\n", 0o644, "others can read")])
def test_bad_credentials_are_named(tmp_path: Path, content: str | None, mode: int,
                                   words: str) -> None:
    path = tmp_path / "creds"
    if content is not None:
        path.write_text(content)
        path.chmod(mode)
    with pytest.raises(CloudError) as error:
        make_client(Settings(enabled=True, region="local", endpoint="http://127.0.0.1:1",
                             credentials=path))
    assert error.value.kind is Kind.CREDENTIALS and words in error.value.what
    assert error.value.mend


def test_no_region_is_named(credentials: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(credentials.parent / "none"))
    with pytest.raises(CloudError) as error:
        make_client(Settings(enabled=True, credentials=credentials))
    assert error.value.kind is Kind.REGION


class AnswerError(Exception):
    """As botocore's ClientError carries an answer."""

    def __init__(self, code: str, status: int) -> None:
        self.response = {"Error": {"Code": code, "Message": "words of somebody"},
                         "ResponseMetadata": {"HTTPStatusCode": status}}


@given(st.text(max_size=40), st.integers(0, 600))
@settings(max_examples=100, deadline=None)
def test_any_answer_of_a_service_has_a_name(code: str, status: int) -> None:
    found = named(AnswerError(code, status))
    assert found.what and found.mend and "words of somebody" not in str(found)


@given(st.dictionaries(st.sampled_from(["household", "name", "version", "op", "expires",
                                        "deleted", "row"]),
                       st.dictionaries(st.sampled_from(["S", "N", "B", "BOOL", "M"]),
                                       st.one_of(st.text(max_size=5), st.binary(max_size=5),
                                                 st.integers(), st.none()), max_size=2)))
@settings(max_examples=100, deadline=None)
def test_any_row_of_a_table_is_a_record_or_malformed(attributes: Any) -> None:
    try:
        found = tables.to_record("item", attributes)
    except tables.MalformedRecordError:
        return
    assert found.key == attributes["name"]["S"]


def test_a_log_of_everything_holds_no_request(table_server: TableServer, credentials: Path,
                                              caplog: pytest.LogCaptureFixture) -> None:
    """Not even sealed, and nothing of what signs it."""
    caplog.set_level("DEBUG")
    client = make_client(sync_settings(table_server.endpoint, credentials))
    client.list_tables()
    assert "AKIDTEST" not in caplog.text
    assert not [record for record in caplog.records
                if record.name.split(".")[0] in ("boto3", "botocore", "urllib3")]

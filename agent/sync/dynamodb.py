"""A household's rows in two DynamoDB tables."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

from agent.sync import tables
from agent.sync.credentials import make_client
from agent.sync.diagnosis import fault, named
from agent.sync.faults import PERSONAL, CloudError, ConditionError, Kind, Reason
from agent.sync.records import Action, Delete, Put, Record, Table
from agent.sync.settings import Settings

T = TypeVar("T")

KEYS_A_GET = 100
"""What BatchGetItem takes."""
PAGES = 200
"""Pages a query follows at most: 200 MB of a household's rows."""


class DynamoDb:
    """A ``Backend``; the client is made at the first call, and anew after a credential error.

    Args:
        settings: Where the tables are and whose credentials to use.
        household: The partition key; the only one that is ever asked for.
        on_date: Told the ``Date`` header of every answer.
        client: Makes the client; tests replace it.
    """

    def __init__(self, settings: Settings, household: str,
                 on_date: Callable[[str], None] = lambda date: None,
                 client: Callable[[Settings], Any] = make_client) -> None:
        self._settings = settings
        self._household = household
        self._on_date = on_date
        self._make_client = client
        self._client: Any = None
        self._made_of: Any = None
        self._doubted = False
        self._lock = threading.Lock()
        self.requests = 0
        """Requests made so far."""

    def transact(self, actions: Sequence[Action], token: str) -> None:
        """See ``Backend.transact``; one TransactWriteItems."""
        wanted = [self._action(action) for action in actions]
        try:
            self._call(lambda c: c.transact_write_items(TransactItems=wanted,
                                                        ClientRequestToken=token))
        except _Cancelled as error:
            raise self._cancelled(actions, error.reasons) from None

    def query(self, table: Table, low: str = "", high: str = "",
              now: int = 0) -> Sequence[Record]:
        """See ``Backend.query``; Query with ConsistentRead, as many pages as it takes."""
        asked = self._query(table, low, high, now)
        found: list[Record] = []
        for _ in range(PAGES):
            answer = self._call(lambda c: c.query(**asked))
            found += _records(table, answer.get("Items", ()))
            if not answer.get("LastEvaluatedKey"):
                break
            asked["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        # The service's filter is not relied on: what has expired is not there.
        return [record for record in found if not record.expires or record.expires > now]

    def get(self, table: Table, keys: Sequence[str]) -> Sequence[Record]:
        """See ``Backend.get``; BatchGetItem with ConsistentRead."""
        full, found = self._settings.table(table), []
        for start in range(0, len(keys), KEYS_A_GET):
            left: Any = {full: {
                "Keys": [tables.key_of(self._household, k) for k in keys[start:start + KEYS_A_GET]],
                "ConsistentRead": True}}
            while left:
                answer = self._call(partial(_batch_get, left))
                some = _records(table, answer.get("Responses", {}).get(full, ()))
                left = answer.get("UnprocessedKeys")
                if left and not some:
                    raise fault(Kind.THROTTLED, "UnprocessedKeys")
                found += some
        return found

    # --- inside ---------------------------------------------------------------------------------

    def _action(self, action: Action) -> dict[str, Any]:
        if isinstance(action, Delete):
            return {"Delete": {"TableName": self._settings.table(action.table),
                               "Key": tables.key_of(self._household, action.key)}}
        record = action.record
        put: dict[str, Any] = {
            "TableName": self._settings.table(record.table),
            "Item": tables.to_attributes(self._household, record),
            "ExpressionAttributeNames": {"#n": tables.SORT},
            "ConditionExpression": "attribute_not_exists(#n)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if action.replaces is not None:
            put["ExpressionAttributeNames"] = {"#o": tables.OP, "#v": tables.VERSION}
            put["ConditionExpression"] = "#o = :seen AND #v <= :version"
            put["ExpressionAttributeValues"] = {":seen": {"S": action.replaces},
                                                ":version": {"N": str(record.version)}}
        return {"Put": put}

    def _query(self, table: Table, low: str, high: str, now: int) -> dict[str, Any]:
        names, values = {"#h": tables.PARTITION}, {":h": {"S": self._household}}
        condition = "#h = :h"
        if low or high:
            names["#n"] = tables.SORT
            values[":low"], values[":high"] = {"S": low or " "}, {"S": high or "~"}
            condition += " AND #n BETWEEN :low AND :high"
        asked: dict[str, Any] = {
            "TableName": self._settings.table(table), "ConsistentRead": True,
            "KeyConditionExpression": condition, "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values}
        if now:
            names["#x"], values[":now"] = tables.EXPIRES, {"N": str(now)}
            asked["FilterExpression"] = "attribute_not_exists(#x) OR #x > :now"
        return asked

    def _call(self, call: Callable[[Any], Mapping[str, Any]]) -> Mapping[str, Any]:
        try:
            self.requests += 1
            answer = call(self._ready())
        except CloudError as error:
            self._doubt(error)
            raise
        except Exception as error:
            self._note(getattr(error, "response", None))
            reasons = _reasons(error)
            if reasons is not None:
                raise _Cancelled(reasons) from None
            found = named(error)
            self._doubt(found)
            raise found from None
        self._note(answer)
        return answer

    def _ready(self) -> Any:
        with self._lock:
            if self._client is None or (self._doubted and self._made_of != self._origin()):
                self._made_of = self._origin()
                self._client = self._make_client(self._settings)
            self._doubted = False
            return self._client

    def _origin(self) -> object:
        """What the credentials come from, so that a client is made anew only if that changed.

        Making one costs the whole agent tens of milliseconds. Of boto3's usual places it is not
        known whether they changed.
        """
        path = self._settings.credentials
        try:
            return path.stat().st_mtime_ns if path else object()
        except OSError:
            return object()

    def _doubt(self, error: CloudError) -> None:
        # New credentials are read by a new client only.
        if error.kind in PERSONAL:
            with self._lock:
                self._doubted = True

    def _note(self, response: Any) -> None:
        if isinstance(response, dict):
            date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
            if date:
                self._on_date(str(date))

    def _cancelled(self, actions: Sequence[Action], reasons: Sequence[Any]) -> CloudError:
        failed: dict[int, Reason] = {}
        for index, reason in enumerate(reasons[:len(actions)]):
            code, action = str(reason.get("Code", "None")), actions[index]
            if code == "None":
                continue
            found = None
            if reason.get("Item") and isinstance(action, Put):
                found = _records(action.record.table, [reason["Item"]])
            failed[index] = Reason(code, found[0] if found else None)
        codes = {reason.code for reason in failed.values()}
        for code in ("ValidationError", "ItemCollectionSizeLimitExceeded"):
            if code in codes:
                return fault(Kind.INVALID, code)
        if "ConditionalCheckFailed" in codes:
            return ConditionError(failed)
        if codes & {"ProvisionedThroughputExceeded", "ThrottlingError"}:
            return fault(Kind.THROTTLED, "TransactionCanceled")
        return fault(Kind.CONFLICT, "TransactionCanceled")


def _batch_get(wanted: Any, client: Any) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = client.batch_get_item(RequestItems=wanted)
    return answer


class _Cancelled(Exception):  # noqa: N818  # never leaves this file
    """TransactionCanceledException with its reasons."""

    def __init__(self, reasons: Sequence[Any]) -> None:
        super().__init__("cancelled")
        self.reasons = reasons


def _reasons(error: Exception) -> Sequence[Any] | None:
    response: Any = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    if response.get("Error", {}).get("Code") != "TransactionCanceledException":
        return None
    return list(response.get("CancellationReasons", ()))


def _records(table: Table, rows: Sequence[Any]) -> list[Record]:
    """The rows that are ours; what is malformed is handed on as a record that no key opens."""
    found = []
    for row in rows:
        try:
            found.append(tables.to_record(table, row))
        except tables.MalformedRecordError:
            name = row.get(tables.SORT, {}).get("S", "")
            found.append(Record(table, name, 0, "", 0))
    return found

"""The tables of the table service for tests, and the rules of its operations."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
import time
from typing import Any

from tests.sync.table_expressions import Expression, Item, ServiceError, expression

PAGE_BYTES = 1 << 20
ITEM_BYTES = 400 * 1024
TOKEN_S = 600.0


class Table:
    def __init__(self, definition: dict[str, Any]) -> None:
        schema = {part["KeyType"]: part["AttributeName"] for part in definition["KeySchema"]}
        kinds = {a["AttributeName"]: a["AttributeType"]
                 for a in definition["AttributeDefinitions"]}
        if set(kinds) != set(schema.values()):
            raise ServiceError("ValidationException", "attribute definitions do not fit the keys")
        self.definition = definition
        self.hash, self.range = schema["HASH"], schema.get("RANGE")
        self.kinds = kinds
        self.ttl: str | None = None
        self.parts: dict[str, dict[str, Item]] = {}

    def place(self, key: Item, exact: bool = False) -> tuple[str, str]:
        names = [n for n in (self.hash, self.range) if n]
        for name in names:
            value = key.get(name)
            if not isinstance(value, dict) or set(value) != {self.kinds[name]}:
                raise ServiceError("ValidationException",
                                   "The provided key element does not match the schema")
            if not value[self.kinds[name]]:
                raise ServiceError("ValidationException", "a key must not be empty")
        if exact and set(key) != set(names):
            raise ServiceError("ValidationException",
                               "The provided key element does not match the schema")
        return str(key[self.hash][self.kinds[self.hash]]), (
            str(key[self.range][self.kinds[self.range]]) if self.range else "")

    def get(self, place: tuple[str, str]) -> Item | None:
        return self.parts.get(place[0], {}).get(place[1])

    def put(self, place: tuple[str, str], item: Item | None) -> None:
        part = self.parts.setdefault(place[0], {})
        if item is None:
            part.pop(place[1], None)
        else:
            part[place[1]] = item

    @property
    def items(self) -> list[Item]:
        return [item for part in self.parts.values() for item in part.values()]


def size_of(item: Item) -> int:
    total = 0
    for name, value in item.items():
        ((kind, data),) = value.items()
        total += len(name.encode())
        total += (len(base64.b64decode(data, validate=True)) if kind == "B"
                  else len(str(data).encode()))
    return total



class Service:
    """The tables and the rules; every call under one lock."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.tokens: dict[str, tuple[float, str]] = {}
        self.lock = threading.RLock()
        self.counts: dict[str, int] = {}

    def call(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        method = getattr(self, "do_" + operation, None)
        if method is None:
            raise ServiceError("UnknownOperationException", operation)
        with self.lock:
            self.counts[operation] = self.counts.get(operation, 0) + 1
            answer: dict[str, Any] = method(body)
            return answer

    def table(self, name: str) -> Table:
        if name not in self.tables:
            raise ServiceError("ResourceNotFoundException", "Requested resource not found")
        return self.tables[name]

    def do_CreateTable(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        if body["TableName"] in self.tables:
            raise ServiceError("ResourceInUseException", "Table already exists")
        self.tables[body["TableName"]] = Table(body)
        return {"TableDescription": self.describe(body["TableName"])}

    def describe(self, name: str) -> dict[str, Any]:
        table = self.table(name)
        return {"TableName": name, "TableStatus": "ACTIVE",
                "KeySchema": table.definition["KeySchema"],
                "AttributeDefinitions": table.definition["AttributeDefinitions"],
                "BillingModeSummary": {"BillingMode": table.definition.get(
                    "BillingMode", "PROVISIONED")},
                "ItemCount": len(table.items),
                "TableArn": f"arn:aws:dynamodb:local:000000000000:table/{name}"}

    def do_DescribeTable(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"Table": self.describe(body["TableName"])}

    def do_ListTables(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {"TableNames": sorted(self.tables)}

    def do_DeleteTable(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        described = self.describe(body["TableName"])
        del self.tables[body["TableName"]]
        return {"TableDescription": described}

    def do_UpdateTimeToLive(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        given = body["TimeToLiveSpecification"]
        table = self.table(body["TableName"])
        if given["Enabled"] and table.ttl:
            raise ServiceError("ValidationException", "TimeToLive is already enabled")
        table.ttl = given["AttributeName"] if given["Enabled"] else None
        return {"TimeToLiveSpecification": given}

    def do_DescribeTimeToLive(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        ttl = self.table(body["TableName"]).ttl
        found: dict[str, Any] = {"TimeToLiveStatus": "ENABLED" if ttl else "DISABLED"}
        if ttl:
            found["AttributeName"] = ttl
        return {"TimeToLiveDescription": found}

    def do_GetItem(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.table(body["TableName"])
        found = table.get(table.place(body["Key"], exact=True))
        return {"Item": found} if found else {}

    def do_PutItem(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.transact([{"Put": body}])
        return {}

    def do_DeleteItem(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self.transact([{"Delete": body}])
        return {}

    def do_BatchGetItem(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        asked = [(name, key) for name, spec in body["RequestItems"].items()
                 for key in spec["Keys"]]
        if not 1 <= len(asked) <= 100:
            raise ServiceError("ValidationException", "Too many items requested")
        found: dict[str, list[Item]] = {name: [] for name in body["RequestItems"]}
        seen = set()
        for name, key in asked:
            place = self.table(name).place(key, exact=True)
            if (name, place) in seen:
                raise ServiceError("ValidationException", "Provided list of item keys contains "
                                   "duplicates")
            seen.add((name, place))
            item = self.table(name).get(place)
            if item:
                found[name].append(item)
        return {"Responses": found, "UnprocessedKeys": {}}

    def do_Query(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        table = self.table(body["TableName"])
        names, values = body.get("ExpressionAttributeNames", {}), body["ExpressionAttributeValues"]
        condition = Expression(body["KeyConditionExpression"], names, values)
        keep = expression(body, "FilterExpression", shared=True)
        used = condition.used | (keep.used if keep else set())
        if {*names, *values} - used:
            raise ServiceError("ValidationException", "unused in expressions")
        after = table.place(body["ExclusiveStartKey"])[1] if "ExclusiveStartKey" in body else None
        partition = self.partition(body, table)
        matched = [item for name, item in sorted(table.parts.get(partition, {}).items(),
                                                 key=lambda pair: pair[0].encode())
                   if condition.judge(item) and (after is None or name.encode() > after.encode())]
        page, size = [], 0
        for item in matched:
            page.append(item)
            size += size_of(item)
            if size > PAGE_BYTES or len(page) >= body.get("Limit", 1 << 30):
                break
        kept = [item for item in page if keep is None or keep.judge(item)]
        answer: dict[str, Any] = {"Items": kept, "Count": len(kept), "ScannedCount": len(page)}
        if len(page) < len(matched):
            answer["LastEvaluatedKey"] = {n: page[-1][n] for n in (table.hash, table.range) if n}
        return answer

    def partition(self, body: dict[str, Any], table: Table) -> str:
        names = {v: k for k, v in body.get("ExpressionAttributeNames", {}).items()}
        alias = names.get(table.hash, table.hash)
        found = re.search(rf"{re.escape(alias)}\s*=\s*(:\w+)", body["KeyConditionExpression"])
        if not found:
            raise ServiceError("ValidationException", "Query condition missed key schema element")
        return str(body["ExpressionAttributeValues"][found[1]][table.kinds[table.hash]])

    def do_Scan(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        items = self.table(body["TableName"]).items
        return {"Items": items, "Count": len(items)}

    def do_TransactWriteItems(self, body: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        token = body.get("ClientRequestToken")
        if token is not None:
            if not 1 <= len(token) <= 36:
                raise ServiceError("ValidationException", "ClientRequestToken is too long")
            digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
            at, before = self.tokens.get(token, (0.0, ""))
            if before and time.monotonic() - at < TOKEN_S:
                if before != digest:
                    raise ServiceError("IdempotentParameterMismatchException", "")
                return {}
        self.transact(body["TransactItems"])
        if token is not None:
            self.tokens[token] = (time.monotonic(), digest)
        return {}

    def transact(self, actions: list[dict[str, Any]]) -> None:
        if not 1 <= len(actions) <= 100:
            raise ServiceError("ValidationException", "Member must have length less than or "
                               "equal to 100")
        changes, reasons, places, total = [], [], set(), 0
        for action in actions:
            ((kind, call),) = action.items()
            table = self.table(call["TableName"])
            place = table.place(call["Item"] if kind == "Put" else call["Key"],
                                exact=kind != "Put")
            if (call["TableName"], place) in places:
                raise ServiceError("ValidationException", "Transaction request cannot include "
                                   "multiple operations on one item")
            places.add((call["TableName"], place))
            item = call.get("Item") if kind == "Put" else None
            if item is not None:
                total += size_of(item)
                if size_of(item) > ITEM_BYTES:
                    raise ServiceError("ValidationException",
                                       "Item size has exceeded the maximum allowed size")
            old = table.get(place)
            condition = expression(call, "ConditionExpression")
            if condition and not condition.judge(old or {}):
                reason: dict[str, Any] = {"Code": "ConditionalCheckFailed",
                                          "Message": "The conditional request failed"}
                if call.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and old:
                    reason["Item"] = old
                reasons.append(reason)
            else:
                reasons.append({"Code": "None"})
            if kind in ("Put", "Delete"):
                changes.append((table, place, item))
            elif kind != "ConditionCheck":
                raise ServiceError("ValidationException", f"{kind} is not known here")
        if total > 4 << 20:
            raise ServiceError("ValidationException", "Transaction request too large")
        if any(reason["Code"] != "None" for reason in reasons):
            raise ServiceError("TransactionCanceledException", "Transaction cancelled, please "
                               "refer cancellation reasons for specific reasons",
                               CancellationReasons=reasons)
        for table, place, item in changes:
            table.put(place, item)

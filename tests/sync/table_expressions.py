"""Condition, filter and key expressions of the table service for tests."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Item = dict[str, dict[str, Any]]


class ServiceError(Exception):
    def __init__(self, code: str, message: str = "", status: int = 400, **more: Any) -> None:
        super().__init__(code)
        self.code, self.message, self.status, self.more = code, message, status, more


TOKEN = re.compile(r"\s*(#\w+|:\w+|<=|>=|<>|=|<|>|\(|\)|,|\w+)")


class Expression:
    """``a = :b AND (attribute_not_exists(#c) OR d BETWEEN :e AND :f)``, by recursive descent."""

    def __init__(self, text: str, names: dict[str, str], values: dict[str, Any]) -> None:
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s+", "", text):
            raise ServiceError("ValidationException", "Invalid expression: syntax error")
        self.names, self.values, self.at = names, values, 0
        self.used: set[str] = set()
        self.judge = self.either()
        if self.at != len(self.tokens):
            raise ServiceError("ValidationException", "Invalid expression: syntax error")

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def next(self, wanted: str = "") -> str:
        token = self.peek()
        if not token or (wanted and token.upper() != wanted):
            raise ServiceError("ValidationException", "Invalid expression: syntax error")
        self.at += 1
        return token

    def either(self) -> Callable[[Item], bool]:
        parts = [self.both()]
        while self.peek().upper() == "OR":
            self.next()
            parts.append(self.both())
        return lambda item: any(part(item) for part in parts)

    def both(self) -> Callable[[Item], bool]:
        parts = [self.one()]
        while self.peek().upper() == "AND":
            self.next()
            parts.append(self.one())
        return lambda item: all(part(item) for part in parts)

    def one(self) -> Callable[[Item], bool]:
        token = self.peek()
        if token == "(":
            self.next()
            inner = self.either()
            self.next(")")
            return inner
        if token.lower() in ("attribute_exists", "attribute_not_exists", "begins_with"):
            return self.function(self.next().lower())
        left = self.operand()
        operator = self.next().upper()
        if operator == "BETWEEN":
            low = self.operand()
            self.next("AND")
            high = self.operand()
            return lambda item: compare("<=", low(item), left(item)) and compare(
                "<=", left(item), high(item))
        right = self.operand()
        return lambda item: compare(operator, left(item), right(item))

    def function(self, name: str) -> Callable[[Item], bool]:
        self.next("(")
        first = self.operand()
        if name == "begins_with":
            self.next(",")
            second = self.operand()
            self.next(")")
            return lambda item: str((first(item) or {}).get("S", "")).startswith(
                (second(item) or {})["S"])
        self.next(")")
        return lambda item: (first(item) is not None) == (name == "attribute_exists")

    def operand(self) -> Callable[[Item], Any]:
        token = self.next()
        if token.startswith(":"):
            if token not in self.values:
                raise ServiceError("ValidationException", f"{token} is not defined")
            self.used.add(token)
            value = self.values[token]
            return lambda item: value
        if token.startswith("#"):
            if token not in self.names:
                raise ServiceError("ValidationException", f"{token} is not defined")
            self.used.add(token)
            token = self.names[token]
        elif token.lower() in RESERVED:
            raise ServiceError("ValidationException", f"{token} is a reserved keyword")
        return lambda item: item.get(token)


RESERVED = {"name", "names", "value", "values", "timestamp", "ttl", "date", "status", "key"}


def compare(operator: str, left: Any, right: Any) -> bool:
    if left is None or right is None or set(left) != set(right):
        return operator == "<>" and left != right
    ((kind, a),), ((_, b),) = left.items(), right.items()
    if kind == "N":
        a, b = float(a), float(b)
    elif kind == "S":
        a, b = a.encode(), b.encode()
    return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def expression(call: dict[str, Any], key: str, shared: bool = False) -> Expression | None:
    if key not in call:
        return None
    made = Expression(call[key], call.get("ExpressionAttributeNames", {}),
                      call.get("ExpressionAttributeValues", {}))
    if not shared:
        every = {*made.names, *made.values}
        if every - made.used:
            raise ServiceError("ValidationException", "unused in expressions: "
                               + ", ".join(sorted(every - made.used)))
    return made

"""The CloudFormation template as this agent reads it: one source for tables and rights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("template.yaml")
TABLES = ("InteractionTable", "ItemTable")
POLICY = "DevicePolicy"
CREATED = ("TableName", "BillingMode", "AttributeDefinitions", "KeySchema")
"""Properties that CreateTable takes as they are."""


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table as the template describes it."""

    name: str
    properties: Mapping[str, Any] = field(repr=False)

    @property
    def creation(self) -> dict[str, Any]:
        """Arguments of CreateTable."""
        return {name: self.properties[name] for name in CREATED}

    @property
    def expiry(self) -> str:
        """The attribute that says when a row expires."""
        return str(self.properties["TimeToLiveSpecification"]["AttributeName"])

    @property
    def keys(self) -> tuple[tuple[str, str], ...]:
        """Names and types of the primary key, the partition first."""
        return tuple((k["AttributeName"], k["KeyType"]) for k in self.properties["KeySchema"])


@cache
def template() -> dict[str, Any]:
    """The template."""
    import yaml

    found: dict[str, Any] = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    return found


def tables(prefix: str) -> tuple[TableSpec, ...]:
    """The two tables.

    Args:
        prefix: What their names begin with.
    """
    found = []
    for name in TABLES:
        properties = _resolved(template()["Resources"][name]["Properties"],
                               {"TablePrefix": prefix})
        found.append(TableSpec(properties["TableName"], properties))
    return tuple(found)


def policy(prefix: str, household: str, region: str = "", account: str = "") -> dict[str, Any]:
    """The IAM policy of a household's devices.

    Args:
        prefix: What the tables' names begin with.
        household: The household's id.
        region: The tables' region; any when empty.
        account: The account's number; any when empty.
    """
    arn = f"arn:aws:dynamodb:{region or '*'}:{account or '*'}:table/"
    values = {"TablePrefix": prefix, "HouseholdId": household}
    values |= {f"{name}.Arn": arn + spec.name
               for name, spec in zip(TABLES, tables(prefix), strict=True)}
    document: dict[str, Any] = _resolved(
        template()["Resources"][POLICY]["Properties"]["PolicyDocument"], values)
    return document


def _resolved(node: Any, values: Mapping[str, str]) -> Any:
    """A part of the template with its functions carried out."""
    if isinstance(node, list):
        return [_resolved(part, values) for part in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return values[node["Ref"]]
    if set(node) == {"Fn::GetAtt"}:
        return values[".".join(node["Fn::GetAtt"])]
    if set(node) == {"Fn::Sub"}:
        return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], node["Fn::Sub"])
    return {name: _resolved(part, values) for name, part in node.items()}

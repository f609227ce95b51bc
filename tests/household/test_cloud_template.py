"""The CloudFormation template: what it makes, and whether rights fit what devices call."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from agent.sync import dynamodb, tables
from agent.sync.cloud import template
from agent.sync.settings import Settings

SOURCE = yaml.safe_load(template.PATH.read_text(encoding="utf-8"))
RESOURCES = SOURCE["Resources"]
CALLS = {
    "query": {"dynamodb:Query"},
    "batch_get_item": {"dynamodb:BatchGetItem"},
    "transact_write_items": set(),
}
"""Permissions of the requests that the backend makes (service authorization reference)."""
PARTS = {"Put": "dynamodb:PutItem", "Delete": "dynamodb:DeleteItem",
         "Update": "dynamodb:UpdateItem", "ConditionCheck": "dynamodb:ConditionCheckItem"}
"""Permissions of a transaction's actions (developer guide, «Using IAM with transactions»)."""


@pytest.mark.parametrize("name", template.TABLES)
def test_a_table_is_on_demand_expires_and_keeps_no_backups(name):
    assert RESOURCES[name]["Type"] == "AWS::DynamoDB::Table"
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    properties = RESOURCES[name]["Properties"]
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["TimeToLiveSpecification"] == {"AttributeName": tables.EXPIRES,
                                                     "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": False}
    assert properties["KeySchema"] == [
        {"AttributeName": tables.PARTITION, "KeyType": "HASH"},
        {"AttributeName": tables.SORT, "KeyType": "RANGE"}]
    assert {a["AttributeName"]: a["AttributeType"]
            for a in properties["AttributeDefinitions"]} == {tables.PARTITION: "S",
                                                             tables.SORT: "S"}


def test_the_tables_are_those_that_devices_use():
    settings = Settings(tables="home")
    assert [spec.name for spec in template.tables("home")] == [
        settings.table(name) for name in tables.TABLES]


def requests_of(path: Path) -> set[str]:
    """Names of client methods that a module calls."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            found.add(node.func.attr)
    return found


def test_the_policy_allows_exactly_what_the_backend_calls():
    path = Path(dynamodb.__file__)
    source = path.read_text(encoding="utf-8")
    known = {"get_item", "put_item", "update_item", "delete_item", "scan", "batch_write_item",
             "transact_get_items", "describe_table", *CALLS}
    called = requests_of(path) & known
    needed = set().union(*(CALLS[name] for name in called))
    needed |= {action for part, action in PARTS.items() if f'"{part}": ' in source}
    (statement,) = template.policy("voice-agent", "0" * 32)["Statement"]
    assert statement["Effect"] == "Allow"
    assert set(statement["Action"]) == needed


def test_the_policy_is_kept_to_one_household_and_two_tables():
    household = "0123456789abcdef" * 2
    (statement,) = template.policy("home", household)["Statement"]
    condition = statement["Condition"]
    assert condition["ForAllValues:StringEquals"] == {"dynamodb:LeadingKeys": [household]}
    # ForAllValues is true of no values, so the key must be there as well.
    assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}
    assert all(re.fullmatch(r"arn:aws:dynamodb:\*:\*:table/home-(interaction|item)", arn)
               for arn in statement["Resource"])
    assert "*" not in statement["Action"]


def test_parameters_are_checked_by_the_template_itself():
    prefix, household = (SOURCE["Parameters"][name] for name in ("TablePrefix", "HouseholdId"))
    assert re.fullmatch(prefix["AllowedPattern"], prefix["Default"]) and (
        prefix["Default"] == Settings().tables)
    assert re.fullmatch(household["AllowedPattern"], "")
    assert re.fullmatch(household["AllowedPattern"], "0" * 32)
    assert not re.fullmatch(household["AllowedPattern"], "*")
    assert RESOURCES["DevicePolicy"]["Condition"] in SOURCE["Conditions"]


def test_every_reference_leads_somewhere():
    known = {*RESOURCES, *SOURCE["Parameters"]}

    def look(node):
        if isinstance(node, list):
            for part in node:
                look(part)
        elif isinstance(node, dict):
            for name, part in node.items():
                if name == "Ref":
                    assert part in known
                elif name == "Fn::GetAtt":
                    assert part[0] in RESOURCES
                elif name == "Fn::Sub":
                    assert set(re.findall(r"\$\{(\w+)\}", part)) <= known
                else:
                    look(part)

    look({name: SOURCE[name] for name in ("Resources", "Outputs", "Conditions")})
    for spec in template.tables("x"):
        assert "Fn::" not in json.dumps(spec.creation) and "Ref" not in json.dumps(spec.creation)


def test_cfn_lint_finds_nothing():
    cfnlint = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    found = cfnlint.lint_file(template.PATH)
    assert [str(match) for match in found] == []

"""``voice-agent cloud``: the tables and rights in the cloud, and whether all is well there."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.config import Config
    from agent.sync.cloud.check import Step
    from agent.sync.settings import Settings

HELP = "cloud tables for sync: setup, policy, check, template"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    setup = actions.add_parser("setup", help="make the two tables where they are missing")
    policy = actions.add_parser("policy", help="print the IAM policy of this household's devices")
    check = actions.add_parser("check", help="write, read and delete a row, and say what is wrong")
    template = actions.add_parser("template", help="print the CloudFormation template")
    for action in (setup, check):
        action.add_argument("--endpoint", help="address of the table service, such as "
                                               "http://localhost:8000 (default: sync.endpoint)")
        action.add_argument("--profile", help="profile of boto3's usual credentials, instead of "
                                              "this device's own")
    for action in (setup, policy, check):
        action.add_argument("--region", help="region (default: sync.region)")
        action.add_argument("--tables", help="what the tables' names begin with (default: "
                                             "sync.tables)")
    policy.add_argument("--account", default="", help="account number (default: any)")
    policy.add_argument("--household", help="household's id (default: this device's)")
    check.add_argument("--json", action="store_true", help="as one JSON list")
    template.set_defaults(region=None, tables=None)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; check returns 1 when something is wrong.

    Raises:
        AgentError: It could not be done.
    """
    from agent.config import load

    config = load()
    settings = _settings(config, args)
    if args.action == "setup":
        from agent.sync.cloud.setup import set_up

        for line in set_up(settings):
            print(line, file=sys.stderr)
        return 0
    if args.action == "policy":
        return _policy(config, settings, args)
    if args.action == "template":
        from agent.sync.cloud.template import PATH

        print(PATH.read_text(encoding="utf-8"), end="")
        return 0
    return _check(config, settings, args.json)


def _settings(config: Config, args: argparse.Namespace) -> Settings:
    given = {name: value for name in ("endpoint", "region", "tables", "profile")
             if (value := getattr(args, name, None)) is not None}
    settings = dataclasses.replace(config.sync, **given)
    if given.get("profile"):
        settings = dataclasses.replace(settings, credentials=None)
    return settings


def _policy(config: Config, settings: Settings, args: argparse.Namespace) -> int:
    import re

    from agent.sync.cloud.template import policy

    household = args.household or _household(config.store.directory)
    if not re.fullmatch(r"[0-9a-f]{32}", household):
        raise AgentError(f"{household!r} is no household's id",
                         "`voice-agent household show` prints it: 32 hex characters")
    print(json.dumps(policy(settings.tables, household, settings.region, args.account), indent=2))
    return 0


def _household(folder: Path) -> str:
    from agent.sync.household.file import HouseholdFile

    return HouseholdFile(folder).read().household.id


def _check(config: Config, settings: Settings, as_json: bool) -> int:
    from agent.sync.cloud.check import Checker
    from agent.sync.household.file import HouseholdFile
    from agent.sync.household.keyring import HouseholdKeyring, Life

    keyring = HouseholdKeyring.open(config.store.directory, Life.of(config.store.retention))
    if keyring is None:
        HouseholdFile(config.store.directory).read()  # raises
        raise AssertionError
    steps = []
    for step in Checker(settings, keyring).run():
        steps.append(step)
        if not as_json:
            _print(step)
    if as_json:
        print(json.dumps([dataclasses.asdict(step) for step in steps]))
    return 1 if any(step.state == "failed" for step in steps) else 0


def _print(step: Step) -> None:
    mark = {"ok": "ok  ", "failed": "BAD ", "note": "note"}[step.state]
    print(f"{mark}  {step.name}{': ' + step.detail if step.detail else ''}")
    if step.mend:
        print(f"      {step.mend}")

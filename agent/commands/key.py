"""``voice-agent key``: where the store's root key is, and replacing it."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys

HELP = "status and rotation of the store's key"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=("status", "rotate"),
                        help="status: where the key is and whether it opens the store; "
                             "rotate: put the store under a new key")
    parser.add_argument("--json", action="store_true", help="status as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Show the key's status or replace it; status returns 1 when the store does not open.

    Raises:
        AgentError: The key cannot be replaced; the old one stays in force.
    """
    from agent.config import load
    from agent.store import guest

    settings = load().store
    if args.action == "rotate":
        guest.rotate(settings)
        print("the store is under a new root key", file=sys.stderr)
        if guest.key_status(settings).origin == "credential":
            print("make the second credential the first one, then remove it; until then the "
                  "store opens with it", file=sys.stderr)
        return 0
    status = guest.key_status(settings)
    if args.json:
        print(json.dumps(dataclasses.asdict(status)))
    else:
        _show(status)
    return 0 if status.store in ("open", "none") else 1


def _show(status: object) -> None:
    from agent.store.guest import KeyStatus

    assert isinstance(status, KeyStatus)
    kind = {"credential": "systemd credential in", "file": "file", "none": "none yet; will be"}
    print(f"root key    {kind[status.origin]} {status.where}")
    if status.slots == 2:
        print("            two slots: the key is being replaced")
    print(f"store       {status.trouble or status.store}")
    where = status.epoch_folder or "in the agent's process only"
    print(f"epoch keys  {status.epoch_keys}, {where}")

"""``voice-agent sync``: how the sync with the household's other devices is doing."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.sync.status import Report

HELP = "status of the sync with the household's other devices"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", choices=("status",),
                        help="status: what was sent, what waits, what is wrong and how to mend it")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Show what the running agent last noted; returns 1 while something is wrong."""
    from agent.config import load
    from agent.sync import status

    config = load()
    report = status.find(config.store.directory) if config.sync.enabled else None
    if args.json:
        found = dataclasses.asdict(report) if report else None
        print(json.dumps({"enabled": config.sync.enabled, "report": found}))
    elif not config.sync.enabled:
        print("sync is off; set sync.enabled to keep sealed copies in a cloud table")
    elif report is None:
        print("no running agent has noted anything; start it with `voice-agent run`")
    else:
        for line in lines(report, time.time()):
            print(line)
    return 1 if report and (report.troubles or report.aside) else 0


def lines(report: Report, now: float) -> list[str]:
    """The report as a person reads it."""
    last = f"{_ago(now - report.last_success)} ago" if report.last_success else "never yet"
    shown = [f"state       {report.state}, noted {_ago(now - report.updated)} ago",
             f"went well   {last}",
             f"sent        {report.sent} interactions; {report.waiting} waiting",
             f"received    {report.received} interactions",
             f"requests    {report.requests}"]
    if report.next_attempt > now:
        rest = ", the breaker is open" if report.breaker_open else ""
        shown.append(f"next try    in {_ago(report.next_attempt - now)}{rest}")
    for count, what in ((report.refused_altered, "altered, moved or foreign: refused"),
                        (report.refused_replayed, "older than one already seen: refused"),
                        (report.unreadable, "under keys that this device has not: left alone")):
        if count:
            shown.append(f"in cloud    {count} rows or texts {what}")
    for trouble in report.troubles:
        shown.append(f"wrong       {trouble.what}, for {_ago(now - trouble.since)}, "
                     f"{trouble.count} attempts")
        shown += [f"  to mend   {trouble.mend}"] if trouble.mend else []
    shown += [f"set aside   {aside.name}…: {aside.what}" for aside in report.aside]
    shown += [f"was wrong   {trouble.what}" for trouble in report.mended if not report.troubles]
    return shown


def _ago(seconds: float) -> str:
    seconds = max(0.0, seconds)
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

"""``voice-agent privacy``: what is stored now, erasing it, taking it out, how long it is kept."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.store import Settings
    from agent.store.overview import Overview, Revealed

HELP = "show, erase or export what is stored"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("action", nargs="?", default="show",
                        choices=("show", "erase", "export", "retention"),
                        help="show (the default): counts, ages and sizes; erase: everything, and "
                             "its keys; export: everything, as readable JSON; retention: how long "
                             "each kind is kept")
    parser.add_argument("file", nargs="?", type=Path, help="export: the file to write, made 0600")
    parser.add_argument("--reveal", action="store_true", help="show: also the texts themselves")
    parser.add_argument("--yes", action="store_true", help="erase: do not ask")
    parser.add_argument("--json", action="store_true", help="show and retention: as JSON")


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; erase returns 1 when it was not confirmed.

    Raises:
        AgentError: The store cannot be opened; it was left as it is.
    """
    from agent.config import load

    settings = load().store
    if args.file is not None and args.action != "export":
        raise AgentError(f"privacy {args.action} takes no file", "only export writes one")
    if args.action == "erase":
        return _erase(settings, args.yes)
    if args.action == "export":
        return _export(settings, args.file)
    if args.action == "retention":
        return _retention(settings, args.json)
    return _show(settings, args.reveal, args.json)


def _show(settings: Settings, reveal: bool, as_json: bool) -> int:
    from agent.store import NotInstalledError, guest, overview

    try:
        with guest.visit(settings) as engine:
            summary = engine.submit(overview.summarise).result()
            found = engine.submit(lambda s: list(overview.reveal(s))).result() if reveal else []
    except NotInstalledError as error:
        print(json.dumps({"kinds": []}) if as_json else f"nothing is stored: {error.what}")
        return 0
    if as_json:
        table = dataclasses.asdict(summary)
        if reveal:
            table["texts"] = [_object(one) for one in found]
        print(json.dumps(table, ensure_ascii=False))
        return 0
    _print(summary)
    for one in found:
        row = one.interaction
        print(f"\n{row.dialogue_id} turn {row.turn}: {' '.join(row.events)}")
        for item in one.items:
            print(f"  {item.kind}: {item.text}")
    return 0


def _print(summary: Overview) -> None:
    print(f"{'kind':24}{'count':>8}{'bytes':>12}{'oldest':>10}{'all gone in':>13}")
    for kind in summary.kinds:
        print(f"{kind.kind:24}{kind.count:>8}{kind.bytes:>12}{_span(kind.oldest_s):>10}"
              f"{_span(kind.longest_s):>13}")
    print(f"database {summary.database_bytes} bytes, log {summary.log_bytes} bytes, "
          f"{summary.epoch_keys} epoch keys in memory")


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def _object(one: Revealed) -> dict[str, object]:
    row = one.interaction
    return {"dialogue": row.dialogue_id, "turn": row.turn, "events": list(row.events),
            "texts": [{"kind": item.kind, "text": item.text} for item in one.items]}


def _erase(settings: Settings, sure: bool) -> int:
    from agent.store import guest

    if not sure and not _confirmed():
        print("nothing was erased", file=sys.stderr)
        return 1
    replaced = guest.erase(settings)
    print("everything that was stored is erased", file=sys.stderr)
    if replaced:
        print("the root key was replaced as well", file=sys.stderr)
    else:
        print("the root key is a systemd credential and was not replaced; give the service a new "
              "one to be sure of old copies on the card", file=sys.stderr)
    return 0


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        raise AgentError("erasing needs a yes", "run it with --yes")
    print("Erase everything the agent has stored? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _export(settings: Settings, path: Path | None) -> int:
    from agent.store import guest, overview

    if path is None:
        raise AgentError("export needs a file to write", "voice-agent privacy export FILE")
    if path.exists():
        raise AgentError(f"{path} exists and is left as it is", "name another file")
    with guest.visit(settings) as engine:
        text = engine.submit(overview.export).result()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text + "\n")
    except OSError as error:
        path.unlink(missing_ok=True)
        raise AgentError(f"cannot write {path}: {error.strerror}") from error
    print(f"wrote {path}: it is readable text, delete it when you have seen it", file=sys.stderr)
    return 0


def _retention(settings: Settings, as_json: bool) -> int:
    from agent.settings import documented
    from agent.store import Retention

    entries = [(entry, getattr(settings.retention, entry.key)) for entry in documented(Retention)]
    if as_json:
        print(json.dumps({entry.key: value for entry, value in entries}))
        return 0
    print("[store.retention]")
    for entry, value in entries:
        shown = json.dumps(list(value)) if isinstance(value, tuple) else value
        print(f"{entry.key} = {shown}    # {entry.doc}")
    return 0

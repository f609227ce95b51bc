"""``voice-agent settings``: every key with its default and what it is for."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.config import Config, default_path
from agent.errors import AgentError
from agent.settings import Documented, documented

HELP = "show every setting, its default and what it is for"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="as JSON, one object a setting")
    parser.add_argument("--write", metavar="FILE", nargs="?", const=default_path(), type=Path,
                        help="write a settings file with every default, commented out "
                             f"(usually {default_path()}); never over an existing one")


def run(args: argparse.Namespace) -> int:
    """Print or write the settings page."""
    if args.json:
        for entry in documented(Config):
            print(json.dumps({"key": entry.key, "type": entry.type, "default": _json(entry),
                              "doc": entry.doc}))
        return 0
    page = "\n".join(template()) + "\n"
    if args.write is None:
        print(page, end="")
        return 0
    _write(args.write, page)
    print(f"wrote {args.write}", file=sys.stderr)
    return 0


def template() -> Iterator[str]:
    """Lines of a settings file in which every default stands behind a comment sign."""
    yield "# Settings of voice-agent. Take the # away from a line to change it; an empty text"
    yield "# says that nothing is given."
    table = ""
    for entry in documented(Config):
        here, _, key = entry.key.rpartition(".")
        if here != table:
            table = here
            yield from ("", f"[{table}]")
        doc = entry.doc.rstrip(".")
        kind = f" ({entry.type})" if "|" in entry.type and "None" not in entry.type else ""
        yield f"# {doc[0].upper()}{doc[1:]}{kind}."
        yield f"#{key} = {_toml(entry.default)}"


def _write(path: Path, page: str) -> None:
    if path.exists():
        raise AgentError(f"{path} exists and is left as it is", "name another file, or edit it")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise AgentError(f"cannot write {path}: {error.strerror}") from error


def _json(entry: Documented) -> Any:
    default = entry.default
    return dataclasses.asdict(default) if dataclasses.is_dataclass(default) else (  # type: ignore
        str(default) if isinstance(default, Path) else default)


def _toml(value: Any) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Path):
        return json.dumps(_portable(value), ensure_ascii=False)
    return json.dumps(str(value), ensure_ascii=False)


def _portable(path: Path) -> str:
    """A path as a settings file may hold it for any user; empty for none."""
    if path == Path():
        return ""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)

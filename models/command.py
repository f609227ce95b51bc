"""The command ``voice-agent models``: list, fetch, verify, and save archives for another machine.

Also runs as ``python -m models`` with the standard library alone, which is how set-up uses it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from models.catalogue import Model, catalogue
from models.errors import ModelError
from models.installed import folder_of, installed, verify
from models.progress import for_terminal, megabytes

SETS = {"run": ("run",), "test": ("run", "test")}
"""What each kind of set-up fetches, by the sets of the catalogue."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.set_defaults(action="list", names=[], json=False)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    listing = actions.add_parser("list", help="what there is, and what is installed (default)")
    fetching = actions.add_parser("fetch", help="install models")
    fetching.add_argument("names", nargs="*", metavar="NAME")
    fetching.add_argument("--set", choices=SETS, help="those that a kind of set-up needs; one "
                          "that cannot be had is no failure where its stand-in is installed")
    fetching.add_argument("--offline", type=Path, metavar="DIR",
                          help="take the archives from this folder, and use no network")
    checking = actions.add_parser("verify", help="compare installed files with their checksums")
    checking.add_argument("names", nargs="*", metavar="NAME", help="all installed ones if omitted")
    saving = actions.add_parser("save", help="download archives for a machine without a network")
    saving.add_argument("folder", type=Path, metavar="DIR")
    saving.add_argument("names", nargs="*", metavar="NAME", help="what the tests need if omitted")
    for action in (listing, fetching, checking, saving):
        action.add_argument("--json", action="store_true",
                            help="one JSON object a line on standard output")


def run(args: argparse.Namespace) -> int:
    """Carry out one action; returns the exit status.

    Raises:
        ModelError: A name is not in the catalogue, or ``fetch`` was given none.
    """
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list, "fetch": _fetch, "verify": _verify, "save": _save}
    return actions[args.action or "list"](args)


def _list(args: argparse.Namespace) -> int:
    for model in catalogue():
        there = installed(model.name)
        if args.json:
            print(json.dumps(_described(model, there)))
            continue
        state = "installed" if there else "-"
        print(f"{model.name:20}{state:12}{megabytes(model.size):>10}  {model.set:10}"
              f"{model.licence:27}{model.purpose}")
    return 0


def _described(model: Model, there: bool) -> dict[str, object]:
    return {"name": model.name, "purpose": model.purpose, "version": model.version,
            "licence": model.licence, "set": model.set, "installed": there,
            "path": str(folder_of(model)) if there else None, "size": model.size,
            "download": model.download_size, "notes": model.notes}


def _fetch(args: argparse.Namespace) -> int:
    from models.install import fetch, patience_for

    chosen = _chosen(args.names, args.set)
    if not chosen:
        raise ModelError("no model was named", "see: voice-agent models list")
    progress = for_terminal()

    def one(model: Model) -> None:
        fetch([model.name], offline=args.offline, progress=progress, patience=patience_for(model))

    failures = _each(chosen, one)
    return _report(chosen, failures, args.json, lenient=args.set is not None)


def _verify(args: argparse.Namespace) -> int:
    chosen = _chosen(args.names, None) or [m for m in catalogue() if installed(m.name)]
    return _report(chosen, _each(chosen, lambda m: verify(m.name)), args.json, lenient=False)


def _save(args: argparse.Namespace) -> int:
    from models.install import save_archives

    chosen = _chosen(args.names, None if args.names else "test")
    progress = for_terminal()
    failures = _each(chosen, lambda m: save_archives([m.name], args.folder, progress=progress))
    lacking = {name: error for name, error in failures.items()
               if not _substituted(name, chosen, failures)}
    for name in failures.keys() - lacking.keys():
        print(f"left out: {failures[name]}", file=sys.stderr)
    return _report([m for m in chosen if m.name not in failures or m.name in lacking], lacking,
                   args.json, lenient=False)


def _substituted(name: str, chosen: Sequence[Model], failures: dict[str, ModelError]) -> bool:
    stand_in = catalogue()[name].stand_in
    return stand_in is not None and any(m.name == stand_in and stand_in not in failures
                                        for m in chosen)


def _chosen(names: Sequence[str], kind: str | None) -> list[Model]:
    sets = SETS[kind] if kind else ()
    chosen = [m for m in catalogue() if m.set in sets]
    return chosen + [m for m in map(catalogue().__getitem__, names) if m not in chosen]


def _each(chosen: Sequence[Model], action: Callable[[Model], None]) -> dict[str, ModelError]:
    """Do something with each model; what failed, by name."""
    failures = {}
    for model in chosen:
        try:
            action(model)
        except ModelError as error:
            failures[model.name] = error
    return failures


def _report(chosen: Sequence[Model], failures: dict[str, ModelError], as_json: bool,
            lenient: bool) -> int:
    from models.install import stand_in_for

    failed = False
    for model in chosen:
        error = failures.get(model.name)
        stand_in = stand_in_for(model) if error and lenient else None
        failed |= error is not None and stand_in is None
        if as_json:
            print(json.dumps({"name": model.name, "ok": error is None,
                              "error": error and str(error),
                              "stand_in": stand_in and stand_in.name}))
        if error and stand_in:
            print(f"{error.what}; {stand_in.name} stands in; try again with: "
                  f"voice-agent models fetch {model.name}", file=sys.stderr)
        elif error:
            print(error, file=sys.stderr)
        elif not as_json:
            print(f"{model.name}: ok")
    return 1 if failed else 0

"""The command line ``voice-agent``: finds the command, runs it, shows errors as sentences."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from agent import __version__
from agent.errors import AgentError
from models.errors import ModelError

COMMANDS = {
    "run": "listen on the microphone and talk",
    "emulate": "hold the conversation of a scene, without a microphone",
    "doctor": "check devices, models, keys, disk, clock and versions",
    "devices": "list microphones and loudspeakers",
    "wake": "find the wake word in recordings",
    "transcribe": "turn recordings into text",
    "evaluate": "measure recognition on recordings, with and without context",
    "experiment": "measure what each context signal adds",
    "calibrate": "fit the recognition thresholds to your own voice and room",
    "models": "list, fetch and verify models",
    "settings": "show every setting, its default and what it is for",
    "privacy": "show, erase or export what is stored",
    "key": "status and rotation of the store's key",
    "household": "devices that share conversations and names: create, invite, join, remove",
    "sync": "status of the sync with the household's other devices",
    "cloud": "tables and rights in the cloud for sync: setup, policy, check",
}
"""Every command, in the order of the help page; each is a module of ``agent.commands``."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(arguments)
    except (AgentError, ModelError) as error:
        print(f"voice-agent: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    command = next((a for a in arguments if not a.startswith("-")), None)
    parser = _parser(command if command in COMMANDS else None)
    parsed = parser.parse_args(arguments)
    run = getattr(parsed, "run", None)
    if run is None:
        parser.print_help()
        return 2
    return int(run(parsed))


def _parser(command: str | None) -> argparse.ArgumentParser:
    """The parser; only the wanted command's module is imported, so that it starts fast."""
    parser = argparse.ArgumentParser(
        prog="voice-agent",
        description="A private voice assistant that recognises the answer to its own question.",
    )
    parser.add_argument("--version", action="version", version=f"voice-agent {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == command:
            module = importlib.import_module(f"agent.commands.{name}")
            module.configure(sub)
            sub.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
